"""Starting up: what an earlier daemon left behind. Called once by the loop, before anything else.

Every active row is asked about: the supervisor it went to answers for it (still running, ended, never started). A row
of another boot cannot be running; whether it did cannot be known: it is lost. Nothing starts before this and a first
look.
"""

from __future__ import annotations

from reconciler.act import forget
from reconciler.crashpoint import crashpoint
from reconciler.ending import grace_of
from reconciler.world import World, log
from runners.base import Adopt
from specs.model import Job
from state.records import Reason, Run, RunState
from state.store import RunEnd


def recover(world: World, now: int) -> None:
    """Load the jobs, settle the runs of other boots, and ask the runner about those of this one."""
    for record in world.store.each_job():
        entry = world.jobs.put(record, read_spec=world.store.spec)
        entry.active = 0
        if record.missing_since is not None:
            world.missing.add(entry.identity)
    lost: list[RunEnd] = []
    adopted: list[Adopt] = []
    for run in world.store.active_runs():
        world.live[run.id] = run
        if (entry_of_run := world.jobs.get(run.job_id)) is not None:
            entry_of_run.active += 1
        if run.supervisor is not None and run.boot_id != world.boot.id:
            lost.append(_lost(run, now))
        else:
            adopted.append(_adopt(world, run))
    for run in world.store.finished(lost):
        forget(world, run)
        log.warning("%s: run %s is lost: the machine was restarted while it ran", run.identity, run.id)
    crashpoint("before-adopt")
    world.runner.adopt(adopted)
    if adopted:
        log.info("asking about %d runs of an earlier daemon", len(adopted))


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
        run_dir=world.home.run_dir_of(run),
        supervisor=run.supervisor,
        boot_id=run.boot_id,
        pid=run.pid,
        pid_start=run.pid_start,
        timeout=Job.from_canonical(entry.spec).timeout_seconds() if entry is not None else None,
        grace=grace_of(world, run),
        started_at=run.started_at,
    )
