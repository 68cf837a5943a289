"""The search for slots: forwards, backwards and counted, it is always the same ordered set; and it never takes long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from specs import slots as slots_module
from specs.model import Dst, ScheduleParts
from specs.schedule import Schedule, ScheduleError, parse_schedule
from tests.scheduling.minute_scan import utc

SECOND = 1_000_000
DAY = 86_400 * SECOND
YEAR = 365 * DAY
NOW = utc("2026-11-21T08:00") * SECOND
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu",
         "America/Santiago", "Africa/Casablanca", "Europe/Dublin", "Antarctica/Troll"]  # fmt: skip


def parsed(value, timezone: str = "UTC", **dst: str) -> Schedule:
    return parse_schedule(value, timezone=timezone, dst=Dst.model_validate(dst), identity="default/job")


def field(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    spans = st.tuples(numbers, numbers).filter(lambda pair: pair[0] < pair[1])
    term = st.one_of(
        numbers.map(str),
        spans.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(spans, st.integers(1, 9)).map(
            lambda both: f"{both[0][0]}-{both[0][1]}/{min(both[1], both[0][1] - both[0][0])}"
        ),
        st.integers(2, (high - low) // 2 + 1).map(lambda step: f"*/{step}"),
    )  # fmt: skip
    return st.one_of(st.just("*"), st.just("*"), st.lists(term, min_size=1, max_size=3).map(",".join))


CRON = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)).map(" ".join)
INTERVAL = st.integers(600, 200_000).map(lambda seconds: f"every {seconds}s")
ONCE = st.integers(0, 40).map(lambda days: (date(2026, 11, 1) + timedelta(days=days)).isoformat() + "T02:30")
ANY = st.one_of(CRON, INTERVAL, ONCE, st.lists(st.one_of(CRON, INTERVAL, ONCE), min_size=1, max_size=4))
INSTANTS = st.integers(utc("2026-01-01") * SECOND, utc("2028-01-01") * SECOND)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(ANY, st.sampled_from(ZONES), INSTANTS, st.integers(0, 40 * DAY), st.sampled_from(["once", "twice"]))
def test_forwards_backwards_and_counting_see_the_same_slots(value, zone, after, length, repeat):
    schedule = parsed(value, zone, repeat=repeat)
    through, anchor = after + length, after - 12_345
    walked: list[int] = []
    at = schedule.next_after(after, anchor=anchor)
    while at is not None and at <= through and len(walked) < 500:
        walked.append(at)
        at = schedule.next_after(at, anchor=anchor)
    assert all(earlier < later for earlier, later in pairwise(walked))
    if len(walked) == 500:
        through = walked[-1]
    assert schedule.count(after=after, through=through, anchor=anchor) == len(walked)
    assert schedule.count(after=after, through=through, anchor=anchor, limit=3) == min(3, len(walked))
    assert schedule.latest_through(through, after=after, anchor=anchor) == (walked[-1] if walked else None)
    for index, slot in enumerate(walked[:20]):
        assert schedule.latest_through(slot, after=after, anchor=anchor) == slot
        assert schedule.latest_through(slot - 1, after=after, anchor=anchor) == (walked[index - 1] if index else None)


# cronsim is wrong around Lord Howe's half-hour changes, treats three-hour corrections as summer time, and reads
# a step on a single number and `*/n` weekdays up to 7 in its own way: those are left to the minute scan.
CRONSIM_ZONES = [zone for zone in ZONES if zone != "Australia/Lord_Howe"]


@settings(derandomize=True, max_examples=400, deadline=None)
@given(CRON, st.sampled_from(CRONSIM_ZONES), st.integers(utc("2020-01-01"), utc("2030-01-01")))
def test_the_next_slots_are_those_of_cronsim_where_cronsim_is_right(expression, zone, start):
    begin = datetime.fromtimestamp(start, ZoneInfo(zone))
    expected = CronSim(expression, begin)
    schedule = parsed(expression, zone)
    at = start * SECOND
    for _ in range(6):
        found = schedule.next_after(at, anchor=0)
        assert found is not None
        assert datetime.fromtimestamp(found // SECOND, UTC) == next(expected).astimezone(UTC)
        at = found


TEXT = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789*/,-HLW?# @abcdefmnopstuy:TZ=+.()", max_size=40),
    st.lists(st.sampled_from(["*", "0", "*/5", "H", "H(1-9)", "1-5", "MON", "FRI-MON", "60", "5/2", "L", "?", "31", "2",
                              "every", "day", "at", "9am", "09:00", "on", "the", "1st", "and", "weekdays", "TZ=UTC",
                              "@daily", "5m", "2026-12-24T10:00", "+01:00", "",
                              "\t"]), max_size=8).map(" ".join),
)  # fmt: skip


@settings(derandomize=True, max_examples=1500, deadline=None)
@given(TEXT, st.sampled_from(ZONES), st.integers(-(2**60), 2**60))
def test_any_text_is_refused_with_a_place_or_fires_at_rising_instants(text, zone, start):
    try:
        schedule = parsed(text, zone)
    except ScheduleError as error:
        assert error.message
        assert "\n" not in error.message or "\n" in text
        if error.start is not None:
            assert 0 <= error.start < error.end <= len(text)
        return
    assert schedule.words and schedule.expression and len(schedule.digest) == 64
    at = start
    for _ in range(4):
        found = schedule.next_after(at, anchor=NOW)
        if found is None:
            break
        assert found > at
        at = found


@pytest.fixture
def months_looked_at(monkeypatch):
    """How many months the search has looked into: its unit of work."""
    looked: list[int] = []
    real = slots_module.WallTimes._matching_days

    def counting(self, year: int, month: int) -> int:
        looked.append(month)
        return real(self, year, month)

    monkeypatch.setattr(slots_module.WallTimes, "_matching_days", counting)
    return looked


@pytest.mark.parametrize("value", ["* * * * *", "30 2 * * *", "0 0 1 1 *", ["* * * * *", "*/7 3 * * *"]], ids=str)
def test_the_latest_slot_of_ten_years_is_found_without_walking_through_them(value, months_looked_at):
    schedule = parsed(value, "Europe/Berlin")
    latest = schedule.latest_through(NOW, after=NOW - 10 * YEAR, anchor=0)
    assert latest is not None and NOW - YEAR < latest <= NOW
    assert len(months_looked_at) < 30


def test_counting_ten_years_of_minutes_costs_a_step_per_month_not_per_minute(months_looked_at):
    schedule = parsed("* * * * *", "Europe/Berlin")
    ten_years = schedule.count(after=NOW - 10 * YEAR, through=NOW, anchor=0, limit=10**9)
    assert ten_years == 10 * 365 * 1440
    assert len(months_looked_at) < 500
    assert schedule.count(after=NOW - 10 * YEAR, through=NOW, anchor=0) == 100_000, "the limit"


def test_counting_a_list_stops_at_the_limit(monkeypatch):
    schedule = parsed(["* * * * *", "*/2 * * * *", "every 1s"])
    asked: list[int] = []
    real = slots_module.GridSlots.next_after
    monkeypatch.setattr(slots_module.GridSlots, "next_after", lambda *given: asked.append(1) or real(*given))
    assert schedule.count(after=NOW - 10 * YEAR, through=NOW, anchor=0, limit=50) == 50
    assert len(asked) < 60


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        pytest.param("0 0 29 2 *", "2026-11-21", "2028-02-29", id="leap-day"),
        pytest.param("0 0 29 2 *", "2096-03-01", "2104-02-29", id="leap-day-over-2100"),
        pytest.param("0 0 29 2 */7", "2024-03-01", "2032-02-29", id="leap-sunday"),
        pytest.param("0 0 29 2 */7", "2088-03-01", "2128-02-29", id="leap-sunday-forty-years"),
    ],
)
def test_rare_days_are_found(expression, after, expected):
    found = parsed(expression).next_after(utc(after) * SECOND, anchor=0)
    assert found == utc(expected) * SECOND


def test_a_search_from_outside_of_time_ends():
    for value in ("* * * * *", "0 0 1 1 *", "every 5m", "2026-12-24T10:00:00Z"):
        schedule = parsed(value, "Europe/Berlin")
        assert schedule.next_after(-(10**20), anchor=0) is not None
        assert schedule.latest_through(-(10**19), after=-(10**20), anchor=0) is None or value.startswith("every")
    assert parsed("* * * * *").next_after(10**18, anchor=0) is None
    assert parsed("* * * * *").latest_through(10**18, after=0, anchor=0) is not None


def test_entries_of_a_list_that_meet_count_once():
    schedule = parsed(["0 9 * * *", "0 */3 * * *", ScheduleParts(every=86_400.0, anchor="2026-01-01T09:00:00Z")])
    assert schedule.count(after=NOW, through=NOW + DAY, anchor=0) == 8
