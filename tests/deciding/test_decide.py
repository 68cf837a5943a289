"""What one job needs now: a table of situations in words, and the ledger's property over random lives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.decide import Observed, decide, first_cursor
from reconciler.plan import SkipSlots, StartRun
from specs.model import Dst
from specs.schedule import Schedule, parse_schedule
from state.records import Reason, Trigger

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
THE_HOUR = 1_800_000_000 * SECOND
"""2027-01-15T08:00:00Z."""
JUST_BEFORE_THE_HOUR = THE_HOUR - SECOND
JUST_AFTER_THE_HOUR = THE_HOUR + SECOND
TEN_MINUTES_LATE = THE_HOUR + 10 * MINUTE
A_WEEK_LATER = THE_HOUR + 7 * DAY

THIS_BOOT, LAST_BOOT = "boot-2", "boot-1"


def schedule(text: str | None) -> Schedule:
    return parse_schedule(text, timezone="UTC", dst=Dst(), identity="default/job")


HOURLY = schedule("0 * * * *")
ONCE = schedule("2027-01-15T08:00:00Z")
REBOOT = schedule("@reboot")
MANUAL = schedule(None)

SINCE_LAST_HOUR = Observed(
    cursor_at=THE_HOUR - HOUR,
    anchor_at=THE_HOUR - DAY,
    active=0,
    boot_accounted=THIS_BOOT,
    boot_id=THIS_BOOT,
    booted_at=THE_HOUR - DAY,
)
BUSY = replace(SINCE_LAST_HOUR, active=1)
SUSPENDED = replace(SINCE_LAST_HOUR, suspended=True)
ARCHIVED = replace(SINCE_LAST_HOUR, archived=True)
AFTER_A_REBOOT = replace(SINCE_LAST_HOUR, boot_accounted=LAST_BOOT)
BEFORE_ITS_INSTANT = replace(SINCE_LAST_HOUR, cursor_at=THE_HOUR - 1)
COMMITTED_TOO_LATE = replace(BEFORE_ITS_INSTANT, anchor_at=TEN_MINUTES_LATE)

RUN = StartRun(THE_HOUR, Trigger.SCHEDULE)
CATCH_UP = StartRun(THE_HOUR, Trigger.CATCH_UP)
BOOT_RUN = StartRun(THE_HOUR - DAY, Trigger.BOOT)


def skipped(reason: Reason, first: int = THE_HOUR, last: int = THE_HOUR, count: int = 1) -> SkipSlots:
    return SkipSlots(first, last, count, reason)


@pytest.mark.parametrize(
    ("when", "given", "now", "actions", "reason", "cursor"),
    [
        pytest.param(HOURLY, SINCE_LAST_HOUR, JUST_BEFORE_THE_HOUR, (), Reason.NOT_DUE, None, id="not_due"),
        pytest.param(HOURLY, SINCE_LAST_HOUR, THE_HOUR, (RUN,), Reason.DUE, THE_HOUR, id="due-on-the-hour"),
        pytest.param(HOURLY, SINCE_LAST_HOUR, JUST_AFTER_THE_HOUR, (RUN,), Reason.DUE, THE_HOUR, id="due-a-bit-late"),
        pytest.param(HOURLY, SINCE_LAST_HOUR, TEN_MINUTES_LATE, (CATCH_UP,), Reason.DUE, THE_HOUR, id="catch-up"),
        pytest.param(
            HOURLY, BUSY, JUST_AFTER_THE_HOUR, (skipped(Reason.OVERLAP),), Reason.OVERLAP, THE_HOUR, id="overlap"
        ),
        pytest.param(
            HOURLY,
            SUSPENDED,
            JUST_AFTER_THE_HOUR,
            (skipped(Reason.SUSPENDED),),
            Reason.SUSPENDED,
            THE_HOUR,
            id="suspended",
        ),
        pytest.param(HOURLY, ARCHIVED, A_WEEK_LATER, (), Reason.ARCHIVED, None, id="archived"),
        pytest.param(
            HOURLY,
            SINCE_LAST_HOUR,
            A_WEEK_LATER,
            (
                skipped(Reason.MISSED, THE_HOUR, A_WEEK_LATER - HOUR, 168),
                StartRun(A_WEEK_LATER, Trigger.SCHEDULE),
            ),
            Reason.DUE,
            A_WEEK_LATER,
            id="missed-a-week-is-one-catch-up-and-one-record",
        ),
        pytest.param(
            HOURLY,
            BUSY,
            A_WEEK_LATER,
            (
                skipped(Reason.MISSED, THE_HOUR, A_WEEK_LATER - HOUR, 168),
                skipped(Reason.OVERLAP, A_WEEK_LATER, A_WEEK_LATER),
            ),
            Reason.OVERLAP,
            A_WEEK_LATER,
            id="missed-a-week-and-still-busy",
        ),
        pytest.param(
            HOURLY,
            replace(SINCE_LAST_HOUR, cursor_at=THE_HOUR + HOUR),
            THE_HOUR,
            (),
            Reason.NOT_DUE,
            None,
            id="clock-set-back-an-hour-repeats-nothing",
        ),
        pytest.param(
            HOURLY,
            replace(SINCE_LAST_HOUR, cursor_at=A_WEEK_LATER),
            THE_HOUR,
            (),
            Reason.CLOCK,
            THE_HOUR,
            id="clock-set-back-a-week-is-a-correction",
        ),
        pytest.param(ONCE, BEFORE_ITS_INSTANT, JUST_AFTER_THE_HOUR, (RUN,), Reason.DUE, THE_HOUR, id="once"),
        pytest.param(
            ONCE, BEFORE_ITS_INSTANT, A_WEEK_LATER, (CATCH_UP,), Reason.DUE, THE_HOUR, id="once-while-down-catches-up"
        ),
        pytest.param(
            ONCE,
            COMMITTED_TOO_LATE,
            TEN_MINUTES_LATE,
            (skipped(Reason.PAST),),
            Reason.PAST,
            THE_HOUR,
            id="once-committed-too-late-ends-visibly",
        ),
        pytest.param(REBOOT, SINCE_LAST_HOUR, THE_HOUR, (), Reason.NOT_DUE, None, id="reboot-same-boot"),
        pytest.param(REBOOT, AFTER_A_REBOOT, THE_HOUR, (BOOT_RUN,), Reason.DUE, None, id="reboot-new-boot"),
        pytest.param(
            REBOOT,
            replace(AFTER_A_REBOOT, suspended=True),
            THE_HOUR,
            (skipped(Reason.SUSPENDED, THE_HOUR - DAY, THE_HOUR - DAY),),
            Reason.SUSPENDED,
            None,
            id="reboot-suspended",
        ),
        pytest.param(MANUAL, SINCE_LAST_HOUR, A_WEEK_LATER, (), Reason.NOT_DUE, None, id="manual-never-by-itself"),
    ],
)
def test_a_situation_has_one_plan(
    when: Schedule, given: Observed, now: int, actions: tuple[object, ...], reason: Reason, cursor: int | None
) -> None:
    plan = decide(when, given, now)
    assert plan.actions == actions
    assert (plan.reason, plan.cursor_at) == (reason, cursor)


def test_after_its_instant_a_one_shot_is_complete_and_an_hourly_job_is_not() -> None:
    assert decide(ONCE, BEFORE_ITS_INSTANT, THE_HOUR).completed
    assert not decide(HOURLY, SINCE_LAST_HOUR, THE_HOUR).completed
    assert not decide(MANUAL, SINCE_LAST_HOUR, THE_HOUR).completed
    assert not decide(REBOOT, AFTER_A_REBOOT, THE_HOUR).completed


def test_applying_a_schedule_never_fires_it_but_a_one_shot_is_still_to_come() -> None:
    assert first_cursor(HOURLY, THE_HOUR) == THE_HOUR
    assert first_cursor(ONCE, A_WEEK_LATER) == THE_HOUR - 1


EXPRESSIONS = ["*/7 * * * *", "0 * * * *", "every 90s", "30 2 * * *", ["*/5 * * * *", "every 7m"]]
passes = st.lists(
    st.tuples(
        st.sampled_from([SECOND, 30 * SECOND, MINUTE, 17 * MINUTE, 5 * HOUR, -2 * MINUTE, 3 * DAY]),
        st.sampled_from(["free", "busy", "suspended"]),
    ),
    min_size=1,
    max_size=30,
)


@given(expression=st.sampled_from(EXPRESSIONS), passes=passes)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_every_slot_is_accounted_for_exactly_once(expression: str | list[str], passes: list[tuple[int, str]]) -> None:
    """Independent oracle: the slots between start and the last watermark, listed one by one with `next_after`."""
    when = parse_schedule(expression, timezone="Europe/Berlin", dst=Dst(), identity="default/job")
    seen = replace(SINCE_LAST_HOUR, cursor_at=THE_HOUR, anchor_at=THE_HOUR)
    now = THE_HOUR
    runs: list[int] = []
    skips = 0
    for step, state in passes:
        now += step
        plan = decide(when, replace(seen, active=int(state == "busy"), suspended=state == "suspended"), now)
        for action in plan.actions:
            if isinstance(action, StartRun):
                assert action.slot is not None
                assert action.slot <= now
                assert state == "free"
                runs.append(action.slot)
            else:
                assert action.first <= action.last <= now
                skips += action.count
        seen = replace(seen, cursor_at=seen.cursor_at if plan.cursor_at is None else plan.cursor_at)
        assert plan.next_at is None or plan.next_at > seen.cursor_at
    slots: list[int] = []
    at = when.next_after(THE_HOUR, anchor=THE_HOUR)
    while at is not None and at <= seen.cursor_at:
        slots.append(at)
        at = when.next_after(at, anchor=THE_HOUR)
    assert len(runs) == len(set(runs))
    assert set(runs) <= set(slots)
    assert len(runs) + skips == len(slots)
