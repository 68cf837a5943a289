"""The cron of Kubernetes' controller: its grammar, its day rule, its nights; and that our schedules say the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.cronfields import Meaning, write_schedule
from cli.importing.kubernetes.robfig import BadSchedule, CronRule, Every, EveryRule, parse
from cli.importing.wallclock import WallClock
from specs.model import Dst
from specs.schedule import parse_schedule
from tests.importing.foreign import NOW


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def starts(expression: str, zone: str, after: str, count: int) -> list[str]:
    meaning = parse(expression)
    assert isinstance(meaning, Meaning)
    rule = CronRule(meaning, zone, expression)
    at, found = micros(after), []
    for _ in range(count):
        following = rule.after(at)
        assert following is not None
        at = following
        found.append(datetime.fromtimestamp(at // 1_000_000, ZoneInfo(zone)).isoformat())
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        # The cases of upstream's own spec_test.go, TestNext, that have five fields.
        pytest.param("0/15 * * * *", "UTC", "2012-07-09T14:45:00+00:00", ["2012-07-09T15:00:00+00:00"], id="simple"),
        pytest.param("20-35/15 * * * *", "UTC", "2012-07-09T15:45:00+00:00", ["2012-07-09T16:20:00+00:00"], id="hour"),
        pytest.param("*/15 * * * *", "UTC", "2012-07-09T23:46:00+00:00", ["2012-07-10T00:00:00+00:00"], id="day"),
        pytest.param("0 0 9 Apr-Oct ?", "UTC", "2012-07-09T23:35:00+00:00", ["2012-08-09T00:00:00+00:00"], id="month"),
        pytest.param("0 0 * Feb Mon", "UTC", "2012-07-09T23:35:00+00:00", ["2013-02-04T00:00:00+00:00"], id="year"),
        pytest.param("0 0 29 Feb ?", "UTC", "2012-07-09T23:35:00+00:00", ["2016-02-29T00:00:00+00:00"], id="leap"),
        pytest.param(
            "30 2 11 Mar ?", "America/New_York", "2012-03-11T05:00:00+00:00", ["2013-03-11T02:30:00-04:00"], id="gap"
        ),
        pytest.param(
            "0 * * * ?", "America/New_York", "2012-03-11T05:00:00+00:00",
            ["2012-03-11T01:00:00-05:00", "2012-03-11T03:00:00-04:00"], id="hourly over a gap",
        ),
        pytest.param(
            "0 1 * * ?", "America/New_York", "2012-11-04T04:00:00+00:00",
            ["2012-11-04T01:00:00-04:00", "2012-11-04T01:00:00-05:00", "2012-11-05T01:00:00-05:00"], id="repeat",
        ),
        pytest.param(
            "0 0 * * ?", "America/Sao_Paulo", "2018-11-03T05:00:00+00:00", ["2018-11-05T00:00:00-02:00"],
            id="midnight left out",
        ),
    ],
)  # fmt: skip
def test_it_starts_when_upstream_does(expression: str, zone: str, after: str, expected: list[str]) -> None:
    assert starts(expression, zone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("60 * * * *", "outside 0-59"),
        ("* * * * 7", "Sunday is 0"),
        ("* * * * FRI-MON", "runs backwards"),
        ("*/0 * * * *", "a step of nothing"),
        ("1-2-3 * * * *", "is no minute"),
        ("a * * * *", "`a` is no minute"),
        ("* * L * *", "`L` is no day of month"),
        ("@reboot", "is none of"),
        ("@Daily", "is none of"),
        ("@every soon", "is not a duration"),
        ("-5 * * * *", "is no minute"),
    ],
)
def test_what_upstream_refuses_is_refused(expression: str, why: str) -> None:
    with pytest.raises(BadSchedule, match=why):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "both"),
    [("0 0 1 * 1", False), ("0 0 */2 * 1", False), ("0 0 */1 * 1", True), ("0 0 ? * 1", True), ("0 0 1,* * 1", True)],
)
def test_only_a_star_without_a_step_makes_both_day_fields_count(expression: str, both: bool) -> None:
    meaning = parse(expression)
    assert isinstance(meaning, Meaning)
    assert meaning.both is both


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("300ms", 1), ("-5m", 1), ("1m0.9s", 60)]
)
def test_an_interval_has_whole_seconds_and_one_at_least(text: str, seconds: int) -> None:
    assert parse(f"@every {text}") == Every(seconds)


def test_an_interval_counts_from_what_is_known() -> None:
    anchored = EveryRule(Every(3600), micros("2026-01-01T00:20:00+00:00"), "@every 1h")
    assert anchored.after(micros("2026-11-21T08:00:00+00:00")) == micros("2026-11-21T08:20:00+00:00")
    assert anchored.after(micros("2026-11-21T08:20:00+00:00")) == micros("2026-11-21T09:20:00+00:00")
    assert EveryRule(Every(3600), None, "@every 1h").after(NOW) == NOW + 3_600_000_000


def _stepped(parts: tuple[str, int]) -> str:
    return f"{parts[0]}/{parts[1]}"


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    base = st.one_of(st.just("*"), st.just("?"), number.map(str), span)
    member = st.one_of(base, st.tuples(base, st.integers(1, high + 3)).map(_stepped))
    return st.lists(member, min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(
    st.one_of(_field(0, 59), st.just("30")), st.one_of(_field(0, 23), st.just("2")), _field(1, 31),
    st.one_of(st.just("*"), _field(1, 12)), _field(0, 6),
).map(" ".join)  # fmt: skip
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Sydney"])
"""None of them leaves out a midnight, where upstream overlooks days."""
INSTANTS = st.integers(1_770_000_000, 1_860_000_000).map(lambda second: second * 1_000_000)


@settings(max_examples=30, derandomize=True, deadline=None)
@given(EXPRESSIONS, ZONES, INSTANTS)
def test_the_search_finds_what_a_look_at_every_minute_finds(expression: str, zone: str, at: int) -> None:
    meaning = parse(expression)
    assert isinstance(meaning, Meaning)
    start, info = at // 60_000_000 + 1, ZoneInfo(zone)

    def shows(minute: int) -> bool:
        wall = datetime.fromtimestamp(minute * 60, info)
        return wall.hour * 60 + wall.minute in times and meaning.on(wall.date())

    times = set(meaning.times())
    found = next((minute for minute in range(start, start + 4 * 1440) if shows(minute)), None)
    following = CronRule(meaning, zone, expression).after(at)
    if found is not None:
        assert following == found * 60_000_000
    else:
        assert following is None or following >= (start + 4 * 1440) * 60_000_000


@settings(max_examples=60, derandomize=True, deadline=None)
@given(EXPRESSIONS, ZONES, INSTANTS)
def test_the_schedule_that_is_written_is_due_at_the_same_instants(expression: str, zone: str, at: int) -> None:
    meaning = parse(expression)
    assert isinstance(meaning, Meaning)
    if not meaning.ever():
        return
    written = write_schedule(expression.replace("?", "*"), meaning, zone, "x")
    assert written.calendar is None, "with Kubernetes' rule our cron says everything"
    dst = Dst.model_validate(written.fields.get("dst", {}))
    text = written.fields["schedule"]
    assert isinstance(text, str)
    schedule = parse_schedule(text, timezone=zone, dst=dst, identity="x/y")
    rule = CronRule(meaning, zone, expression)
    for _ in range(20):
        found = rule.after(at)
        assert found == schedule.next_after(at, anchor=0), (text, written.fields)
        if found is None:
            break
        at = found


def test_a_clock_that_is_moved_shows_the_times_of_its_nights() -> None:
    clock = WallClock("Europe/Berlin", [150], lambda day: True, 366)
    gap = micros("2027-03-27T12:00:00+00:00")
    assert clock.after(gap) == micros("2027-03-29T02:30:00+02:00"), "02:30 was left out on the 28th"
    first = clock.after(micros("2026-10-24T12:00:00+00:00"))
    assert first == micros("2026-10-25T02:30:00+02:00")
    assert clock.after(first) == first + round(timedelta(hours=1).total_seconds()) * 1_000_000
    assert datetime.fromtimestamp(first // 1_000_000, UTC).isoformat() == "2026-10-25T00:30:00+00:00"
