"""Deciding: what one job needs now. Pure: every fact is an argument, the answer is a `Plan`.

Called by `reconciler.loop` whenever a job's timer is due or something about it changed. Must not import anything that
touches the world (an import contract says so).

The formula, for a job that is neither archived nor suspended::

    due    = slots in (cursor, now]
    run    = the latest of them              (missed: latest)
    skip   = the earlier ones, reason missed
    cursor = the latest
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.plan import Action, Plan, SkipSlots, StartRun
from specs.schedule import Schedule
from state.records import Reason, Trigger

SECOND = 1_000_000

ON_TIME = 60 * SECOND
"""A start this late is still `schedule`, not `catch_up`: the grain of cron; a busy minute is not an outage."""

PAST_GRACE = 60 * SECOND
"""A one-shot committed this long after its instant still runs: a push and a scan take a while."""

CLOCK_CORRECTION = 3 * 3600 * SECOND
"""A clock set back by more than this is a correction, not a repeat of slots already run: Debian cron's limit."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of one job, and of the machine, at `now`. Instants are microseconds UTC."""

    cursor_at: int
    anchor_at: int
    applied_at: int
    """When the present schedule was first applied."""
    active: int
    """Runs not ended."""
    suspended: bool = False
    archived: bool = False
    boot_accounted: str | None = None
    """The boot whose `@reboot` slot is accounted for."""
    boot_id: str = ""
    booted_at: int = 0


def first_cursor(schedule: Schedule, now: int) -> int:
    """Where a schedule starts when it is applied: at `now`, so that applying never fires.

    A one-shot starts just before its instant instead: found too late, it must end visibly as skipped.
    """
    if schedule.kind != "once":
        return now
    instant = schedule.next_after(0, anchor=now)
    return now if instant is None else instant - 1


def next_due(schedule: Schedule, cursor_at: int, anchor_at: int) -> int | None:
    """The first slot that is not accounted for, or None when the schedule has no more."""
    return schedule.next_after(cursor_at, anchor=anchor_at)


def decide(schedule: Schedule, observed: Observed, now: int) -> Plan:
    """The plan for one job. Deterministic; carrying it out once accounts for every slot up to `now`."""
    if observed.archived:
        return Plan(Reason.ARCHIVED)
    cursor = observed.cursor_at
    if cursor > now + CLOCK_CORRECTION:
        return Plan(Reason.CLOCK, cursor_at=now, next_at=next_due(schedule, now, observed.anchor_at))
    boot = _boot_actions(schedule, observed)
    latest = schedule.latest_through(now, after=cursor, anchor=observed.anchor_at)
    if latest is None:
        upcoming = next_due(schedule, cursor, observed.anchor_at)
        return Plan(
            boot[0].reason if boot else Reason.NOT_DUE,
            actions=boot,
            next_at=upcoming,
            boot_id=observed.boot_id if boot else None,
            completed=upcoming is None and schedule.kind == "once",
        )
    started = any(isinstance(action, StartRun) for action in boot)
    actions = _slot_actions(schedule, observed, latest, now, busy=started or observed.active > 0)
    upcoming = next_due(schedule, latest, observed.anchor_at)
    return Plan(
        actions[-1].reason,
        actions=(*boot, *actions),
        cursor_at=latest,
        next_at=upcoming,
        boot_id=observed.boot_id if boot else None,
        completed=upcoming is None and not schedule.reboot,
    )


def _boot_actions(schedule: Schedule, observed: Observed) -> tuple[Action, ...]:
    """`@reboot`: one slot per boot, at the instant of the boot."""
    if not schedule.reboot or observed.boot_accounted == observed.boot_id:
        return ()
    slot = observed.booted_at
    if observed.suspended:
        return (SkipSlots(slot, slot, 1, Reason.SUSPENDED),)
    if observed.active:
        return (SkipSlots(slot, slot, 1, Reason.OVERLAP),)
    return (StartRun(slot, Trigger.BOOT),)


def _slot_actions(schedule: Schedule, observed: Observed, latest: int, now: int, *, busy: bool) -> tuple[Action, ...]:
    """The actions that account for every slot in (cursor, latest]; never empty."""
    cursor, anchor = observed.cursor_at, observed.anchor_at
    first = schedule.next_after(cursor, anchor=anchor)
    first = latest if first is None else first
    count = schedule.count(after=cursor, through=latest, anchor=anchor)
    if observed.suspended:
        return (SkipSlots(first, latest, count, Reason.SUSPENDED),)
    if schedule.kind == "once" and latest < observed.applied_at - PAST_GRACE:
        return (SkipSlots(latest, latest, 1, Reason.PAST),)
    actions: list[Action] = []
    if count > 1:
        before = schedule.latest_through(latest - 1, after=cursor, anchor=anchor)
        actions.append(SkipSlots(first, first if before is None else before, count - 1, Reason.MISSED))
    if busy:
        actions.append(SkipSlots(latest, latest, 1, Reason.OVERLAP))
    else:
        actions.append(StartRun(latest, Trigger.SCHEDULE if now - latest < ON_TIME else Trigger.CATCH_UP))
    return tuple(actions)
