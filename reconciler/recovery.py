"""Starting up: what an earlier daemon left behind. Called once by the loop, before anything else.

Every active row is asked about: the supervisor it went to answers for it (still running, ended, never started). A row
of another boot cannot be running; whether it did cannot be known: it is lost. Nothing starts before this and a first
look.
"""

from __future__ import annotations

from reconciler.crashpoint import crashpoint
from reconciler.documents import define
from reconciler.ending import grace_of
from reconciler.finishing import join_queue, settle, store_ends
from reconciler.records import rezoned, schedule_digest
from reconciler.stalling import note
from reconciler.table import Entry
from reconciler.world import World, log
from runners.base import Adopt
from state.records import Event, Reason, Run, RunState
from state.store import RunEnd


def recover(world: World, now: int) -> None:
    """Load the jobs and documents, settle the runs of other boots, and ask the runner about those of this one."""
    for document in world.store.documents():
        define(world, document)
    stalled: list[Entry] = []
    elsewhere: list[Entry] = []
    read_spec = world.store.spec  # one object for all entries
    for record in world.store.each_job():
        entry = world.jobs.put(record, read_spec=read_spec)
        entry.active = 0
        is_over = entry.archived or entry.completed or entry.stalled
        if not is_over and record.schedule_digest not in ("", schedule_digest(entry.schedule, entry.policy)):
            elsewhere.append(entry)
        if record.missing_since is not None:
            world.missing.add(entry.identity)
        if entry.stalled:
            stalled.append(entry)
    for entry in stalled:
        note(world, entry, "its stored spec is of no use to this version; edit or remove it", now)
    for entry in elsewhere:
        _rezone(world, entry, now)
    lost: list[RunEnd] = []
    adopted: list[Adopt] = []
    for run in world.store.active_runs():
        world.live[run.id] = run
        entry_of_run = world.jobs[run.job_id]
        if run.state is RunState.BLOCKED:
            entry_of_run.block(run)
            join_queue(world, run)
            continue
        entry_of_run.active += 1
        if entry_of_run.policy.pool is not None:
            world.pools.took(run.id, entry_of_run.policy.pool, entry_of_run.id, now)
        if run.supervisor is not None and run.boot_id != world.boot.id:
            lost.append(_lost(run, now))
        else:
            adopted.append(_adopt(world, run))
    world.up_since = now
    world.settle_at(now)
    with world.store.transaction():
        ended = store_ends(world, lost, now)
    settle(world, ended, now)
    crashpoint("before-adopt")
    world.runner.adopt(adopted)
    if adopted:
        log.info("asking about %d runs of an earlier daemon", len(adopted))


def _rezone(world: World, entry: Entry, now: int) -> None:
    """The daemon's timezone was edited, and the job names none: that is another schedule, and fires nothing."""
    record = world.store.job(entry.id)
    assert record is not None
    message = f"starts anew, without firing: the daemon's timezone is {world.jobs.default_timezone} now"
    with world.store.transaction():
        stored = world.store.put_job(rezoned(record, entry.schedule, entry.policy, now))
        event = Event(at=now, job_id=entry.id, run_id=None, type="Normal", reason="configured", message=message)
        world.store.add_events([event])
    world.jobs.put(stored, read_spec=world.store.spec).active = 0


def _lost(run: Run, now: int) -> RunEnd:
    return RunEnd(
        run_id=run.id,
        at=now,
        state=RunState.CANCELLED if run.cancel_requested_at is not None else RunState.FAILED,
        reason=Reason.LOST,
        error="the machine was restarted while it was active; how it ended cannot be known",
    )


def _adopt(world: World, run: Run) -> Adopt:
    entry = world.jobs.get(run.job_id)
    return Adopt(
        run_id=run.id,
        run_dir=world.home.run_path(run),
        supervisor=run.supervisor,
        boot_id=run.boot_id,
        pid=run.pid,
        pid_start=run.pid_start,
        timeout=entry.timeout if entry is not None else None,
        grace=grace_of(world, run),
        started_at=run.started_at,
    )
