"""Deciding: what one job needs now. Pure: every fact is an argument, the answer is a `Plan`.

Called by `reconciler.act` whenever a job's timer is due or something about it changed. Must not import anything that
touches the world (an import contract says so).

Three questions, each with its own module::

    what has come?              due      slots of the schedule; here: boots, ends of runs, successes of other jobs
    is it wanted?               admit    beside the runs there are: `overlap`
    may it start at once?       admit    room, dependencies, pool; what may not waits as a `blocked` run
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.admit import Placing, give_up, place, walk
from reconciler.due import SECOND, Due, Start, slots_due
from reconciler.following import after_finish, after_others
from reconciler.observed import Observed, Waiting
from reconciler.plan import Action, EndRun, KeepWaiting, Plan, SkipSlots
from specs.policy import PLAIN, Policy
from specs.schedule import Schedule
from specs.timing import CLOCK_CORRECTION, Calendars, Timing
from state.records import Reason, RunState, Trigger

__all__ = ["CLOCK_CORRECTION", "SECOND", "Observed", "decide", "decide_asked", "first_cursor", "next_due"]


def first_cursor(schedule: Schedule, now: int) -> int:
    """Where a schedule starts when it is applied: at `now`, so that applying never fires.

    A one-shot starts just before its instant instead: found too late, it must end visibly as skipped. So does one that
    counts from the end of runs: its first start may be `now` itself.
    """
    if schedule.from_finish is not None:
        return now - 1
    if schedule.kind != "once":
        return now
    instant = schedule.next_after(0, anchor=now)
    return now if instant is None else instant - 1


def next_due(
    schedule: Schedule, cursor_at: int, anchor_at: int, policy: Policy = PLAIN, identity: str = ""
) -> int | None:
    """When the first slot that is not accounted for starts, or None when the schedule has no more."""
    if schedule.from_finish is not None:
        return schedule.next_from_finish(anchor=anchor_at, last_end=None)
    found = Timing(schedule, anchor_at, policy, identity).upcoming(cursor_at)
    return None if found is None else found[1]


def decide(
    schedule: Schedule, observed: Observed, now: int, policy: Policy = PLAIN, calendars: Calendars | None = None
) -> Plan:
    """The plan for one job. Deterministic; carrying it out once accounts for every slot up to `now`."""
    if observed.archived:
        words = "no file defines the job any more"
        return Plan(Reason.ARCHIVED, tuple(give_up(observed, RunState.CANCELLED, Reason.DELETED, words)))
    behind = observed.cursor_at > now + CLOCK_CORRECTION
    if behind and schedule.from_finish is None and not observed.completed:
        run = Timing(schedule, observed.anchor_at, policy, observed.identity).next_run(now, calendars)
        return Plan(Reason.CLOCK, cursor_at=now, next_at=None if run is None else run[1], wake_at=now)
    due = _due(schedule, observed, now, policy, calendars)
    boot, boot_skips = _boot(schedule, observed)
    actions: list[Action] = [*boot_skips, *due.skips]
    if observed.suspended and observed.waiting:
        ended = give_up(observed, RunState.SKIPPED, Reason.SUSPENDED, "suspended while it waited")
        gone = {action.run_id for action in ended}
        actions += ended
        observed = replace(observed, waiting=tuple(run for run in observed.waiting if run.run_id not in gone))
    observed, put_off = _by_calendars(observed, calendars, now)
    actions += put_off
    new = [_candidate(start, now) for start in (*boot, *due.starts)]
    placing = place(policy, observed, new)
    admission = walk(policy, observed, placing.waiting, now)
    actions += _skips(placing)
    actions += placing.actions
    actions += admission.actions
    consumed = admission.consumed
    if due.failed is not None:
        actions.append(due.failed)
    if due.follows is not None and (placing.taken or due.failed is not None):
        consumed |= due.follows
    counted = policy.repeat is not None or policy.until is not None  # `until` may ask for `job.runs`
    done = observed.repeat_done + len(placing.taken) if counted and placing.taken else None
    completed = due.exhausted or (done is not None and policy.repeat is not None and done >= policy.repeat)
    next_at = None if completed else due.next_at
    return Plan(
        _reason(actions, observed, due),
        actions=tuple(actions),
        cursor_at=due.cursor_at,
        next_at=next_at,
        wake_at=min((at for at in (next_at, due.wake_at, admission.wake_at) if at is not None), default=None),
        boot_id=observed.boot_id if boot or boot_skips else None,
        completed=completed,
        repeat_done=done,
        consumed=consumed or None,
    )


def decide_asked(observed: Observed, now: int, policy: Policy) -> tuple[Reason | None, Plan]:
    """The plan for a run that somebody asks for: why it is refused (then nothing is to be done), and the plan."""
    new = Waiting(run_id="", slot=None, attempt=1, trigger=Trigger.MANUAL, created_at=now, reason=Reason.MANUAL)
    placing = place(policy, observed, [new])
    if placing.refused:
        return placing.refused[0][1], Plan(Reason.MANUAL)
    admission = walk(policy, observed, placing.waiting, now)
    return None, Plan(
        Reason.MANUAL,
        actions=(*placing.actions, *admission.actions),
        wake_at=admission.wake_at,
        consumed=admission.consumed or None,
    )


def _by_calendars(observed: Observed, calendars: Calendars | None, now: int) -> tuple[Observed, tuple[Action, ...]]:
    """Deferred runs start when the calendars open as they are now: they may have been edited since.

    When they never open any more, the slots are left out, as one is that comes then.
    """
    deferred = [run for run in observed.waiting if run.reason is Reason.CALENDAR]
    if not deferred:
        return observed, ()
    opening = now if calendars is None else calendars.next_open(now)
    if opening is None:
        words = "deferred, and its calendars do not open any more"
        ended = tuple(EndRun(run.run_id, RunState.SKIPPED, Reason.CALENDAR, words) for run in deferred)
        return replace(observed, waiting=tuple(run for run in observed.waiting if run not in deferred)), ended
    at = opening if opening > now else None
    waiting = tuple(replace(run, not_before=at) if run in deferred else run for run in observed.waiting)
    moved = tuple(
        KeepWaiting(run.run_id, Reason.CALENDAR, at) for run in deferred if at is not None and run.not_before != at
    )
    return replace(observed, waiting=waiting), moved


def _candidate(start: Start, now: int) -> Waiting:
    return Waiting(
        run_id="",
        slot=start.slot,
        attempt=1,
        trigger=start.trigger,
        created_at=now,
        reason=Reason.DUE,
        not_before=start.not_before,
        upstream=start.upstream,
    )


def _due(schedule: Schedule, observed: Observed, now: int, policy: Policy, calendars: Calendars | None) -> Due:
    if observed.completed:
        return Due()
    if schedule.from_finish is not None:
        return after_finish(schedule, observed, policy, calendars, now)
    if policy.depends_on and schedule.kind == "manual":
        return after_others(observed, policy, calendars, now)
    return slots_due(Timing(schedule, observed.anchor_at, policy, observed.identity), observed, calendars, now)


def _boot(schedule: Schedule, observed: Observed) -> tuple[tuple[Start, ...], tuple[SkipSlots, ...]]:
    """`@reboot`: one slot per boot, at the instant of the boot."""
    if not schedule.reboot or observed.completed or observed.boot_accounted == observed.boot_id:
        return (), ()
    slot = observed.booted_at
    if observed.suspended:
        return (), (SkipSlots(slot, slot, 1, Reason.SUSPENDED),)
    return (Start(slot, Trigger.BOOT),), ()


def _skips(placing: Placing) -> list[SkipSlots]:
    """The new runs that are not wanted. Only those that are caught up together come as several."""
    skips: list[SkipSlots] = []
    for run, reason in placing.refused:
        assert run.slot is not None
        if skips and skips[-1].reason is reason:
            skips[-1] = SkipSlots(skips[-1].first, run.slot, skips[-1].count + 1, reason)
        else:
            skips.append(SkipSlots(run.slot, run.slot, 1, reason))
    return skips


def _reason(actions: list[Action], observed: Observed, due: Due) -> Reason:
    """The one word for the plan: that of its last action."""
    if due.staggered:
        return Reason.STAGGER
    for action in reversed(actions):
        return action.reason
    return Reason.COMPLETE if observed.completed else Reason.NOT_DUE
