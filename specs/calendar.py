"""What a `Calendar` document means: at which instants its jobs may run.

Called by `specs.load` (is it sound?) and the reconciler (may this slot run, and if not, when?). Pure: reads no clock.
Instants are integer microseconds since the epoch, UTC; inside, walls are minutes since 1970-01-01 00:00 on the wall
clock of the zone. docs/calendars.md tells people the rules.

An instant is inside a calendar when the wall clock reads a date or time it names. So on the nights a clock is moved a
window is as long as the wall clock says: shorter by what is left out, and inside both times an hour is repeated.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from specs.expression import ScheduleError
from specs.frozen import frozen
from specs.slots import LAST_SECOND, SECOND
from specs.words import DAYS, GROUPS
from specs.zones import Zone, find_zone

Action = Literal["skip", "defer"]
Span = tuple[int, int]
"""Half open: the second number is the first that is no longer inside."""

_DAY, _WEEK = 1440, 7 * 1440
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MONDAY = 3 * _DAY
"""1970-01-01 was a Thursday: add this to a wall, and the remainder of a week is 0 on Monday 00:00."""
_NEVER = 1 << 60
_HORIZON = 50 * 366 * 86_400
"""Seconds. Weekdays and dates of the year repeat within 40 years: what has not changed by then never will."""
_SEARCH = 10 * 366 * 86_400 * SECOND
"""How far ahead calendars that shut each other out are searched for an instant that all of them leave open."""
_LEAP_DAY = 59
"""Days of a year are counted as in a leap year, from 0: 29 February is 59, 31 December 365."""
_BEFORE_MONTH = (0, 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335)
_LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATE = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_DATE_FORMS = "like 2026-12-24, 2026-12-24..2027-01-02, 12-25 for every year, or 12-24..01-02"


@frozen
class WindowSet:
    """The instants inside a calendar's dates and windows. Each tuple is in order, its spans apart from each other."""

    zone: Zone
    dates: tuple[Span, ...]
    """Days since the epoch."""
    yearly: tuple[Span, ...]
    """Days of a leap year, from 0."""
    weekly: tuple[Span, ...]
    """Minutes since Monday 00:00."""

    def contains(self, t: int) -> bool:
        """Is this instant inside?"""
        second = min(max(t // SECOND, 0), LAST_SECOND)
        return self._is_inside((second + self.zone.era(second).offset) // 60)

    def next_change(self, t: int) -> int | None:
        """The first instant after `t` at which `contains` changes; None when it never does (for 50 years)."""
        second = start = max(t // SECOND, 0)
        end = min(start + _HORIZON, LAST_SECOND)
        inside = self.contains(t)
        known, flip = 0, -1  # no wall in [known, flip) differs from `inside`
        while second < end:
            era = self.zone.era(second)
            wall = (second + era.offset) // 60
            if not known <= wall <= flip:
                known, flip = wall, self._flip(wall, inside)
            at = max(second, flip * 60 - era.offset)
            if at < era.end:
                return at * SECOND
            if flip == _NEVER and second > start + 2 * 86_400:
                return None  # a clock that is set back reads no wall from before `start` any more
            second = era.end
        return None

    def _is_inside(self, wall: int) -> bool:
        return self._end(wall) > wall

    def _flip(self, wall: int, inside: bool) -> int:
        """The first wall from `wall` on that is not inside, or that is: the opposite of `inside`."""
        if not inside:
            return wall if self._is_inside(wall) else self._next_begin(wall)
        limit = wall + _HORIZON // 60
        while (end := self._end(wall)) > wall:
            if end > limit:
                return _NEVER
            wall = end
        return wall

    def _end(self, wall: int) -> int:
        """The last end of the spans that hold `wall`; `wall` itself when none does."""
        day = wall // _DAY
        end = _end_of(self.dates, day) * _DAY
        if self.yearly:
            year, first = _year_of(day)
            day_of_year = day - first
            day_of_year += day_of_year >= _LEAP_DAY and not _is_leap(year)
            after = _end_of(self.yearly, day_of_year)
            if after > day_of_year:
                end = max(end, (first + _days_before(year, after)) * _DAY if self.yearly != ((0, 366),) else _NEVER)
        minute = (wall + _MONDAY) % _WEEK
        after = _end_of(self.weekly, minute)
        if after > minute:
            end = max(end, wall - minute + after if self.weekly != ((0, _WEEK),) else _NEVER)
        return max(end, wall)

    def _next_begin(self, wall: int) -> int:
        """The first begin of a span after `wall`, which is in none."""
        day = wall // _DAY
        begins = [start for start, _ in self.dates[bisect_right(self.dates, (day, _NEVER)) :][:1]]
        begins += self._next_of_year(day)
        found = min(begins) * _DAY if begins else _NEVER
        if self.weekly:
            minute = (wall + _MONDAY) % _WEEK
            later = self.weekly[bisect_right(self.weekly, (minute, _NEVER)) :][:1]
            begin = later[0][0] if later else self.weekly[0][0] + _WEEK
            found = min(found, wall - minute + begin)
        return found

    def _next_of_year(self, day: int) -> list[int]:
        if not self.yearly:
            return []
        year, first = _year_of(day)
        for _ in range(10):  # 29 February comes within eight years
            for start, end in self.yearly:
                begin = first + _days_before(year, start)
                if begin > day and begin < first + _days_before(year, end):
                    return [begin]
            first += 365 + _is_leap(year)
            year += 1
        return []


class Window(Protocol):
    """`specs.kinds.Window`, `specs.stored.StoredWindow`."""

    @property
    def days(self) -> str | None: ...
    @property
    def from_(self) -> str | None: ...
    @property
    def to(self) -> str | None: ...


class Calendar(Protocol):
    """`specs.kinds.Calendar`, or `specs.stored.StoredCalendar`, which needs no pydantic."""

    @property
    def timezone(self) -> str | None: ...
    @property
    def mode(self) -> Literal["block", "allow"]: ...
    @property
    def dates(self) -> Sequence[str]: ...
    @property
    def windows(self) -> Sequence[Window]: ...


def compile_calendar(model: Calendar, default_timezone: str) -> WindowSet:
    """The times of a calendar.

    Raises ScheduleError; its `field` and `loc` together are the place in the document, as (`dates`, 2) or
    (`windows`, 0, `from`).
    """
    try:
        zone = find_zone(model.timezone or default_timezone)
    except ScheduleError as error:
        error.field = "timezone"
        raise
    if model.mode == "allow" and not model.dates and not model.windows:
        raise ScheduleError(
            "this calendar allows no time at all",
            help="name `dates` or `windows`, or write `mode: block`",
            field="mode",
        )
    dates: list[Span] = []
    yearly: list[Span] = []
    weekly: list[Span] = []
    for index, text in enumerate(model.dates):
        try:
            _read_dates(text, dates, yearly)
        except ScheduleError as error:
            raise _in_field(error, "dates", index) from None
    for index, window in enumerate(model.windows):
        try:
            weekly += _read_window(window)
        except ScheduleError as error:
            raise _in_field(error, "windows", index) from None
    return WindowSet(zone, _merged(dates), _merged(yearly), _merged(weekly))


@frozen
class JobCalendar:
    """One of the calendars a job names."""

    name: str
    mode: Literal["block", "allow"]
    action: Action
    times: WindowSet

    def open_at(self, t: int) -> bool:
        """May its jobs run at this instant?"""
        return self.times.contains(t) is (self.mode == "allow")


@dataclass(slots=True)
class Calendars:
    """All calendars of a job, in its order. A job may run inside every `allow` one and outside every `block` one."""

    members: tuple[JobCalendar, ...]
    _shut: tuple[int, int] = field(default=(0, 0), compare=False, repr=False)
    """[begin, end): nothing in it is open. Found by the last search: asking for each slot of a freeze costs one search,
    and calendars that shut each other out for ever (60 ms for ten years) are not searched twice."""

    def open_at(self, t: int) -> bool:
        """May the job run at this instant?"""
        return all(member.open_at(t) for member in self.members)

    def blocked_by(self, t: int) -> tuple[str, Action] | None:
        """The name and action of the calendar that forbids this instant; None when it is open.

        Of several, the first that says `skip`, else the first: a slot that one of them drops is not run later.
        """
        shut = [member for member in self.members if not member.open_at(t)]
        shut.sort(key=lambda member: member.action != "skip")
        return (shut[0].name, shut[0].action) if shut else None

    def next_change(self, t: int) -> int | None:
        """The first instant after `t` at which one of them opens or shuts; None: never again."""
        changes = (member.times.next_change(t) for member in self.members)
        return min((at for at in changes if at is not None), default=None)

    def next_open(self, t: int) -> int | None:
        """The first instant from `t` on at which the job may run; None when there is none within ten years."""
        begin, end = self._shut
        begin, at = (begin, end) if begin <= t < end else (t, t)
        found = False
        while at <= t + _SEARCH:
            changes = [member.times.next_change(at) for member in self.members if not member.open_at(at)]
            if not changes:
                found = True
                break
            if None in changes:
                break
            at = max(change for change in changes if change is not None)
        self._shut = (begin, at)
        return at if found else None


def _in_field(error: ScheduleError, field: str, index: int) -> ScheduleError:
    moved = error.below(index)
    moved.field = field
    return moved


def _read_dates(text: str, dates: list[Span], yearly: list[Span]) -> None:
    """Adds the days that one entry names to the list it belongs to."""
    first, dots, last = text.partition("..")
    first_year, first_day = _read_date(text, first, 0)
    last_year, last_day = _read_date(text, last, len(first) + 2) if dots else (first_year, first_day)
    whole = (0, len(text))
    if (first_year is None) is not (last_year is None):
        raise ScheduleError(f"`{text}` has a year on one side only", help=_DATE_FORMS, span=whole)
    if first_year is not None and last_year is not None:
        begin, end = (_ordinal(year, day) for year, day in ((first_year, first_day), (last_year, last_day)))
        if begin > end:
            raise ScheduleError(f"`{text}` runs backwards", help="the earlier date comes first", span=whole)
        dates.append((begin, end + 1))
    elif first_day <= last_day:
        yearly.append((first_day, last_day + 1))
    else:
        yearly += [(first_day, 366), (0, last_day + 1)]


def _read_date(whole: str, text: str, start: int) -> tuple[int | None, int]:
    """The year, if it names one, and the day of a leap year."""
    span = (start, start + len(text)) if text else (0, len(whole))
    found = _DATE.fullmatch(text)
    if found is None:
        raise ScheduleError(f"`{text or whole}` is not a date", help=_DATE_FORMS, span=span)
    year, month, day = None if found[1] is None else int(found[1]), int(found[2]), int(found[3])
    if not 1 <= month <= 12 or not 1 <= day <= _LENGTHS[month]:
        raise ScheduleError(f"there is no day {text}", help="it is year, month, day", span=span)
    if year is not None and not 1970 <= year < 9000:
        raise ScheduleError(f"`{text}` is too far away", help="a year from 1970 to 8999", span=span)
    if year is not None and (month, day) == (2, 29) and not _is_leap(year):
        raise ScheduleError(f"there is no day {text}: {year} is no leap year", span=span)
    return year, _BEFORE_MONTH[month] + day - 1


def _read_window(window: Window) -> list[Span]:
    """The minutes of the week, in up to two spans for each day."""
    begin = 0 if window.from_ is None else _read_time(window.from_, "from", 1439)
    end = _DAY if window.to is None else _read_time(window.to, "to", _DAY)
    if begin == end:
        raise ScheduleError(
            "this window ends when it begins", help="leave `from` and `to` out for whole days", loc=("to",)
        )
    if end < begin:
        end += _DAY
    spans: list[Span] = []
    for day in range(7) if window.days is None else _read_days(window.days):
        start, stop = day * _DAY + begin, day * _DAY + end
        spans += [(start, stop)] if stop <= _WEEK else [(start, _WEEK), (0, stop - _WEEK)]
    return spans


def _read_time(text: str, key: str, latest: int) -> int:
    found = _TIME.fullmatch(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else _NEVER
    if minutes > latest:
        help = f"00:00 to {latest // 60}:{latest % 60:02}, like 22:30"
        raise ScheduleError(f"`{text}` is not a time of day", help=help, loc=(key,), span=(0, len(text)))
    return minutes


def _read_days(text: str) -> list[int]:
    """Days from Monday, 0: `mon-fri`, `sat,sun`, `weekdays`. A range may run over the weekend, like `fri-mon`."""
    days: list[int] = []
    start = 0
    for term in text.split(","):
        first, dash, last = (part.strip().lower() for part in term.partition("-"))
        if first in GROUPS and not dash:
            days += [(day - 1) % 7 for day in GROUPS[first]]
        elif first in DAYS and (last in DAYS and DAYS[first] != DAYS[last] if dash else True):
            length = (DAYS[last] - DAYS[first]) % 7 + 1 if dash else 1
            days += [(DAYS[first] - 1 + step) % 7 for step in range(length)]
        else:
            raise ScheduleError(
                f"`{term.strip() or text}` is not a day or a range of days",
                help="like mon-fri, sat,sun, weekdays or weekends; leave it out for every day",
                loc=("days",),
                span=(start, start + len(term)) if term else (0, len(text)),
            )
        start += len(term) + 1
    return days


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same set, in order, with spans that touch made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _end_of(spans: tuple[Span, ...], at: int) -> int:
    """The end of the span that holds `at`; `at` when there is none."""
    place = bisect_right(spans, (at, _NEVER)) - 1
    return max(at, spans[place][1]) if place >= 0 else at


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _year_of(day: int) -> tuple[int, int]:
    """The year of a day since the epoch, and the first day of that year."""
    year = date.fromordinal(day + _EPOCH_DAY).year
    return year, date(year, 1, 1).toordinal() - _EPOCH_DAY


def _days_before(year: int, leap_day: int) -> int:
    """How many days of this year come before the day with that number in a leap year."""
    return leap_day - (leap_day > _LEAP_DAY and not _is_leap(year))


def _ordinal(year: int, leap_day: int) -> int:
    return date(year, 1, 1).toordinal() - _EPOCH_DAY + _days_before(year, leap_day)
