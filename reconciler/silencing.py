"""`jobsctl silence`: for a while nobody is notified of a job, or of any. Called in `reconciler.asking`'s transaction.

Nothing here changes what runs. The notify process reads the table, and a silence is over when its time is.
"""

from __future__ import annotations

from reconciler.table import Entry
from reconciler.world import World
from specs.zones import rfc3339
from state.inbox import Request
from state.records import Event, SilenceRecord


class NotSilenced(Exception):
    """Raised when there is no silence to end. The message says so."""


def silence(world: World, request: Request, entry: Entry | None, now: int) -> str:
    """Begin one, as of when it was asked for; the answer. `entry` None: of all jobs."""
    until = int(request.params["until"])
    reason = request.reason or "no reason given"
    record = SilenceRecord(
        id=request.id,
        identity=None if entry is None else entry.identity,
        since=min(request.requested_at, now),
        until=until,
        reason=reason,
        silenced_by=request.requested_by,
    )
    world.store.end_silences(record.identity, request.requested_by, now)  # the new one takes the place of the old
    world.store.add_silence(record, now=now)
    what = "all jobs" if entry is None else entry.identity
    begun = "All jobs silenced" if entry is None else "Silenced"
    _event(world, entry, now, "silenced", f"{begun} by {request.requested_by} until {rfc3339(until)}: {reason}")
    if until <= now:
        return f"the silence of {what} was over before a daemon saw it, at {rfc3339(until)}"
    return f"{what} silenced until {rfc3339(until)}: nobody is notified"


def end(world: World, request: Request, entry: Entry | None, now: int) -> str:
    """End those that hold; the answer. Raises NotSilenced."""
    ended = world.store.end_silences(None if entry is None else entry.identity, request.requested_by, now)
    what = "all jobs" if entry is None else entry.identity
    others = [each for each in world.store.silences(after=now) if each.holds(now)]
    still = ""
    if entry is None and others:
        still = "; single jobs are silenced still: `jobsctl silence --list`"
    elif any(each.identity is None for each in others):
        still = "; all jobs are silenced: `jobsctl silence --all --end` ends that"
    if not ended and entry is None:
        raise NotSilenced(f"there is no silence of all jobs{still}")
    if not ended:
        raise NotSilenced(f"{what} is not silenced{still}")
    ended_what = "Silence of all jobs" if entry is None else "Silence"
    _event(world, entry, now, "unsilenced", f"{ended_what} ended by {request.requested_by}")
    return f"the silence of {what} is over{still}"


def _event(world: World, entry: Entry | None, now: int, reason: str, message: str) -> None:
    job_id = None if entry is None else entry.id
    world.store.add_events([Event(at=now, job_id=job_id, run_id=None, type="Normal", reason=reason, message=message)])
