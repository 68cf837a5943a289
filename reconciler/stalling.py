"""Setting aside what deciding cannot deal with, so that one job holds back no other. Called by the loop's steps.

A job on which deciding raises is tried again with backoff; what it raised is stored, and shown as the condition
`Stalled`, until deciding succeeds. One whose stored spec this version cannot use (its zone left the tz database, it
was stored by a newer version) waits for an edit.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.backoff import delay
from reconciler.finishing import join_queue, wake
from reconciler.table import Entry
from reconciler.world import World, log
from state.records import Event

SECOND = 1_000_000


def set_aside(world: World, entry: Entry, error: Exception, now: int) -> None:
    """Deciding on this job raised. Called while that is handled: the log gets the traceback.

    Raises:
        StateError: the database would not take the note.
    """
    entry.undecided += 1
    for run_id in entry.waiting or ():
        if (pool := world.pools.leave(run_id)) is not None:
            wake(world, world.pools.call(pool, now), now)
    wait = delay(entry.undecided)
    world.timers.set(entry.id, now + int(wait * SECOND))
    log.exception("%s: deciding failed; trying again in %.0f s", entry.identity, wait)
    note(world, entry, f"deciding failed: {type(error).__name__}: {error}", now)


def note(world: World, entry: Entry, message: str, now: int) -> None:
    """Store why a job is stalled; the same reason again is no news."""
    record = world.store.job(entry.id)
    if record is None or record.stalled == message:
        return
    with world.store.transaction():
        world.store.put_job(replace(record, stalled=message))
        world.store.add_events(
            [Event(at=now, job_id=entry.id, run_id=None, type="Warning", reason="stalled", message=message)]
        )
    world.changed()


def mend(world: World, entry: Entry, now: int) -> None:
    """Deciding on a job that was set aside succeeded."""
    entry.undecided = 0
    for run_id in entry.waiting or ():
        join_queue(world, world.live[run_id])
    record = world.store.job(entry.id)
    if record is None or record.stalled is None:
        return
    with world.store.transaction():
        world.store.put_job(replace(record, stalled=None))
        message = "deciding succeeds again"
        world.store.add_events(
            [Event(at=now, job_id=entry.id, run_id=None, type="Normal", reason="recovered", message=message)]
        )
    world.changed()
