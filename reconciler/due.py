"""Which slots of a job have come, and what becomes of each: a start, or a skip with its reason.

Called by `reconciler.decide`. Pure: no clock, no disk. What keeps a start from happening at once (the run before, other
jobs, a pool) is not asked here: `reconciler.admit` does.

The formula, for slots in (cursor, now], each by its start (`specs.jitter`), between `start_at` and `end_at`::

    latest = the last of them
    start  = latest, when it is on time or to be caught up; with `missed: all` also those before, so many as allowed
    skip   = the others: suspended, calendar, grace, dst_gap, daemon_down or missed
    cursor = latest
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.observed import Observed
from reconciler.plan import FailRun, SkipSlots
from specs.frozen import frozen
from specs.timing import Calendars, Timing
from state.records import Reason, Trigger

SECOND = 1_000_000

ON_TIME = 60 * SECOND
"""A start this late is still `schedule`, not `catch_up`: the grain of cron; a busy minute is not an outage."""

PAST_GRACE = 60 * SECOND
"""A one-shot committed this long after its instant still runs: a push and a scan take a while."""

EXAMINED = 500
"""Slots looked at one by one for a job with calendars, the latest; those before are one record, whatever the calendar
said of each: a year of minutes must not hold up a pass."""


COUNTED = 100_000
"""Slots of a list of schedules that the record of a gap counts: it is walked. Others are counted by sums, however many.
"""


@frozen
class Start:
    """A slot that is to run."""

    slot: int
    trigger: Trigger
    not_before: int | None = None
    """Deferred by a calendar until then."""
    upstream: Mapping[str, str] | None = None
    """Started by the ends of these runs."""


@frozen
class Due:
    """What has come. `starts` and `skips` account for every slot in (cursor, `cursor_at`]."""

    starts: tuple[Start, ...] = ()
    skips: tuple[SkipSlots, ...] = ()
    cursor_at: int | None = None
    """None: no slot has come."""
    next_at: int | None = None
    """The start of the next slot that is to run."""
    wake_at: int | None = None
    """When to decide again, should nothing happen before."""
    exhausted: bool = False
    """No further slot will come."""
    failed: FailRun | None = None
    """A run that cannot be: a job it was to follow has failed."""
    follows: Mapping[str, int] | None = None
    """The ends of upstream jobs that `starts`, or `failed`, follow."""
    staggered: bool = False
    """Something is to be caught up, a little later: `next_at`. Nothing is accounted for before."""


def slots_due(timing: Timing, observed: Observed, calendars: Calendars | None, now: int) -> Due:
    """What has come by `now`."""
    cursor = observed.cursor_at
    latest = timing.latest(now, cursor)
    if latest is None:
        upcoming = timing.upcoming(cursor)
        return Due(
            next_at=_next_run(timing, calendars, cursor, upcoming),
            wake_at=None if upcoming is None else upcoming[1],
            exhausted=_is_last(timing, upcoming),
        )
    upcoming = timing.upcoming(latest)
    starts, skips = _dispositions(timing, observed, calendars, latest, now)
    if starts and starts[-1].trigger is Trigger.CATCH_UP and observed.hold_until > now:
        # A slot that comes meanwhile is on time, and takes the place of the one that is held back.
        at = observed.hold_until if upcoming is None else min(observed.hold_until, upcoming[1])
        return Due(next_at=at, staggered=True)
    return Due(
        starts=tuple(starts),
        skips=tuple(sorted((*skips, *_dropped(timing, cursor, latest)), key=lambda skip: skip.first)),
        cursor_at=latest,
        next_at=_next_run(timing, calendars, latest, upcoming),
        wake_at=None if upcoming is None else upcoming[1],
        exhausted=_is_last(timing, upcoming),
    )


def _next_run(timing: Timing, calendars: Calendars | None, after: int, upcoming: tuple[int, int] | None) -> int | None:
    """When the next slot starts that its calendars let run. Those before it wake the job, to be recorded."""
    found = upcoming if calendars is None or upcoming is None else timing.next_run(after, calendars)
    return None if found is None else found[1]


def _is_last(timing: Timing, upcoming: tuple[int, int] | None) -> bool:
    return upcoming is None and bool(timing.schedule.slots) and not timing.schedule.reboot


def _dispositions(
    timing: Timing, observed: Observed, calendars: Calendars | None, latest: int, now: int
) -> tuple[list[Start], list[SkipSlots]]:
    """Every slot in (cursor, latest], as starts and skips, each in order."""
    policy, cursor = timing.policy, observed.cursor_at
    if observed.suspended:
        return [], list(_gap(timing, cursor, latest, Reason.SUSPENDED))
    if timing.schedule.kind == "once" and latest < observed.anchor_at - PAST_GRACE:
        return [], list(_gap(timing, cursor, latest, Reason.PAST))
    wanted = policy.max_missed + 1 if policy.missed == "all" else 1
    recent = _last(timing, EXAMINED if calendars is not None else wanted, cursor, latest)
    verdicts: list[tuple[int, Start | Reason]] = []
    newest, caught_up = True, 0
    for slot in reversed(recent):
        verdict = _verdict(timing, observed, calendars, slot, now, newest=newest)
        if isinstance(verdict, Start):
            late = verdict.trigger is Trigger.CATCH_UP
            if late and caught_up >= (policy.max_missed if policy.missed == "all" else 1):
                verdict = _absence(slot, observed)
            else:
                newest, caught_up = False, caught_up + late
        verdicts.append((slot, verdict))
    verdicts.reverse()
    starts: list[Start] = []
    skips = list(_missed(timing, observed, cursor, recent[0] - 1))
    for slot, verdict in verdicts:
        if isinstance(verdict, Start):
            starts.append(verdict)
        elif skips and skips[-1].reason is verdict and (not starts or starts[-1].slot < skips[-1].first):
            skips[-1] = SkipSlots(skips[-1].first, slot, skips[-1].count + 1, verdict)
        else:
            skips.append(SkipSlots(slot, slot, 1, verdict))
    return starts, skips


def _verdict(
    timing: Timing, observed: Observed, calendars: Calendars | None, slot: int, now: int, *, newest: bool
) -> Start | Reason:
    """What becomes of one slot. `newest`: none after it starts."""
    policy, begin = timing.policy, timing.start(slot)
    if calendars is not None and (blocked := calendars.blocked_by(slot)) is not None:
        if blocked[1] == "skip":
            return Reason.CALENDAR
        opening = calendars.next_open(slot)
        if opening is None:
            return Reason.CALENDAR
        if opening > now:
            return Start(slot, Trigger.SCHEDULE, not_before=opening) if newest else Reason.CALENDAR
        begin = max(begin, opening)
    late = now - begin
    on_time = late < ON_TIME and newest
    if not on_time and (policy.missed == "skip" or (policy.missed == "latest" and not newest)):
        return _absence(slot, observed)
    if policy.grace is not None and late > policy.grace:
        return Reason.GRACE
    return Start(slot, Trigger.SCHEDULE if on_time else Trigger.CATCH_UP)


def _absence(slot: int, observed: Observed) -> Reason:
    return Reason.DAEMON_DOWN if slot <= observed.up_since else Reason.MISSED


def _gap(timing: Timing, after: int, through: int, reason: Reason) -> Iterator[SkipSlots]:
    """The slots in (after, through] as one skip; none when there are none."""
    last = timing.before(through, after)
    if last is None:
        return
    if timing.policy.start_at is not None:
        after = max(after, timing.policy.start_at - 1)
    first = timing.schedule.next_after(after, anchor=timing.anchor)
    assert first is not None
    limit = COUNTED if timing.schedule.kind == "list" else last - after
    count = timing.schedule.count(after=after, through=last, anchor=timing.anchor, limit=limit)
    yield SkipSlots(first, last, count, reason)


def _missed(timing: Timing, observed: Observed, after: int, through: int) -> Iterator[SkipSlots]:
    """The slots in (after, through]: those before this daemon was there, and those after."""
    first = timing.schedule.next_after(after, anchor=timing.anchor)
    if first is None or first > through:
        return  # nearly always: one slot has come, on time
    yield from _gap(timing, after, min(through, observed.up_since), Reason.DAEMON_DOWN)
    yield from _gap(timing, max(after, observed.up_since), through, Reason.MISSED)


def _last(timing: Timing, number: int, after: int, latest: int) -> list[int]:
    """The last slots in (after, latest], oldest first, at most `number`; `latest` is one of them."""
    found = [latest]
    while len(found) < number and (slot := timing.before(found[-1] - 1, after)) is not None:
        found.append(slot)
    return found[::-1]


def _dropped(timing: Timing, after: int, through: int) -> Iterator[SkipSlots]:
    """Fixed times that fell into a spring gap, with `dst: {gap: skip}`."""
    for at in timing.schedule.gaps(after=after, through=through):
        if timing.before(at, at - 1) is None:
            yield SkipSlots(at, at, 1, Reason.DST_GAP)
