"""Acting on what is due: decide on a batch of jobs, store what was decided, start what may start. Called by the
loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.changes import Changes
from reconciler.decide import SECOND, decide
from reconciler.observed import Observed
from reconciler.plan import Plan, ReleaseRun, StartRun
from reconciler.stalling import mend, set_aside
from reconciler.table import Entry
from reconciler.taken import without_taken
from reconciler.world import World
from specs.jitter import stable_offset
from specs.policy import PLAIN
from specs.timing import Timing
from state.errors import SlotTaken, StateError
from state.records import RunState

FIRST_BATCH, BATCH = 4, 32
"""Slots claimed per transaction, when something falls due and while more is: each batch twice the one before. The first
runs of a burst wait for 4 rows, not for 2,000, and the rest of it costs few commits."""


def act_on_due(world: World, now: int, most: int = BATCH) -> bool:
    """Decide and carry out for one batch of due jobs, at most so many. True when there may be more."""
    due = world.timers.due(now, most)
    decided: list[tuple[Entry, Plan]] = []
    try:
        entries = [entry for job_id in due if (entry := world.jobs.get(job_id)) is not None]
        if any(entry.policy.pool for entry in entries):
            # Of those that come due together the important ones are first at the pool: all of them are looked at.
            more = world.timers.due(now, len(world.jobs))
            due += more
            entries += [entry for job_id in more if (entry := world.jobs.get(job_id)) is not None]
            entries.sort(key=lambda entry: -entry.policy.priority if entry.policy.pool else 0)
        for entry in entries:
            if (plan := _decide(world, entry, now)) is not None:
                decided.append((entry, plan))
                _reserve(world, entry, plan)
        carry_out(world, decided, now)
    except StateError:
        for job_id in due:
            world.timers.set(job_id, now + SECOND)
        raise
    finally:
        world.pools.unreserve()
    return len(due) >= most


def _reserve(world: World, entry: Entry, plan: Plan) -> None:
    """The jobs decided after this one in the batch see the slots of its pool taken."""
    if entry.policy.pool is not None:
        starts = sum(isinstance(action, StartRun | ReleaseRun) for action in plan.actions)
        world.pools.reserve(entry.policy.pool, starts)


def observe(world: World, entry: Entry) -> Observed:
    """What deciding is told about a job."""
    policy = entry.policy
    hold_until = world.settled_at
    if world.stagger:
        hold_until += stable_offset(entry.identity, world.stagger)
    plain = Observed(
        cursor_at=entry.cursor_at,
        anchor_at=entry.anchor_at,
        active=entry.active,
        suspended=entry.suspended,
        archived=entry.archived,
        completed=entry.completed,
        boot_accounted=entry.boot_id,
        boot_id=world.boot.id,
        booted_at=world.boot.at,
        identity=entry.identity,
        up_since=world.up_since,
        hold_until=hold_until,
        last_end=entry.last_end,
        resumed_at=entry.resumed_at,
        failures=entry.failures,
        waiting=entry.waits,
    )
    if policy is PLAIN:
        return plain
    return replace(
        plain,
        repeat_done=entry.repeat_done,
        running=_running(world, entry) if policy.overlap == "replace" and entry.active else (),
        upstream=world.jobs.upstream_of(entry),
        consumed=entry.consumed or {},
        fresh_since=max(entry.anchor_at, entry.resumed_at),
        pool=None if policy.pool is None else world.pools.state(policy.pool),
    )


def _running(world: World, entry: Entry) -> tuple[str, ...]:
    runs = (run for run in world.live.values() if run.job_id == entry.id and run.state is not RunState.BLOCKED)
    return tuple(run.id for run in runs if run.cancel_requested_at is None)


def _decide(world: World, entry: Entry, now: int) -> Plan | None:
    """One job's plan. A job on which deciding raises is set aside with backoff; the others go on."""
    if entry.stalled:
        return None
    try:
        plan = decide(entry.schedule, observe(world, entry), now, entry.policy, world.calendars_of(entry.policy))
    except Exception as error:
        set_aside(world, entry, error, now)
        return None
    if entry.undecided:
        mend(world, entry, now)
    return plan


def carry_out(world: World, decided: Sequence[tuple[Entry, Plan]], now: int) -> None:
    """Claim, then launch.

    Raises:
        StateError: the database would not take it; nothing happened.
    """
    if not decided:
        return
    changes = Changes(world, now)
    try:
        for entry, plan in decided:
            changes.add(entry, plan)
        changes.commit()
    except SlotTaken:
        if len(decided) > 1:
            _one_by_one(world, decided, now)
            return
        entry, plan = decided[0]
        timing = Timing(entry.schedule, entry.anchor_at, entry.policy, entry.identity)
        rest = without_taken(plan, timing, lambda slot: world.store.last_slot_run(entry.id, slot) is not None)
        # Were nothing found to leave out, the same would be refused again.
        carry_out(world, [(entry, rest if rest != plan else replace(plan, actions=()))], now)
        world.timers.set(entry.id, now)
        return
    except StateError:
        raise
    except Exception as error:
        if len(decided) > 1:
            _one_by_one(world, decided, now)
        else:
            set_aside(world, decided[0][0], error, now)
        return
    changes.apply()
    if not changes.is_empty:
        world.changed()


def _one_by_one(world: World, decided: Sequence[tuple[Entry, Plan]], now: int) -> None:
    """Nothing of the batch was stored: whichever job was the reason must not hold back the others."""
    for one in decided:
        carry_out(world, [one], now)
