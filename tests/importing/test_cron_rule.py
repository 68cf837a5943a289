"""Debian cron's own rule: against the loop of its `cron.c` played minute by minute, and against our schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.checking import check, read_back
from cli.importing.crontab.fields import Fields, read_fields
from cli.importing.crontab.rule import CronRule
from cli.importing.imported import Imported, Origin

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Kolkata")
MOVES = {
    "Europe/Berlin": ("2026-10-25", "2027-03-28"),
    "America/New_York": ("2026-11-01", "2027-03-14"),
    "Australia/Lord_Howe": ("2027-04-04", "2027-10-03"),
    "Africa/Cairo": ("2027-04-30", "2027-10-29"),
    "America/Santiago": ("2027-04-04", "2027-09-05"),
    "Asia/Kolkata": ("2027-01-01", "2027-02-28"),
}


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def played(fields: Fields, zone: str, start: int, minutes: int) -> list[int]:
    """`cron.c` of Debian's cron, one minute after the other; starts in microseconds. As slow and as plain as it is."""
    info = ZoneInfo(zone)

    def wall(minute: int) -> int:
        at = (EPOCH + timedelta(minutes=minute)).astimezone(info)
        return minute + (at.utcoffset() or timedelta()) // timedelta(minutes=1)

    def find_jobs(virtual: int, do_wild: bool, do_fixed: bool) -> bool:
        at = EPOCH + timedelta(minutes=virtual)
        weekday = at.isoweekday() % 7
        if at.minute not in fields.minutes or at.hour not in fields.hours or at.month not in fields.months:
            return False
        day, dow = at.day in fields.days, weekday in fields.weekdays
        if not ((day or dow) if fields.either_day else (day and dow)):
            return False
        return do_wild if fields.wild else do_fixed

    found = []
    virtual = wall(start)
    for minute in range(start + 1, start + minutes):
        clock = wall(minute)
        ahead = clock - virtual
        ran = False
        if 0 < ahead <= 5:
            while virtual < clock:
                virtual += 1
                ran |= find_jobs(virtual, True, True)
        elif 5 < ahead <= 180:
            ran |= find_jobs(clock, True, False)
            while virtual < clock:
                virtual += 1
                ran |= find_jobs(virtual, False, True)
        elif -180 < ahead <= 0:
            ran = find_jobs(clock, True, False)
        else:
            virtual = clock
            ran = find_jobs(virtual, True, True)
        if ran:
            found.append(minute * 60_000_000)
    return found


def following(rule: CronRule, start: int, end: int) -> list[int]:
    found, at = [], rule.after(start)
    while at is not None and at < end:
        found.append(at)
        at = rule.after(at)
    return found


def field(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    ranges = st.tuples(numbers, numbers).map(lambda pair: f"{min(pair)}-{max(pair)}" if pair[0] != pair[1] else "*")
    single = numbers.map(str)
    return st.one_of(st.just("*"), single, ranges, st.integers(1, high).map(lambda step: f"*/{step}"))


TIMES = st.tuples(field(0, 59), field(0, 23), field(1, 31), st.just("*"), field(0, 6))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(times=TIMES, zone=st.sampled_from(ZONES), which=st.integers(0, 1))
def test_is_what_the_loop_of_cron_does_on_the_nights_when_the_clock_is_moved(times, zone, which):
    fields = read_fields(times)
    day = micros(MOVES[zone][which]) // 60_000_000
    start, minutes = day - 1440 - 720, 3 * 1440
    rule = CronRule(fields, zone, " ".join(times))
    end = (start + minutes) * 60_000_000
    assert following(rule, start * 60_000_000, end) == played(fields, zone, start, minutes)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(times=TIMES, zone=st.sampled_from(ZONES))
def test_our_schedules_say_the_same(times, zone):
    text = " ".join(times)
    document = f'name: a\nschedule: "{text}"\ntimezone: {zone}\nrun: {{command: [a]}}\n'
    spec, _ = read_back(document, "a.yaml", "UTC")
    if spec is None:
        return  # our cron refuses what can never fire
    job = Imported({"name": "a"}, Origin("a", 1), CronRule(read_fields(times), zone, text))
    outcome = check(job, spec, now=micros("2026-10-20"), default_timezone="UTC", count=60)
    assert outcome.state == "same", outcome


@pytest.mark.parametrize(
    ("time", "zone", "after", "expected"),
    [
        pytest.param("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00", ["2027-03-28T01:00", "2027-03-29T00:30"],
                     id="a_time_in_the_gap_runs_right_after_it"),
        pytest.param("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"],
                     id="a_time_that_comes_twice_runs_once"),
        pytest.param("30 * * * *", "Europe/Berlin", "2026-10-25T00:00", ["2026-10-25T00:30", "2026-10-25T01:30"],
                     id="a_star_follows_the_clock"),
        pytest.param("@hourly", "Europe/Berlin", "2026-10-25T00:30", ["2026-10-25T01:00", "2026-10-25T02:00"],
                     id="hourly_is_a_star"),
        pytest.param("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"], id="leap_days"),
        pytest.param("0 0 13 * 5", "UTC", "2026-11-01T00:00", ["2026-11-06T00:00", "2026-11-13T00:00"],
                     id="either_day"),
        pytest.param("0 0 */2 * 5", "UTC", "2026-11-01T00:00", ["2026-11-13T00:00", "2026-11-27T00:00"],
                     id="both_days"),
    ],
)  # fmt: skip
def test_facts(time, zone, after, expected):
    fields = read_fields(tuple(["0", "*", "*", "*", "*"] if time == "@hourly" else time.split()))
    rule = CronRule(fields, zone, time)
    first = rule.after(micros(after))
    assert first is not None
    assert [first, rule.after(first)] == [micros(each) for each in expected]


def test_a_rule_that_never_matches_ends():
    assert CronRule(read_fields(("0", "0", "31", "2", "*")), "UTC", "never").after(micros("2026-01-01")) is None


def test_instants_rise():
    rule = CronRule(read_fields(("*/7", "*", "*", "*", "*")), "Europe/Berlin", "x")
    found = following(rule, micros("2026-10-24"), micros("2026-10-27"))
    assert all(before < after for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("written", "state"),
    [
        pytest.param("30 2 * * *", "same", id="the_same"),
        pytest.param("31 2 * * *", "different", id="another_minute"),
        pytest.param("30 2 * * 1-6", "different", id="a_day_less"),
        pytest.param("30 2 29-31 * *", "different", id="other_days"),
        pytest.param("30 2,3 * * *", "different", id="one_time_more"),
    ],
)
def test_the_check_finds_what_was_written_wrongly(written, state):
    job = Imported(
        {"name": "a"}, Origin("a", 1), CronRule(read_fields(("30", "2", "*", "*", "*")), "UTC", "30 2 * * *")
    )
    spec, _ = read_back(f'name: a\nschedule: "{written}"\nrun: {{command: [a]}}\n', "a.yaml", "UTC")
    assert spec is not None
    outcome = check(job, spec, now=micros("2026-11-21"), default_timezone="UTC")
    assert outcome.state == state
    assert (outcome.difference is None) is (state == "same")
