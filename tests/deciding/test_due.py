"""Which slots have come and what becomes of each: a table of situations in words, and an independent oracle."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.due import Due, slots_due
from reconciler.observed import Observed
from specs.model import Dst
from specs.policy import PLAIN, Policy
from specs.schedule import Schedule, parse_schedule
from specs.timing import Calendars, Timing
from state.records import Reason, Trigger
from tests.deciding.driving import SECOND, THE_HOUR

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
IDENTITY = "default/job"


def schedule(text: str | list[str]) -> Schedule:
    return parse_schedule(text, timezone="UTC", dst=Dst(), identity=IDENTITY)


EVERY_10 = schedule("*/10 * * * *")
ONCE = schedule("2027-01-15T08:00:00Z")
AT_SEVEN = Observed(cursor_at=THE_HOUR - HOUR, anchor_at=THE_HOUR - 24 * HOUR, active=0, identity=IDENTITY)
"""Accounted for up to 07:00; it is 08:00 and something."""


@dataclass(frozen=True)
class Shut:
    """Shut in [begin, end)."""

    begin: int
    end: int
    action: str = "skip"

    def blocked_by(self, t: int) -> tuple[str, str] | None:
        return ("closed", self.action) if self.begin <= t < self.end else None

    def next_open(self, t: int) -> int | None:
        return self.end if self.begin <= t < self.end else t

    def next_change(self, t: int) -> int | None:
        return next((at for at in (self.begin, self.end) if at > t), None)


def at(minute: float) -> int:
    """`minute` minutes after 07:00."""
    return THE_HOUR - HOUR + round(minute * MINUTE)


def told(due: Due) -> list[str]:
    """`20 run`, `30 catch_up`, `10-50 missed x5`: minutes after seven, in order of the slots."""
    found = [(start.slot, f"{_minute(start.slot)} {_word(start.trigger)}") for start in due.starts]
    for skip in due.skips:
        span = _minute(skip.first) + (f"-{_minute(skip.last)}" if skip.last != skip.first else "")
        found.append((skip.first, f"{span} {skip.reason}" + (f" x{skip.count}" if skip.count > 1 else "")))
    return [text for _, text in sorted(found)]


def _minute(slot: int) -> str:
    return f"{(slot - at(0)) // MINUTE}"


def _word(trigger: Trigger) -> str:
    return "run" if trigger is Trigger.SCHEDULE else trigger.value


def policy(**fields: object) -> Policy:
    return replace(PLAIN, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_policy", "observed", "calendars", "now", "expected"),
    [
        pytest.param(PLAIN, AT_SEVEN, None, at(9), [], id="not-due"),
        pytest.param(PLAIN, AT_SEVEN, None, at(10), ["10 run"], id="on-time"),
        pytest.param(PLAIN, AT_SEVEN, None, at(10.99), ["10 run"], id="nearly-a-minute-late-is-on-time"),
        pytest.param(PLAIN, AT_SEVEN, None, at(11), ["10 catch_up"], id="a-minute-late-is-caught-up"),
        pytest.param(PLAIN, AT_SEVEN, None, at(34), ["10-20 missed x2", "30 catch_up"], id="latest"),
        pytest.param(policy(missed="skip"), AT_SEVEN, None, at(34), ["10-30 missed x3"], id="skip"),
        pytest.param(
            policy(missed="skip"), AT_SEVEN, None, at(30), ["10-20 missed x2", "30 run"], id="skip-runs-what-is-on-time"
        ),
        pytest.param(
            policy(missed="all"), AT_SEVEN, None, at(34), ["10 catch_up", "20 catch_up", "30 catch_up"], id="all"
        ),
        pytest.param(
            policy(missed="all", max_missed=2), AT_SEVEN, None, at(55),
            ["10-30 missed x3", "40 catch_up", "50 catch_up"], id="all-at-most-two",
        ),
        pytest.param(
            policy(missed="all", max_missed=1), AT_SEVEN, None, at(50),
            ["10-30 missed x3", "40 catch_up", "50 run"], id="what-is-on-time-is-none-of-the-two",
        ),
        pytest.param(policy(grace=4 * MINUTE), AT_SEVEN, None, at(14), ["10 catch_up"], id="exactly-the-grace"),
        pytest.param(
            policy(missed="all", grace=15 * MINUTE), AT_SEVEN, None, at(34),
            ["10 grace", "20 catch_up", "30 catch_up"], id="all-within-grace",
        ),
        pytest.param(
            PLAIN, replace(AT_SEVEN, up_since=at(25)), None, at(44),
            ["10-20 daemon_down x2", "30 missed", "40 catch_up"], id="down-until-25-and-asleep-after-it",
        ),
        pytest.param(
            policy(missed="skip"), replace(AT_SEVEN, up_since=at(30)), None, at(34),
            ["10-30 daemon_down x3"], id="a-slot-at-the-very-start-came-without-a-daemon",
        ),
        pytest.param(
            PLAIN, replace(AT_SEVEN, suspended=True, up_since=at(25)), None, at(44), ["10-40 suspended x4"],
            id="suspended-has-one-reason",
        ),
        pytest.param(
            PLAIN, AT_SEVEN, Shut(at(15), at(45)), at(50), ["10 missed", "20-40 calendar x3", "50 run"],
            id="a-calendar-has-its-own-reason",
        ),
        pytest.param(PLAIN, AT_SEVEN, Shut(at(10), at(20)), at(10), ["10 calendar"], id="shut"),
        pytest.param(PLAIN, AT_SEVEN, Shut(at(5), at(10)), at(10), ["10 run"], id="open-at-the-very-end"),
        pytest.param(
            PLAIN, AT_SEVEN, Shut(at(25), at(45)), at(44), ["10 missed", "20 catch_up", "30-40 calendar x2"],
            id="the-last-that-is-open-is-caught-up",
        ),
        pytest.param(PLAIN, AT_SEVEN, Shut(at(10), at(20), "defer"), at(10), ["10 run"], id="deferred"),
        pytest.param(
            PLAIN, AT_SEVEN, Shut(at(10), at(35), "defer"), at(30), ["10-20 calendar x2", "30 run"],
            id="of-several-the-latest-is-deferred",
        ),
        pytest.param(
            policy(missed="skip"), AT_SEVEN, Shut(at(10), at(15), "defer"), at(15.5), ["10 run"],
            id="deferred-and-open-for-half-a-minute",
        ),
        pytest.param(
            policy(start_at=at(25)), AT_SEVEN, None, at(44), ["30 missed", "40 catch_up"], id="none-before-the-start"
        ),
        pytest.param(
            policy(start_at=at(20), end_at=at(30)), AT_SEVEN, None, at(54), ["20 missed", "30 catch_up"],
            id="the-bounds-belong-to-it",
        ),
        pytest.param(policy(start_at=at(50)), AT_SEVEN, None, at(44), [], id="its-start-is-to-come"),
    ],
)  # fmt: skip
def test_what_has_come(
    given_policy: Policy, observed: Observed, calendars: Calendars | None, now: int, expected: list[str]
) -> None:
    due = slots_due(Timing(EVERY_10, observed.anchor_at, given_policy, IDENTITY), observed, calendars, now)
    assert told(due) == expected
    if expected:
        assert due.cursor_at is not None
        assert due.cursor_at == max(
            *(start.slot for start in due.starts), *(skip.last for skip in due.skips), due.cursor_at
        )


def test_a_deferred_slot_says_when_it_may_start() -> None:
    due = slots_due(Timing(EVERY_10, 0, PLAIN, IDENTITY), AT_SEVEN, Shut(at(10), at(20), "defer"), at(10))
    assert [start.not_before for start in due.starts] == [at(20)]


@pytest.mark.parametrize(
    ("anchor", "now", "expected"),
    [
        pytest.param(at(0), at(60), ["60 run"], id="in-time"),
        pytest.param(at(0), at(600), ["60 catch_up"], id="found-late"),
        pytest.param(at(61), at(61), ["60 catch_up"], id="committed-a-minute-late"),
        pytest.param(at(62), at(62), ["60 past"], id="committed-too-late"),
    ],
)
def test_a_one_shot(anchor: int, now: int, expected: list[str]) -> None:
    observed = replace(AT_SEVEN, cursor_at=THE_HOUR - 1, anchor_at=anchor)
    due = slots_due(Timing(ONCE, anchor, PLAIN, IDENTITY), observed, None, now)
    assert told(due) == expected
    assert due.exhausted


@pytest.mark.parametrize(
    ("hold_until", "now", "staggered", "again"),
    [
        pytest.param(at(14), at(13), True, at(14), id="held-back"),
        pytest.param(at(25), at(13), True, at(20), id="but-no-longer-than-to-the-next-slot"),
        pytest.param(at(13), at(13), False, at(20), id="its-time-has-come"),
        pytest.param(at(14), at(10.5), False, at(20), id="what-is-on-time-is-not-held-back"),
    ],
)
def test_a_catch_up_is_held_back_with_all_it_accounts_for(
    hold_until: int, now: int, staggered: bool, again: int
) -> None:
    due = slots_due(Timing(EVERY_10, 0, PLAIN, IDENTITY), replace(AT_SEVEN, hold_until=hold_until), None, now)
    assert (due.staggered, due.next_at) == (staggered, again)
    assert (due.cursor_at is None) is staggered
    assert bool(due.starts) is not staggered


class Oracle:
    """Walks every slot, one by one, from the rules as docs/policies.md has them."""

    def __init__(self, timing: Timing, observed: Observed, shut: Shut | None, now: int) -> None:
        self.timing, self.observed, self.shut, self.now = timing, observed, shut, now
        self.slots: list[int] = []
        slot = timing.schedule.next_after(observed.cursor_at, anchor=timing.anchor)
        while slot is not None and slot <= now:
            if timing.start(slot) <= now and self._inside(slot):
                self.slots.append(slot)
            slot = timing.schedule.next_after(slot, anchor=timing.anchor)

    def _inside(self, slot: int) -> bool:
        policy = self.timing.policy
        return (policy.start_at is None or slot >= policy.start_at) and (policy.end_at is None or slot <= policy.end_at)

    def runs(self) -> set[int]:
        """The slots that run. By the words: the latest that may, and with `all` so many of those before it."""
        policy, observed = self.timing.policy, self.observed
        if observed.suspended:
            return set()
        found: set[int] = set()
        late_ones = 0
        for slot in reversed(self.slots):
            begin = self.timing.start(slot)
            if self.shut is not None and self.shut.blocked_by(slot) is not None:
                if self.shut.action == "skip":
                    continue
                begin = max(begin, self.shut.end)
                if begin > self.now and found:
                    continue
            late = self.now - begin
            if late < MINUTE and not found:
                found.add(slot)
                late_ones += 1 if policy.missed != "all" else 0
                continue
            if policy.missed == "skip" or (policy.missed == "latest" and found):
                continue
            if policy.grace is not None and late > policy.grace:
                continue
            if policy.missed == "all" and late_ones >= policy.max_missed:
                continue
            found.add(slot)
            late_ones += 1
        return found


policies = st.builds(
    lambda missed, most, grace, spread, random, bounds: replace(
        PLAIN, missed=missed, max_missed=most, grace=grace, spread=spread, random=random,
        start_at=bounds[0], end_at=bounds[1],
    ),
    st.sampled_from(["latest", "skip", "all"]),
    st.integers(1, 4),
    st.sampled_from([None, 90 * SECOND, 12 * MINUTE]),
    st.sampled_from([0, 0, 7 * MINUTE, 25 * MINUTE]),
    st.sampled_from([0, 0, 5 * MINUTE]),
    st.sampled_from([(None, None), (at(20), None), (None, at(50)), (at(15), at(45))]),
)  # fmt: skip


@given(
    text=st.sampled_from(["*/10 * * * *", "every 7m", "0,5 * * * *"]),
    given_policy=policies,
    suspended=st.booleans(),
    up_since=st.integers(-10, 100),
    shut=st.none() | st.builds(lambda b, n, a: Shut(at(b), at(b + n), a), st.integers(0, 60), st.integers(1, 40),
                               st.sampled_from(["skip", "defer"])),
    minute=st.floats(0, 95) | st.sampled_from([10.5, 20.5, 35.5, 42.5, 50, 60.2]),
)  # fmt: skip
@settings(max_examples=300, deadline=None, derandomize=True)
def test_every_slot_that_has_come_is_in_one_place_and_those_that_run_are_the_oracles(
    text: str, given_policy: Policy, suspended: bool, up_since: int, shut: Shut | None, minute: float
) -> None:
    observed = replace(AT_SEVEN, suspended=suspended, up_since=at(up_since))
    timing = Timing(schedule(text), observed.anchor_at, given_policy, IDENTITY)
    oracle = Oracle(timing, observed, shut, at(minute))
    due = slots_due(timing, observed, shut, at(minute))
    starts = [start.slot for start in due.starts]
    assert starts == sorted(oracle.runs())
    for slot in oracle.slots:
        places = (slot in starts) + sum(skip.first <= slot <= skip.last for skip in due.skips)
        assert places == 1, f"minute {_minute(slot)}"
    assert len(starts) + sum(skip.count for skip in due.skips) == len(oracle.slots)
    assert due.cursor_at == (oracle.slots[-1] if oracle.slots else None)
    for skip in due.skips:
        if skip.reason in (Reason.MISSED, Reason.DAEMON_DOWN):
            assert (skip.last <= observed.up_since) is (skip.reason is Reason.DAEMON_DOWN)
