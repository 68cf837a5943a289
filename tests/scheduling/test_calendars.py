"""Calendars: which instants are inside, when that changes, and what several of them leave open together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.calendar import Calendars, JobCalendar, WindowSet, compile_calendar
from specs.expression import ScheduleError
from specs.kinds import Calendar
from specs.zones import Zone, rfc3339
from tests.scheduling import calendar_scan
from tests.scheduling.minute_scan import transitions, utc

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400
BERLIN = "Europe/Berlin"
ZONES = ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago",
         "Antarctica/Troll", "Asia/Kathmandu", "America/Havana", "Pacific/Apia", "America/St_Johns"]  # fmt: skip


def model(**fields: Any) -> Calendar:
    return Calendar.model_validate({"kind": "Calendar", "name": "nights"} | fields)


def compiled(zone: str = BERLIN, **fields: Any) -> WindowSet:
    return compile_calendar(model(**fields), zone)


def at(text: str) -> int:
    return utc(text) * SECOND


def changes(windows: WindowSet, start: str, number: int) -> list[str]:
    found: list[str] = []
    t = at(start)
    while len(found) < number and (change := windows.next_change(t)) is not None:
        assert windows.contains(change) is not windows.contains(change - 1)
        found.append(rfc3339(change)[:16])
        t = change
    return found


def window(days: str | None = None, begin: str | None = None, end: str | None = None) -> dict[str, str]:
    return {key: value for key, value in (("days", days), ("from", begin), ("to", end)) if value is not None}


TABLE = {
    # id: (dates, windows, from when, the changes that follow, in UTC; Berlin is one hour ahead, two in summer)
    "a-day": (["2026-12-24"], [], "2026-11-21T00:00", "2026-12-23T23:00 2026-12-24T23:00"),
    "days-both-ends-count": (["2026-12-24..2027-01-02"], [], "2026-11-21T00:00", "2026-12-23T23:00 2027-01-02T23:00"),
    "days-that-touch": (["2026-12-25", "2026-12-24", "2026-12-26..2026-12-27"], [], "2026-11-21T00:00",
        "2026-12-23T23:00 2026-12-27T23:00"),
    "every-year": (["12-25"], [], "2026-12-25T12:00", "2026-12-25T23:00 2027-12-24T23:00 2027-12-25T23:00"),
    "every-year-over-new-year": (["12-30..01-02"], [], "2026-12-31T12:00",
        "2027-01-02T23:00 2027-12-29T23:00 2028-01-02T23:00"),
    "leap-day": (["02-29"], [], "2026-12-25T12:00", "2028-02-28T23:00 2028-02-29T23:00 2032-02-28T23:00"),
    "leap-day-over-2100": (["02-29"], [], "2096-03-01T12:00", "2104-02-28T23:00 2104-02-29T23:00"),
    "from-leap-day-in-a-common-year": (["02-29..03-01"], [], "2026-12-25T12:00", "2027-02-28T23:00 2027-03-01T23:00"),
    "end-of-february-in-a-common-year": (["02-28..02-29"], [], "2026-12-25T12:00", "2027-02-27T23:00 2027-02-28T23:00"),
    "end-of-february-in-a-leap-year": (["02-28..02-29"], [], "2027-12-25T12:00", "2028-02-27T23:00 2028-02-29T23:00"),
    "daily": ([], [window(None, "09:00", "17:00")], "2026-11-21T00:00",
        "2026-11-21T08:00 2026-11-21T16:00 2026-11-22T08:00"),
    "whole-days": ([], [window("mon-fri")], "2026-11-21T00:00", "2026-11-22T23:00 2026-11-27T23:00 2026-11-29T23:00"),
    "over-the-weekend": ([], [window("sat-mon")], "2026-11-18T00:00", "2026-11-20T23:00 2026-11-23T23:00"),
    "until-noon": ([], [window("sat", None, "12:00")], "2026-11-18T00:00", "2026-11-20T23:00 2026-11-21T11:00"),
    "from-noon": ([], [window("sat", "12:00")], "2026-11-18T00:00", "2026-11-21T11:00 2026-11-21T23:00"),
    "to-midnight-as-zero": ([], [window("sat", "12:00", "00:00")], "2026-11-18T00:00",
        "2026-11-21T11:00 2026-11-21T23:00"),
    "over-midnight-belongs-to-the-day-it-begins": ([], [window("fri", "22:00", "06:00")], "2026-11-18T00:00",
        "2026-11-20T21:00 2026-11-21T05:00 2026-11-27T21:00"),
    "over-midnight-on-sunday": ([], [window("sun", "22:00", "6:00")], "2026-11-18T00:00",
        "2026-11-22T21:00 2026-11-23T05:00 2026-11-29T21:00"),
    "windows-that-touch": ([], [window("sat", "12:00"), window("sun", None, "03:00")], "2026-11-18T00:00",
        "2026-11-21T11:00 2026-11-22T02:00"),
    "dates-and-windows": (["2026-11-27"], [window("fri", "22:00", "06:00")], "2026-11-21T12:00",
        "2026-11-26T23:00 2026-11-28T05:00"),
    "spring-night-is-shorter": ([], [window("sat", "22:00", "06:00")], "2027-03-27T12:00",
        "2027-03-27T21:00 2027-03-28T04:00"),
    "autumn-night-is-longer": ([], [window("sat", "22:00", "06:00")], "2026-10-24T12:00",
        "2026-10-24T20:00 2026-10-25T05:00"),
    "a-window-in-the-gap-does-not-happen": ([], [window("sun", "02:00", "03:00")], "2027-03-27T12:00",
        "2027-04-04T00:00 2027-04-04T01:00"),
    "a-window-that-begins-in-the-gap-begins-after-it": ([], [window("sun", "02:30", "04:00")], "2027-03-27T12:00",
        "2027-03-28T01:00 2027-03-28T02:00"),
    "a-window-that-ends-in-the-gap-ends-with-it": ([], [window("sun", "01:00", "02:30")], "2027-03-27T12:00",
        "2027-03-28T00:00 2027-03-28T01:00"),
    "a-window-in-the-repeat-happens-twice": ([], [window("sun", "02:00", "02:30")], "2026-10-24T12:00",
        "2026-10-25T00:00 2026-10-25T00:30 2026-10-25T01:00 2026-10-25T01:30"),
    "a-window-that-is-the-repeat-lasts-both-hours": ([], [window("sun", "02:00", "03:00")], "2026-10-24T12:00",
        "2026-10-25T00:00 2026-10-25T02:00"),
    "never-again": (["2026-11-01"], [], "2026-11-21T12:00", ""),
    "always": ([], [window()], "2026-11-21T12:00", ""),
    "always-in-two-halves": ([], [window("mon-thu"), window("fri,sat,sun")], "2026-11-21T12:00", ""),
    "every-day-of-the-year": (["01-01..06-30", "07-01..12-31"], [], "2026-11-21T12:00", ""),
    "always-together": (["01-01..06-30", "07-02..12-31", "07-01"], [window("mon-fri")], "2026-11-21T12:00", ""),
    "always-by-dates-and-windows": (["01-02..12-30"], [window("mon-fri"), window("sat,sun")], "2026-11-21T12:00", ""),
    "only-leap-sundays-are-out": (["01-01..02-28", "03-01..12-31"], [window("mon-sat")], "2026-11-21T12:00",
        "2032-02-28T23:00 2032-02-29T23:00"),
    "nothing": ([], [], "2026-11-21T12:00", ""),
}  # fmt: skip


@pytest.mark.parametrize(("dates", "windows", "start", "expected"), TABLE.values(), ids=TABLE)
def test_a_calendar_changes_when_the_wall_clock_says_so(dates, windows, start, expected):
    calendar = compiled(dates=dates, windows=windows)
    number = len(expected.split()) or 1
    assert changes(calendar, start, number) == expected.split()


def test_a_clock_set_back_over_midnight_reads_the_day_before_again():
    calendar = compiled("America/St_Johns", dates=["2010-11-06"])
    assert changes(calendar, "2010-11-06T12:00", 3) == ["2010-11-07T02:30", "2010-11-07T02:31", "2010-11-07T03:30"]
    assert calendar.next_change(at("2010-11-07T03:30")) is None


def test_a_clock_moved_by_seconds_changes_the_calendar_at_the_second_it_was_moved():
    """Monrovia gave up UTC-0:44:30 at midnight of 7 January 1972, a Friday: 00:00:00 became 00:44:30."""
    calendar = compiled("Africa/Monrovia", windows=[window("fri", "00:44", "01:00")])
    moved = at("1972-01-07T00:44") + 30 * SECOND
    assert calendar.next_change(moved - DAY * SECOND) == moved
    assert calendar.next_change(moved) == at("1972-01-07T01:00")


DAYS = st.sampled_from([None, "mon-fri", "sat,sun", "sun", "fri-mon", "sat", "mon,wed-thu", "sun-tue"])
TIMES = st.tuples(
    st.sampled_from(["00:00", "00:30", "01:00", "02:00", "02:15", "03:00", "13:00", "22:00", "23:59"]),
    st.sampled_from(["00:00", "00:30", "01:30", "02:00", "02:45", "03:00", "04:00", "12:00", "24:00"]),
).filter(lambda pair: pair[0] != pair[1])
WINDOWS = st.lists(
    st.one_of(
        st.builds(lambda days, times: window(days, *times), DAYS, TIMES),
        st.builds(lambda days: window(days), DAYS),
        st.builds(lambda days, times: window(days, times[0]), DAYS, TIMES),
    ),
    max_size=3,
)


def dates_around(second: int) -> st.SearchStrategy[list[str]]:
    """Days near a change of the clock, where they matter, in every form."""
    days = st.integers(-3, 3).map(lambda shift: datetime.fromtimestamp(second + shift * DAY, UTC).strftime("%Y-%m-%d"))
    spans = st.tuples(days, days).map(sorted).map("..".join)
    yearly_span = st.tuples(days, days).map(lambda pair: f"{pair[0][5:]}..{pair[1][5:]}")
    return st.lists(st.one_of(days, spans, days.map(lambda day: day[5:]), yearly_span), max_size=2)


@st.composite
def situations(draw, many: bool = False):
    """A zone, calendars, and every minute of the hours around a change of its clock with what it reads."""
    zone = draw(st.sampled_from(ZONES))
    info = ZoneInfo(zone)
    found = list(transitions(info, utc("2005-01-01"), utc("2027-01-01"), 5 * DAY)) or [(utc("2024-02-29"), 0, 0)]
    middle = found[draw(st.integers(0, 50)) % len(found)][0]
    start = middle - draw(st.integers(60, 20 * 60)) * MINUTE
    clock = [(second, datetime.fromtimestamp(second, info)) for second in range(start, start + 24 * HOUR, MINUTE)]
    modes, actions = st.sampled_from(["block", "allow"]), st.sampled_from(["skip", "defer"])
    documents = [
        {"dates": draw(dates_around(middle)), "windows": draw(WINDOWS), "mode": draw(modes), "action": draw(actions)}
        for _ in range(draw(st.integers(1, 3)) if many else 1)
    ]
    for document in documents:
        if not document["dates"] and not document["windows"]:
            document["mode"] = "block"
    return zone, documents, clock


def flips(truth: list[bool]) -> list[int]:
    return [index for index, (before, after) in enumerate(pairwise(truth), 1) if before is not after]


@settings(derandomize=True, max_examples=80, deadline=None)
@given(situations())
def test_around_moved_clocks_it_is_what_a_scan_of_every_minute_reads(situation):
    zone, (document,), clock = situation
    calendar = compiled(zone, **document)
    truth = [calendar_scan.inside(document, wall) for _, wall in clock]
    told = [calendar.contains(second * SECOND + 59_999_999) for second, _ in clock]
    assert told == truth
    places = flips(truth)
    for index in range(0, len(clock), 97):
        expected = next((place for place in places if place > index), None)
        found = calendar.next_change(clock[index][0] * SECOND + 1)
        if expected is not None:
            assert found == clock[expected][0] * SECOND
            assert calendar.next_change(found - 1) == found, "and right before"
        else:
            assert found is None or found > clock[-1][0] * SECOND


DATES = st.builds(
    lambda day, year: f"{year}-{day}" if year else day,
    st.sampled_from(["01-01", "02-28", "02-29", "03-01", "06-30", "12-24", "12-31"]),
    st.sampled_from(["", "2024", "2028"]),
)
YEARLY_SPANS = st.sampled_from(["12-24..01-02", "02-28..03-01", "02-29..03-01", "02-20..02-29", "03-01..02-28"])


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.lists(DATES | YEARLY_SPANS, min_size=1, max_size=4),
    st.sampled_from(["mon-fri", "sun", None]),
    st.integers(0, 4000),
)
def test_over_years_it_is_what_a_scan_of_every_day_reads(dates, days, first):
    document = {"dates": dates, "windows": [] if days is None else [window(days)]}
    calendar = compiled("UTC", **document)
    start = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=first)
    truth = [calendar_scan.inside(document, start + timedelta(days=day)) for day in range(1200)]
    begin = int(start.timestamp()) * SECOND
    assert [calendar.contains(begin + day * DAY * SECOND) for day in range(1200)] == truth
    found, t = [], begin
    while (change := calendar.next_change(t)) is not None and change < begin + 1200 * DAY * SECOND:
        found.append((change - begin) // SECOND)
        t = change
    assert found == [day * DAY for day in flips(truth)]


def combined(zone: str, documents: list[dict[str, Any]]) -> Calendars:
    members = []
    for number, document in enumerate(documents):
        calendar = model(**document)
        members.append(JobCalendar(f"c{number}", calendar.mode, calendar.action, compile_calendar(calendar, zone)))
    return Calendars(tuple(members))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(situations(many=True), st.lists(st.integers(0, 24 * 60 - 1), min_size=2, max_size=12))
def test_what_was_asked_before_does_not_change_an_answer(situation, minutes):
    zone, documents, clock = situation
    asked_often = combined(zone, documents)
    for minute in minutes:
        t = clock[minute][0] * SECOND + minute
        assert asked_often.next_open(t) == combined(zone, documents).next_open(t)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(situations(many=True))
def test_several_calendars_are_open_when_each_of_them_is(situation):
    zone, documents, clock = situation
    calendars = combined(zone, documents)
    truth = [[calendar_scan.is_open(document, wall) for document in documents] for _, wall in clock]
    for index in range(0, len(clock), 131):
        t = clock[index][0] * SECOND + 5
        assert calendars.open_at(t) is all(truth[index])
        shut = [(f"c{n}", documents[n]["action"]) for n, is_open in enumerate(truth[index]) if not is_open]
        skipping = [each for each in shut if each[1] == "skip"]
        assert calendars.blocked_by(t) == next(iter(skipping + shut), None)
        opening = calendars.next_open(t)
        later = next((place for place in range(index + 1, len(clock)) if all(truth[place])), None)
        if not shut:
            assert opening == t
        elif later is not None:
            assert opening == clock[later][0] * SECOND
        else:
            assert opening is None or opening > clock[-1][0] * SECOND


def test_a_job_without_calendars_is_always_open():
    nothing = Calendars(())
    assert (nothing.open_at(5), nothing.blocked_by(5), nothing.next_open(5)) == (True, None, 5)


def test_calendars_that_shut_each_other_out_are_given_up_after_ten_years(monkeypatch):
    looked: list[int] = []
    real = Zone.era
    monkeypatch.setattr(Zone, "era", lambda self, second: looked.append(second) or real(self, second))
    mornings = {"mode": "allow", "windows": [window(None, "09:00", "10:00")]}
    evenings = {"mode": "allow", "windows": [window(None, "19:00", "20:00")]}
    calendars = combined(BERLIN, [mornings, evenings])
    assert calendars.next_open(at("2026-11-21T00:00")) is None
    assert len(looked) < 60_000
    looked.clear()
    for day in range(1, 30):
        assert calendars.next_open(at("2026-11-21T00:00") + day * DAY * SECOND) is None
    assert len(looked) < 2000, "the search goes on where the last one ended"
    past = combined(BERLIN, [{"mode": "allow", "dates": ["2026-01-01"]}])
    assert past.next_open(at("2026-11-21T00:00")) is None


def test_instants_outside_of_time_are_answered():
    calendar = compiled(dates=["12-24"], windows=[window("mon-fri", "22:00", "06:00")])
    assert calendar.contains(-(10**18)) is calendar.contains(0)
    assert calendar.next_change(-(10**18)) is not None
    assert calendar.next_change(10**19) is None
    calendar.contains(10**19)


REFUSED = {
    # id: (fields, the place, what is underlined, message, help)
    "zone": ({"timezone": "Mars/Base"}, ("timezone",), None, "no time zone", "IANA"),
    "allows-nothing": ({"mode": "allow"}, ("mode",), None, "allows no time", "windows"),
    "no-date": ({"dates": ["soon"]}, ("dates", 0), "soon", "not a date", "2026-12-24"),
    "no-second-date": ({"dates": ["2026-12-24", "12-24..soon"]}, ("dates", 1), "soon", "not a date", None),
    "open-end": ({"dates": ["2026-12-24.."]}, ("dates", 0), "2026-12-24..", "not a date", None),
    "empty": ({"dates": [""]}, ("dates", 0), "", "not a date", None),
    "three-dots": ({"dates": ["12-24...12-26"]}, ("dates", 0), ".12-26", "not a date", None),
    "no-such-day": ({"dates": ["2026-02-30"]}, ("dates", 0), "2026-02-30", "no day 2026-02-30", None),
    "no-such-month": ({"dates": ["01-01..13-01"]}, ("dates", 0), "13-01", "no day 13-01", "year, month, day"),
    "no-leap-year": ({"dates": ["2026-02-29"]}, ("dates", 0), "2026-02-29", "no leap year", None),
    "leap-hundred": ({"dates": ["2100-02-29"]}, ("dates", 0), "2100-02-29", "no leap year", None),
    "backwards": (
        {"dates": ["2027-01-02..2026-12-24"]},
        ("dates", 0),
        "2027-01-02..2026-12-24",
        "backwards",
        "earlier",
    ),
    "year-on-one-side": ({"dates": ["2026-12-24..01-02"]}, ("dates", 0), "2026-12-24..01-02", "one side", None),
    "too-early": ({"dates": ["1969-12-31"]}, ("dates", 0), "1969-12-31", "too far away", "1970"),
    "too-late": ({"dates": ["9000-01-01"]}, ("dates", 0), "9000-01-01", "too far away", "8999"),
    "other-digits": ({"dates": ["\u0661\u0662-24"]}, ("dates", 0), "\u0661\u0662-24", "not a date", None),
    "no-time": ({"windows": [window(None, "9pm")]}, ("windows", 0, "from"), "9pm", "not a time", "23:59"),
    "no-minute": ({"windows": [window(None, None, "09:60")]}, ("windows", 0, "to"), "09:60", "not a time", "24:00"),
    "begins-at-24": ({"windows": [window(None, "24:00")]}, ("windows", 0, "from"), "24:00", "not a time", "23:59"),
    "ends-after-24": ({"windows": [window(None, "09:00", "24:01")]}, ("windows", 0, "to"), "24:01", "not a time", None),
    "no-length": (
        {"windows": [window(None, "09:00", "9:00")]},
        ("windows", 0, "to"),
        None,
        "ends when it begins",
        None,
    ),
    "no-length-at-midnight": (
        {"windows": [window(None, None, "00:00")]},
        ("windows", 0, "to"),
        None,
        "ends when",
        None,
    ),
    "no-day": (
        {"windows": [window("mon-fri"), window("mon,funday")]},
        ("windows", 1, "days"),
        "funday",
        "not a day",
        None,
    ),
    "no-range": ({"windows": [window("mon-")]}, ("windows", 0, "days"), "mon-", "not a day or a range", "mon-fri"),
    "range-of-one": ({"windows": [window("mon-mon")]}, ("windows", 0, "days"), "mon-mon", "not a day or a range", None),
    "group-in-a-range": (
        {"windows": [window("weekdays-sun")]},
        ("windows", 0, "days"),
        "weekdays-sun",
        "not a day",
        None,
    ),
    "empty-place": ({"windows": [window("mon,,tue")]}, ("windows", 0, "days"), "mon,,tue", "not a day", None),
}


@pytest.mark.parametrize(("fields", "loc", "underlined", "message", "help"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_at_its_place(fields, loc, underlined, message, help):
    with pytest.raises(ScheduleError) as caught:
        compiled(**fields)
    error = caught.value
    value: Any = fields
    for step in loc:
        value = value[step]
    assert (error.field, *error.loc) == loc
    assert message in error.message
    assert (None if error.start is None else value[error.start : error.end]) == underlined
    assert help is None or help in (error.help or "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mon-fri", "weekdays"), ("sat,sun", "weekends"), ("mon-fri", "Monday-Friday"), ("mon, tue ,WED", "mon-wed"),
        ("mon-fri,wed", "weekdays"), ("sun-tue", "mon,tue,sun"), ("mon-sun", None),
    ],
)  # fmt: skip
def test_days_have_several_spellings(one, other):
    assert compiled(windows=[window(one)]).weekly == compiled(windows=[window(other)]).weekly
