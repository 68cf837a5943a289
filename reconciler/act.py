"""Carrying plans out: one transaction claims the slots and moves the watermarks, then the runner gets the runs.

Dumb on purpose: every choice was made in `reconciler.decide`. Called by the loop.

If the process dies before the commit, nothing happened and the slots are decided again. If it dies after the commit,
the rows say which supervisor was to start the runs, and `reconciler.recovery` asks it: the same id is never started
twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.backoff import delay
from reconciler.crashpoint import crashpoint
from reconciler.decide import SECOND, decide
from reconciler.plan import Plan, SkipSlots, StartRun
from reconciler.table import Entry
from reconciler.world import World, log
from runners.base import Launch
from runners.process import LaunchError, make_launch
from specs.model import Job
from state.errors import SlotTaken, StateError
from state.ids import new_id
from state.records import Event, Reason, Run, RunState, Trigger
from state.store import Advance, RunEnd, Skip

BATCH = 32
"""Slots claimed per transaction: the first run of a burst waits for 32 rows, not for 2,000."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A job and its plan."""

    entry: Entry
    plan: Plan


def act_on_due(world: World, now: int) -> bool:
    """Decide and carry out for at most one batch of due jobs. True when there may be more."""
    due = world.timers.due(now, BATCH)
    decided = [one for job_id in due if (one := _decide(world, job_id, now)) is not None]
    try:
        carry_out(world, decided, now)
    except StateError:
        for job_id in due:
            world.timers.set(job_id, now + SECOND)
        raise
    return len(due) == BATCH


def _decide(world: World, job_id: int, now: int) -> Decided | None:
    """One job's plan. A job on which deciding raises is set aside with backoff; the others go on."""
    entry = world.jobs.get(job_id)
    if entry is None or entry.stalled:
        return None
    try:
        return Decided(entry, decide(entry.schedule, entry.observed(world.boot.id, world.boot.at), now))
    except Exception as error:
        entry.failures += 1
        wait = delay(entry.failures)
        world.timers.set(job_id, now + int(wait * SECOND))
        log.exception("%s: deciding failed; trying again in %.0f s", entry.identity, wait)
        message = f"deciding failed: {type(error).__name__}: {error}"
        world.store.add_events(
            [Event(at=now, job_id=entry.id, run_id=None, type="Warning", reason="stalled", message=message)]
        )
        return None


def carry_out(world: World, decided: Sequence[Decided], now: int) -> None:
    """Claim, then launch.

    Raises:
        StateError: the database would not take it; nothing happened.
    """
    if not decided:
        return
    runs: list[Run] = []
    skips: list[Skip] = []
    moves: list[Advance] = []
    for one in decided:
        for action in one.plan.actions:
            if isinstance(action, StartRun):
                runs.append(new_run(world, one.entry, now, trigger=action.trigger, slot=action.slot))
            else:
                skips.append(_skip(one.entry, action, now))
        moves.append(_move(one, now))
    try:
        with world.store.transaction():
            world.store.insert_runs(runs)
            world.store.skip(skips)
            world.store.advance(moves)
    except SlotTaken:
        if len(decided) > 1:
            for one in decided:
                carry_out(world, [one], now)
            return
        # The slot has its run already (a clock set back, a restored database): accounted for, so only move on.
        runs = []
        with world.store.transaction():
            world.store.advance(moves)
    crashpoint("slots-claimed")
    for one in decided:
        _remember(world, one)
    for run in runs:
        world.live[run.id] = run
        world.jobs[run.job_id].active += 1
        if run.trigger is Trigger.SCHEDULE and run.scheduled_for is not None:
            world.lag.observe(max(0, now - run.scheduled_for) / SECOND)
    launch(world, runs, now)
    if runs or skips:
        world.changed()


def new_run(
    world: World,
    entry: Entry,
    now: int,
    *,
    trigger: Trigger,
    slot: int | None,
    requested_by: str | None = None,
    request_id: str | None = None,
) -> Run:
    """A run row as it is claimed: pending, already addressed to the runner's present supervisor."""
    return Run(
        id=new_id(now),
        job_id=entry.id,
        project=entry.project,
        job=entry.name,
        generation=entry.generation,
        digest=entry.digest,
        revision=entry.revision,
        trigger=trigger,
        scheduled_for=slot,
        state=RunState.PENDING,
        created_at=now,
        requested_by=requested_by,
        request_id=request_id,
        supervisor=world.runner.name,
        boot_id=world.runner.boot_id,
    )


def launch(world: World, runs: Iterable[Run], now: int) -> None:
    """Hand stored runs to the runner. A run whose launch cannot even be made fails with the reason."""
    launches: list[Launch] = []
    ends: list[RunEnd] = []
    for run in _addressed(world, list(runs)):
        try:
            launches.append(_launch_of(world, run))
        except LaunchError as error:
            ends.append(
                RunEnd(run_id=run.id, at=now, state=RunState.FAILED, reason=Reason.START_ERROR, error=str(error))
            )
    crashpoint("before-launch")
    try:
        world.runner.launch(launches)
    except OSError as error:
        # The world is unwell (no process, no memory): the rows are safe, the loop tries again.
        world.unlaunched += [one.run_id for one in launches]
        log.error("cannot hand %d runs to the supervisor: %s; trying again", len(launches), error)
    crashpoint("after-launch")
    if ends:
        for run in world.store.finished(ends):
            forget(world, run)
            log.warning("%s: run %s could not be started: %s", run.identity, run.id, run.error)


def _addressed(world: World, runs: list[Run]) -> list[Run]:
    """The runs, each with a row that names the supervisor it is about to go to (recovery asks only that one) and the
    spec that applies now: it may have been edited since the claim."""
    name, boot_id = world.runner.name, world.runner.boot_id
    renewed: list[Run] = []
    for index, run in enumerate(runs):
        if run.supervisor != name:
            entry = world.jobs[run.job_id]
            renewed.append(
                replace(
                    run,
                    supervisor=name,
                    boot_id=boot_id,
                    generation=entry.generation,
                    digest=entry.digest,
                    revision=entry.revision,
                )
            )
            runs[index] = renewed[-1]
    if renewed:
        world.store.hand_over(renewed)
        world.live |= {run.id: run for run in renewed}
    return runs


def launch_again(world: World, now: int) -> None:
    """Try the runs that could not be handed over."""
    waiting, world.unlaunched = world.unlaunched, []
    launch(world, [world.live[run_id] for run_id in waiting if run_id in world.live], now)


def forget(world: World, run: Run) -> None:
    """The run's end is stored."""
    if world.live.pop(run.id, None) is not None and (entry := world.jobs.get(run.job_id)) is not None:
        entry.active -= 1


def _launch_of(world: World, run: Run) -> Launch:
    entry = world.jobs[run.job_id]
    return make_launch(
        Job.from_canonical(entry.spec),
        run_id=run.id,
        run_dir=world.home.run_dir_of(run),
        base_dir=world.base_dir,
        attempt=run.attempt,
        scheduled_for=run.scheduled_for,
        trigger=run.trigger.value,
        environ=world.environ,
    )


def _skip(entry: Entry, action: SkipSlots, now: int) -> Skip:
    return Skip(
        job_id=entry.id,
        generation=entry.generation,
        digest=entry.digest,
        revision=entry.revision,
        first=action.first,
        last=action.last,
        count=action.count,
        reason=action.reason,
        at=now,
    )


def _move(one: Decided, now: int) -> Advance:
    plan, entry = one.plan, one.entry
    return Advance(
        job_id=entry.id,
        cursor_at=plan.cursor_at,
        next_at=plan.next_at,
        boot_id=plan.boot_id,
        completed_at=now if plan.completed and not entry.completed else None,
    )


def _remember(world: World, one: Decided) -> None:
    entry, plan = one.entry, one.plan
    entry.cursor_at = entry.cursor_at if plan.cursor_at is None else plan.cursor_at
    entry.boot_id = plan.boot_id or entry.boot_id
    entry.completed = entry.completed or plan.completed
    entry.failures = 0
    world.timers.set(entry.id, plan.next_at)
