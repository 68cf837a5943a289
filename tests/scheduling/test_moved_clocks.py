"""What happens when a zone moves its clock: Debian cron's table, and every transition of ten years against a scan.

`SCHEDULE_SWEEP=full` scans two days around each transition of each zone with all expressions (minutes). Without it,
zones that move their clocks at the same instant by the same amount are scanned once, with a third of the
expressions in turn.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from datetime import date, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from specs.cron import parse_cron
from specs.model import Dst
from specs.schedule import Schedule, parse_schedule
from specs.slots import CronSlots
from specs.zones import Zone, find_zone
from tests.scheduling.minute_scan import MINUTE, Crontab, scan, transitions, utc, walls

SECOND = 1_000_000
HOUR, DAY = 3600, 86_400
FULL = os.environ.get("SCHEDULE_SWEEP") == "full"
REACH = 26 * HOUR if FULL else 13 * HOUR
TEN_YEARS = utc("2018-01-01"), utc("2028-01-01")
NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"
RULES = [("run_after", "once"), ("skip", "once"), ("run_after", "twice"), ("skip", "twice")]


def compiled(expression: str, zone: str, gap: str = "run_after", repeat: str = "once") -> Schedule:
    dst = Dst.model_validate({"gap": gap, "repeat": repeat})
    return parse_schedule(expression, timezone=zone, dst=dst, identity="default/job")


def fires(schedule: Schedule, start: int, end: int) -> list[int]:
    """Seconds of the slots in [start, end)."""
    found: list[int] = []
    at = schedule.next_after(start * SECOND - 1, anchor=0)
    while at is not None and at < end * SECOND:
        found.append(at // SECOND)
        at = schedule.next_after(at, anchor=0)
    return found


TABLE = {
    # id: (zone, expression, the UTC day's or night's window, slots in UTC)
    "gap-fixed-runs-once-right-after": (NEW_YORK, "30 2 * * *", "2027-03-14T05:00", "07:00"),
    "gap-fixed-every-half-hour-runs-once": (NEW_YORK, "0,30 2 * * *", "2027-03-14T05:00", "07:00"),
    "gap-time-at-its-end-is-not-doubled": (NEW_YORK, "0,30 2,3 * * *", "2027-03-14T05:00", "07:00 07:30"),
    "gap-wildcard-minute-has-nothing": (NEW_YORK, "*/30 2 * * *", "2027-03-14T05:00", ""),
    "gap-hourly-follows-real-time": (NEW_YORK, "30 * * * *", "2027-03-14T05:00", "05:30 06:30 07:30 08:30 09:30 10:30"),
    "repeat-fixed-runs-once-the-first": (NEW_YORK, "30 1 * * *", "2026-11-01T04:00", "05:30"),
    "repeat-hourly-runs-in-both": (NEW_YORK, "30 * * * *", "2026-11-01T04:00", "04:30 05:30 06:30 07:30 08:30 09:30"),
    "repeat-wildcard-minute-runs-in-both": (NEW_YORK, "*/30 1 * * *", "2026-11-01T04:00", "05:00 05:30 06:00 06:30"),
    "repeat-every-other-hour-runs-in-both": (NEW_YORK, "0 */2 * * *", "2026-11-01T05:00", "07:00 09:00"),
    "time-right-after-the-repeat-runs": (NEW_YORK, "0 2 * * *", "2026-11-01T04:00", "07:00"),
    "midnight-gap-cairo": ("Africa/Cairo", "0 0 * * *", "2027-04-29T20:00", "22:00"),
    "midnight-gap-santiago": ("America/Santiago", "0 0 * * *", "2026-09-06T02:00", "04:00"),
    "midnight-gap-beirut": ("Asia/Beirut", "30 0 * * *", "2027-03-27T20:00", "22:00"),
    "midnight-repeat-santiago": ("America/Santiago", "30 23 * * *", "2027-04-04T01:00", "02:30"),
    "half-hour-gap": (LORD_HOWE, "15 2 * * *", "2026-10-03T13:00", "15:30"),
    "half-hour-gap-hourly": (LORD_HOWE, "15 * * * *", "2026-10-03T13:30", "13:45 14:45 16:15 17:15 18:15 19:15"),
    "half-hour-repeat": (LORD_HOWE, "45 1 * * *", "2027-04-03T13:00", "14:45"),
    "half-hour-repeat-wildcard": (LORD_HOWE, "*/15 1 * * *", "2027-04-03T13:30", "14:00 14:15 14:30 14:45 15:00 15:15"),
    "winter-time-is-negative-in-dublin": ("Europe/Dublin", "30 1 * * *", "2026-10-24T23:00", "00:30"),
    "summer-time-begins-in-dublin": ("Europe/Dublin", "30 1 * * *", "2027-03-27T23:00", "01:00"),
    "two-hours-forward-troll": ("Antarctica/Troll", "30 1,2 * * *", "2027-03-28T00:00", "01:00"),
    "two-hours-back-troll": ("Antarctica/Troll", "30 1,2 * * *", "2026-10-24T22:00", "23:30 00:30"),
    "three-hours-forward-is-a-correction-casey": ("Antarctica/Casey", "30 1 * * *", "2020-10-03T14:00", ""),
    "three-hours-back-is-not-doubled-casey": ("Antarctica/Casey", "30 22 * * *", "2021-03-13T10:00", "11:30"),
    "a-skipped-day-is-a-correction-apia": ("Pacific/Apia", "30 12 * * *", "2011-12-30T04:00", ""),
    "the-day-after-a-skipped-day-begins-apia": ("Pacific/Apia", "0 0 * * *", "2011-12-30T08:00", "10:00"),
    "a-new-standard-offset-caracas": ("America/Caracas", "45 2 * * *", "2016-05-01T05:00", "07:00"),
    "half-an-hour-back-pyongyang": ("Asia/Pyongyang", "45 23 * * *", "2015-08-14T12:00", "14:45"),
    "summer-time-ends-for-a-month-casablanca": ("Africa/Casablanca", "30 2 * * *", "2027-02-07T00:00", "01:30"),
}  # fmt: skip


@pytest.mark.parametrize(("zone", "expression", "start", "expected"), TABLE.values(), ids=TABLE)
def test_a_moved_clock_is_treated_as_debian_cron_does(zone, expression, start, expected):
    begin = utc(start)
    slots = fires(compiled(expression, zone), begin, begin + 6 * HOUR)
    assert [f"{second // HOUR % 24:02}:{second // MINUTE % 60:02}" for second in slots] == expected.split()


@pytest.mark.parametrize(
    ("expression", "start", "rule", "expected"),
    [
        pytest.param("30 2 * * *", "2027-03-28T00:00", {"gap": "skip"}, [], id="gap-skipped"),
        pytest.param("30 2,4 * * *", "2027-03-28T00:00", {"gap": "skip"}, ["02:30"], id="only-the-gap-is-skipped"),
        pytest.param("*/30 2 * * *", "2027-03-28T00:00", {"gap": "skip"}, [], id="wildcards-never-had-one"),
        pytest.param("30 2 * * *", "2026-10-24T23:00", {"repeat": "twice"}, ["00:30", "01:30"], id="twice"),
        pytest.param("30 * * * *", "2026-10-25T00:00", {}, ["00:30", "01:30", "02:30", "03:30"], id="wildcard"),
    ],
)  # fmt: skip
def test_a_job_may_choose_its_own_rule_for_fixed_times(expression, start, rule, expected):
    begin = utc(start)
    slots = fires(compiled(expression, BERLIN, **rule), begin, begin + 4 * HOUR)
    assert [f"{second // HOUR % 24:02}:{second // MINUTE % 60:02}" for second in slots] == expected


def expressions(second: int, before: int, after: int) -> list[str]:
    """What is worth asking around one transition: times at, in, before and behind the gap or repeat."""
    low, high = sorted((before, after))
    edge, past = (second + low) // MINUTE, (second + high) // MINUTE
    middle = (edge + past) // 2

    def at(wall: int) -> tuple[int, int]:
        return wall % 60, wall // 60 % 24

    minute, hour = at(middle)
    today = date(1970, 1, 1) + timedelta(days=(second + before) // DAY)
    weekday = today.isoweekday() % 7
    return [
        f"{minute} {hour} * * *",
        "{} {} * * *".format(*at(edge)),
        "{} {} * * *".format(*at(edge - 1)),
        "{} {} * * *".format(*at(past)),
        "{} {} * * *".format(*at(past - 1)),
        f"0,10,20,30,40,50 {hour} * * *",
        f"5-55/25 {(hour - 1) % 24},{hour},{(hour + 1) % 24} * * *",
        f"* {hour} * * *",
        f"*/7 {hour},{(hour + 3) % 24} * * *",
        f"{minute} * * * *",
        f"{minute} */2 * * *",
        "*/25 * * * *",
        f"{minute} {hour} {today.day} * *",
        f"{minute} {hour} {today.day} {today.month} {(weekday + 3) % 7}",
        f"{minute} {hour} */2 * {weekday}",
        "0 0 * * *",
        "59 23 * * *",
        f"{minute} {hour} * * {weekday}",
        f"0-59 {hour} * * *",
    ]


def of_ten_years() -> list[tuple[str, int, int, int]]:
    """(zone, second, before, after) of every zone's transitions; one zone for each distinct one unless FULL."""
    found: dict[object, tuple[str, int, int, int]] = {}
    start, end = TEN_YEARS
    for name in sorted(available_timezones() - {"localtime"}):
        for second, before, after in transitions(ZoneInfo(name), start, end, HOUR if FULL else 3 * DAY):
            kind = (second, before, after, name if FULL else None)
            found.setdefault(kind, (name, second, before, after))
    return list(found.values())


def check_transition(zone: str, second: int, before: int, after: int, asked: list[str]) -> list[str]:
    """What differs from the minute scan around it: the slots, the latest of them, their number."""
    start, end = second - REACH, second + REACH
    clock = walls(ZoneInfo(zone), start, end)
    wrong: list[str] = []
    for number, expression in enumerate(asked):
        gap, repeat = RULES[(number + second // HOUR) % len(RULES)] if number % 3 == 0 else RULES[0]
        expected = scan(Crontab(expression), clock, gap, repeat)
        schedule = compiled(expression, zone, gap, repeat)
        told = f"{zone} {second} {before}->{after} {expression} {gap} {repeat}"
        if fires(schedule, clock[0][0], end) != expected:
            wrong.append(f"{told}: slots")
        for now in (second - 1, second, second + 30 * MINUTE, second + HOUR, second + 4 * HOUR):
            seen = bisect_right(expected, now)
            latest = schedule.latest_through(now * SECOND, after=clock[0][0] * SECOND - 1, anchor=0)
            if (None if latest is None else latest // SECOND) != (expected[seen - 1] if seen else None):
                wrong.append(f"{told}: latest through {now}")
            if schedule.count(after=clock[0][0] * SECOND - 1, through=now * SECOND, anchor=0) != seen:
                wrong.append(f"{told}: count through {now}")
    return wrong


@pytest.mark.timeout(0 if FULL else 60)
def test_every_transition_of_ten_years_agrees_with_a_scan_of_every_minute():
    wrong: list[str] = []
    checked = 0
    for index, (zone, second, before, after) in enumerate(of_ten_years()):
        asked = expressions(second, before, after)
        if not FULL:
            asked = asked[index % 3 :: 3]
        wrong += check_transition(zone, second, before, after, asked)
        checked += len(asked)
    assert not wrong, "\n".join(wrong[:20])
    assert checked > (70_000 if FULL else 3000)


@pytest.mark.timeout(0 if FULL else 60)
def test_the_eras_of_every_zone_are_those_of_zoneinfo():
    start, end = TEN_YEARS
    for name in sorted(available_timezones() - {"localtime"}):
        zone, found, second = find_zone(name), [], start
        while second < end:
            era = zone.era(second)
            assert era.start <= second < era.end
            if era.before != era.offset and era.start >= start:
                found.append((era.start, era.before, era.offset))
            second = era.end
        assert sorted(set(found)) == list(transitions(ZoneInfo(name), start, end, HOUR if FULL else 5 * DAY)), name


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        pytest.param("Pacific/Apia", "2011-12-01", "2012-01-31", id="skipped-day"),
        pytest.param("Pacific/Kwajalein", "1993-08-01", "1993-09-15", id="skipped-day-after-noon"),
        pytest.param("Antarctica/Casey", "2020-09-01", "2021-04-30", id="three-hours"),
        pytest.param("Antarctica/Vostok", "1994-01-01", "1994-12-01", id="seven-hours"),
        pytest.param("Asia/Pyongyang", "2015-08-01", "2018-06-01", id="half-hours"),
        pytest.param("America/Noronha", "2000-09-01", "2000-12-01", id="summer-time-for-a-week"),
        pytest.param("Asia/Gaza", "2040-09-01", "2040-12-01", id="winter-time-for-a-week"),
    ],
)
def test_odd_transitions_outside_the_ten_years_agree_too(zone, start, end):
    found = list(transitions(ZoneInfo(zone), utc(start), utc(end), DAY))
    assert found
    for second, before, after in found:
        assert check_transition(zone, second, before, after, expressions(second, before, after)[::2]) == []


@pytest.mark.parametrize("block", [25 * MINUTE, 3 * HOUR, DAY], ids=["25-minutes", "3-hours", "a-day"])
@pytest.mark.parametrize("zone", [BERLIN, LORD_HOWE, "Antarctica/Troll", "Africa/Cairo"])
def test_where_the_lookup_of_a_zone_is_cut_makes_no_difference(zone, block, monkeypatch):
    monkeypatch.setattr("specs.zones._BLOCK", block)
    cut = Zone(zone, ZoneInfo(zone))
    for second, before, after in transitions(ZoneInfo(zone), utc("2026-01-01"), utc("2027-01-01"), DAY):
        start, end = second - 5 * HOUR, second + 5 * HOUR
        clock = walls(ZoneInfo(zone), start, end)
        for expression in expressions(second, before, after)[:8]:
            cron = parse_cron(expression, "default/job")
            slots = CronSlots(cron.times, cut, cron.fixed)
            expected = scan(Crontab(expression), clock)
            found, at = [], slots.next_after(start * SECOND - 1, 0)
            while at is not None and at < end * SECOND:
                found.append(at // SECOND)
                at = slots.next_after(at, 0)
            assert found == expected, expression
            latest = slots.latest_through(end * SECOND - 1, start * SECOND - 1, 0)
            assert latest == (expected[-1] * SECOND if expected else None), expression
            assert slots.count(start * SECOND - 1, end * SECOND - 1, 0) == len(expected), expression


@pytest.mark.parametrize("days", range(31, 47, 2))
def test_a_summer_time_of_one_week_is_seen_wherever_the_lookup_begins(days, monkeypatch):
    monkeypatch.setattr("specs.zones._BLOCK", days * DAY)
    zone = Zone("America/Noronha", ZoneInfo("America/Noronha"))
    assert zone.offset(utc("2000-10-12")) == -HOUR
    assert [zone.era(utc(day)).offset for day in ("2000-10-01", "2000-10-12", "2000-10-20")] == [-7200, -HOUR, -7200]
