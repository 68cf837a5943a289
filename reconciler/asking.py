"""Requests from people: files in the inbox, each answered by one row that says what became of it.

Called by the loop. The row is written in the transaction that does the thing, so a request is done exactly once,
however often its file is read; the file goes after the commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from reconciler.act import observe
from reconciler.changes import Asked, Changes
from reconciler.crashpoint import crashpoint
from reconciler.decide import decide_asked
from reconciler.ending import grace_of
from reconciler.finishing import Ended, settle, store_ends, wake
from reconciler.silencing import NotSilenced, end, silence
from reconciler.sync import SyncPlan
from reconciler.table import Entry
from reconciler.world import World, log
from specs.desired import Desired
from specs.model import Job
from state.errors import Conflict, NotFound
from state.inbox import Request
from state.records import Event, Reason, RequestRecord, Run, RunState
from state.store import RunEnd
from state.store_runs import WAITS_FOR

LOOK_KINDS = frozenset({"reconcile", "confirm_prune", "delete"})
"""Requests that are answered by the next look at the files."""


class Refused(Exception):
    """Raised when a request cannot be done. The message says why and what to do."""


@dataclass(slots=True)
class Stops:
    """What a cancel stops: runs that were handed over, and those that waited."""

    running: list[Run] = field(default_factory=list)
    ended: Ended = field(default_factory=Ended)


def handle(world: World, request: Request, now: int) -> None:
    """Do one request and record the answer. Not for `LOOK_KINDS`.

    Raises:
        StateError: the database would not take it; nothing happened, the file stays.
    """
    if world.store.request(request.id) is not None:
        return
    changes, stops = Changes(world, now), Stops()
    with world.store.transaction():
        try:
            message = _do(world, request, now, changes, stops)
            outcome = "done"
        except (Refused, NotSilenced, Conflict, NotFound) as refusal:
            message, outcome = str(refusal), "refused"
        run_id = changes.new_run_id or request.run_id
        world.store.record_request(answer(request, now, outcome, message, run_id=run_id))
    crashpoint("request-answered")
    changes.apply()
    settle(world, stops.ended, now)
    for run in stops.running:
        world.live[run.id] = run
        world.runner.stop(run.id, grace=grace_of(world, run))
    if (entry := _entry(world, request)) is not None and outcome == "done" and request.kind in ("suspend", "resume"):
        record = world.store.job(entry.id)
        assert record is not None
        entry.override_suspend = record.suspended_at is not None
        entry.resumed_at = record.resumed_at or 0
        wake(world, [entry.id], now)
    log.info("%s %s by %s: %s", request.kind, request.identity or request.run_id or "", request.requested_by, message)
    world.changed()


def answer_look(world: World, request: Request, desired: Desired, plan: SyncPlan, now: int) -> None:
    """Answer a request of `LOOK_KINDS` after the look it waited for was applied."""
    if request.kind == "delete":
        _answer_delete(world, request, desired, now)
        return
    counts = ", ".join(f"{count} {change}" for change, count in sorted(plan.counts.items()))
    message, outcome = counts or "nothing to change", "done"
    if desired.problem is not None:
        message, outcome = f"the specs directory cannot be read: {desired.problem}", "refused"
    elif plan.prune_blocked:
        message = f"{len(plan.prune_blocked)} jobs would be pruned; `jobsctl apply --confirm-prune` lets them go"
        outcome = "refused"
    world.store.record_request(answer(request, now, outcome, message))
    world.changed()


def _answer_delete(world: World, request: Request, desired: Desired, now: int) -> None:
    entry = _entry(world, request)
    outcome, purged = "done", []
    with world.store.transaction():
        if entry is None:
            message, outcome = f"there is no job {request.identity}", "refused"
        elif not entry.archived:
            message, outcome = f"{entry.path}:{entry.line} still defines {entry.identity}; remove it there", "refused"
        elif not request.params.get("purge"):
            message = f"{entry.identity} archived; its history stays"
        elif world.store.job(entry.id) is None:
            message = f"{entry.identity} is gone already: retention took the last of its history"
        elif entry.active:
            message, outcome = f"{entry.identity} has an active run; wait for it, or cancel it, then purge", "refused"
        else:
            purged = world.store.purge_job(entry.id)
            message = f"{entry.identity} purged, with {len(purged)} run{'' if len(purged) == 1 else 's'}"
        world.store.record_request(answer(request, now, outcome, message))
    if entry is not None and outcome == "done" and request.params.get("purge"):
        world.jobs.remove(entry.id)
    world.changed()


def answer(request: Request, now: int, outcome: str, message: str, *, run_id: str | None = None) -> RequestRecord:
    """The row that answers a request."""
    return RequestRecord(
        id=request.id,
        kind=request.kind,
        identity=request.identity,
        run_id=run_id,
        requested_by=request.requested_by,
        requested_at=request.requested_at,
        handled_at=now,
        outcome=outcome,
        message=message,
    )


def _do(world: World, request: Request, now: int, changes: Changes, stops: Stops) -> str:
    match request.kind:
        case "trigger":
            return _trigger(world, request, now, changes)
        case "cancel":
            return _cancel(world, request, now, stops)
        case "suspend":
            return _suspend(world, request, now)
        case "resume":
            return _resume(world, request, now)
        case "silence" | "end_silence":
            entry = None if request.identity is None else _job(world, request)
            return silence(world, request, entry, now) if request.kind == "silence" else end(world, request, entry, now)
    raise Refused(f"`{request.kind}` is not a request this daemon knows; is jobsctl newer than the daemon?")


def _trigger(world: World, request: Request, now: int, changes: Changes) -> str:
    entry = _job(world, request)
    if entry.archived:
        raise Refused(f"{entry.identity} is archived: no file defines it; bring its spec back first")
    params = _params(entry, request)
    refused, plan = decide_asked(observe(world, entry), now, entry.policy)
    if refused is not None:
        raise Refused(_in_the_way(world, entry))
    # Asking for a run changes nothing about when the next slot comes.
    plan = replace(plan, next_at=entry.next_at, wake_at=world.timers.earlier(entry.id, plan.wake_at))
    changes.add(entry, plan, asked=Asked(by=request.requested_by, request_id=request.id, params=params))
    changes.store()
    waits = changes.waits_for
    return f"run {changes.new_run_id} created" + (f"; it {waits}" if waits else "")


def _in_the_way(world: World, entry: Entry) -> str:
    """Which run keeps another one from being made: one that goes on before one that waits, maybe for days."""
    runs = [run for run in world.live.values() if run.job_id == entry.id]
    run = min(runs, key=lambda run: run.state is RunState.BLOCKED)
    if run.state is RunState.BLOCKED:
        what = f"has run {run.id} already, which waits for {WAITS_FOR[run.reason]}"
        return f"{entry.identity} {what}; `jobsctl cancel {run.id}` makes room"
    return f"{entry.identity} has an active run {run.id}; wait for it, or cancel it first"


def _params(entry: Entry, request: Request) -> Mapping[str, str] | None:
    """What was given, checked against the job's params."""
    given = request.params.get("params") or {}
    try:
        known = Job.from_canonical(entry.spec).params
    except ValidationError:
        raise Refused(f"the stored spec of {entry.identity} is of no use to this version; edit it") from None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise Refused("params are texts: `--param name=value`")
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known) or "it has none"
            raise Refused(f"{entry.identity} has no param `{name}`; its params: {names}")
        if (why := known[name].refusal(value)) is not None:
            raise Refused(f"param `{name}` {why}")
    missing = [name for name, param in known.items() if param.default is None and name not in given]
    if missing:
        raise Refused(f"{entry.identity} needs a value: `--param {missing[0]}=...`")
    return given or None


def _cancel(world: World, request: Request, now: int, stops: Stops) -> str:
    if request.run_id is not None:
        run_ids = [request.run_id]
    else:
        entry = _job(world, request)
        run_ids = [run.id for run in world.live.values() if run.job_id == entry.id]
        if not run_ids:
            raise Refused(f"{entry.identity} has no active run")
    runs = [world.store.request_cancel(run_id, request.requested_by, now) for run_id in run_ids]
    stops.running = [run for run in runs if run.state is not RunState.BLOCKED]
    words = f"cancelled by {request.requested_by} while it waited"
    waiting = [
        RunEnd(run_id=run.id, at=now, state=RunState.CANCELLED, reason=Reason.CANCELLED, error=words)
        for run in runs
        if run.state is RunState.BLOCKED
    ]
    stops.ended = store_ends(world, waiting, now)
    return f"cancelling {', '.join(run_ids)}"


def _suspend(world: World, request: Request, now: int) -> str:
    entry = _job(world, request)
    record = world.store.job(entry.id)
    if record is None or record.archived_at is not None:
        raise Refused(f"{entry.identity} is archived: nothing starts anyway")
    if record.suspended_at is not None:
        return f"{entry.identity} was suspended already, by {record.suspended_by}"
    world.store.put_job(
        replace(record, suspended_at=now, suspended_by=request.requested_by, suspended_reason=request.reason)
    )
    _event(world, entry, now, "suspended", f"by {request.requested_by}: {request.reason or 'no reason given'}")
    return f"{entry.identity} suspended; its slots are recorded as skipped"


def _resume(world: World, request: Request, now: int) -> str:
    entry = _job(world, request)
    record = world.store.job(entry.id)
    if record is None:
        raise Refused(f"{entry.identity} is archived, and its history is gone")
    declared = entry.declared_suspend
    if record.suspended_at is None:
        if declared:
            raise Refused(f"{entry.identity} is suspended by its file: remove `suspend` at {record.path}:{record.line}")
        return f"{entry.identity} was not suspended"
    world.store.put_job(replace(record, suspended_at=None, suspended_by=None, suspended_reason=None, resumed_at=now))
    _event(world, entry, now, "resumed", f"by {request.requested_by}")
    if declared:
        return f"{entry.identity}: the override is lifted, but its file suspends it at {record.path}:{record.line}"
    return f"{entry.identity} resumed; nothing fires before its next slot"


def _entry(world: World, request: Request) -> Entry | None:
    return world.jobs.by_identity(request.identity) if request.identity is not None else None


def _job(world: World, request: Request) -> Entry:
    entry = _entry(world, request)
    if entry is None:
        raise Refused(f"there is no job {request.identity}; `jobsctl list` shows the jobs")
    return entry


def _event(world: World, entry: Entry, now: int, reason: str, message: str) -> None:
    world.store.add_events([Event(at=now, job_id=entry.id, run_id=None, type="Normal", reason=reason, message=message)])
