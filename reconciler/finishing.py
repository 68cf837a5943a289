"""The end of runs, whoever brought it about: stored with what follows from it, then told to whom it concerns.

Called by the steps of the loop. With the end of a run goes, in one transaction, the next attempt (`retry`) and the
completion of the job (`until`): a crash in between loses neither and doubles neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.pools import Queued
from reconciler.retrying import next_attempt_at
from reconciler.table import Entry
from reconciler.world import World, log
from state.ids import new_id
from state.records import Event, Reason, Run, RunState, Trigger
from state.store import Advance, RunEnd


@dataclass(slots=True)
class Ended:
    """What was stored."""

    runs: list[Run] = field(default_factory=list)
    attempts: list[Run] = field(default_factory=list)
    """Blocked: the next attempts of some of the runs."""
    completed: list[int] = field(default_factory=list)
    """Jobs that are complete now."""


def store_ends(world: World, ends: Sequence[RunEnd], now: int) -> Ended:
    """Store ends and what follows. Inside the caller's transaction; `settle` after its commit.

    Raises:
        StateError: the database would not take it.
    """
    ended = Ended(world.store.finished(ends))
    events: list[Event] = []
    for run in ended.runs:
        entry = world.jobs.get(run.job_id)
        if entry is None or entry.archived:
            continue
        not_before = next_attempt_at(entry.policy, run)
        if not_before is not None and not (entry.suspended and run.scheduled_for is not None):
            ended.attempts.append(_attempt(entry, run, not_before, now))
        elif _may_complete(entry, run) and _is_reached(world, entry, run, events, now):
            ended.completed.append(entry.id)
    if ended.attempts:
        world.store.insert_runs(ended.attempts)
    if ended.completed:
        world.store.advance(
            [Advance(job_id=job_id, cursor_at=None, next_at=None, completed_at=now) for job_id in ended.completed]
        )
    if events:
        world.store.add_events(events)
    return ended


def settle(world: World, ended: Ended, now: int) -> None:
    """Memory follows the commit; who waits for these ends is decided on."""
    for run in ended.attempts:
        world.live[run.id] = run
        world.jobs[run.job_id].block(run)
    for job_id in ended.completed:
        world.jobs[job_id].completed = True
        log.info("%s: complete, its `until` is true", world.jobs[job_id].identity)
    left: list[str | None] = []
    for run in ended.runs:
        known = world.live.pop(run.id, None)
        entry = world.jobs.get(run.job_id)
        if run.supervisor is not None:
            world.untold.append(run)
        _log_end(run)
        if known is None or entry is None:
            continue
        if not entry.unblock(run.id):
            entry.active -= 1
        _note_end(entry, run)
        left.append(world.pools.leave(run.id))
        if not entry.is_plain:
            world.timers.set(entry.id, now)
        wake(world, world.jobs.dependents(entry.identity), now)
    call_pools(world, left, now)


def call_pools(world: World, names: Iterable[str | None], now: int) -> None:
    """Decide in this pass on those whose turn it is now, once for each pool."""
    for name in dict.fromkeys(names):
        if name is not None:
            wake(world, world.pools.call(name, now), now)


def wake(world: World, job_ids: Iterable[int], now: int) -> None:
    """Decide on these jobs in this pass."""
    for job_id in job_ids:
        world.timers.set(job_id, now)


def join_queue(world: World, run: Run) -> None:
    """A blocked run is in the queue of its pool exactly when it waits for that."""
    entry = world.jobs[run.job_id]
    pool = entry.policy.pool
    if run.reason is Reason.POOL and pool is not None:
        world.pools.queue(Queued(run.id, entry.id, entry.policy.priority, run.created_at), pool)
    else:
        world.pools.leave(run.id)


def _note_end(entry: Entry, run: Run) -> None:
    if run.state is RunState.SKIPPED:
        return  # it never was a run
    at = run.finished_at
    entry.last_end = at
    if run.state is RunState.SUCCEEDED:
        entry.failures, entry.success_id, entry.success_at = 0, run.id, at
    elif run.state in (RunState.FAILED, RunState.EXPIRED):
        entry.failures += 1
    else:
        return
    entry.end_id, entry.end_at = run.id, at


def _attempt(entry: Entry, run: Run, not_before: int, now: int) -> Run:
    """The next attempt, waiting. Under the spec that applies when it starts."""
    return Run(
        id=new_id(now),
        job_id=run.job_id,
        project=entry.project,
        job=entry.name,
        generation=entry.generation,
        digest=entry.digest,
        revision=entry.revision,
        trigger=Trigger.RETRY,
        scheduled_for=run.scheduled_for,
        attempt=run.attempt + 1,
        state=RunState.BLOCKED,
        reason=Reason.BACKOFF,
        created_at=now,
        not_before=not_before,
        requested_by=run.requested_by,
        params=run.params,
        upstream=run.upstream,
    )


def _may_complete(entry: Entry, run: Run) -> bool:
    return entry.policy.until is not None and not entry.completed and run.started_at is not None


def _is_reached(world: World, entry: Entry, run: Run, events: list[Event], now: int) -> bool:
    """Whether `until` is true after this run. One that cannot be evaluated is not, and says why."""
    from specs.conditions import compile_condition  # of the few jobs that use it: 4 MB

    assert entry.policy.until is not None
    try:
        return compile_condition(entry.policy.until).evaluate(
            run=_as_data(run), job=_job_as_data(world, entry), result=run.result, now=now
        )
    except Exception as error:  # also what the evaluator never should raise: the end of the run must be stored
        message = f"`until` could not be evaluated: {error}; the job goes on"
        events.append(Event(at=now, job_id=entry.id, run_id=run.id, type="Warning", reason="until", message=message))
        return False


def _as_data(run: Run) -> dict[str, Any]:
    """`run` as docs/conditions.md has it."""
    duration = None if run.started_at is None or run.finished_at is None else (run.finished_at - run.started_at) / 1e6
    return {
        "id": run.id,
        "state": run.state.value,
        "reason": None if run.reason is None else run.reason.value,
        "exit_code": run.exit_code,
        "attempt": run.attempt,
        "trigger": run.trigger.value,
        "scheduled_for": run.scheduled_for,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration": duration,
        "cpu_seconds": run.cpu_seconds,
        "peak_memory": run.peak_memory,
    }


def _job_as_data(world: World, entry: Entry) -> dict[str, Any]:
    """`job` as docs/conditions.md has it; the end of the run is counted."""
    record = world.store.job(entry.id)
    assert record is not None
    counts = record.counts
    return {
        "name": entry.name,
        "project": entry.project,
        "runs": record.repeat_done,
        "successes": counts[RunState.SUCCEEDED],
        "failures": counts[RunState.FAILED] + counts[RunState.EXPIRED],
        "consecutive_failures": record.consecutive_failures,
    }


def _log_end(run: Run) -> None:
    if run.state is RunState.SUCCEEDED:
        log.debug("%s: run %s succeeded", run.identity, run.id)
    elif run.started_at is None and run.reason is not Reason.LOST:  # a lost one may have been started
        log.info("%s: run %s %s without being started: %s", run.identity, run.id, run.state, run.error)
    else:
        log.warning("%s: run %s %s: %s", run.identity, run.id, run.state, run.error)
