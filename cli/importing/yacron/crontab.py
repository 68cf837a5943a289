"""When yacron starts a job: the `crontab` library (parse-crontab), asked once a minute.

Called by `jobs`. Sources: josiahcarlson/parse-crontab, crontab/_crontab.py (`_Matcher`, `CronTab.test`);
gjcarneiro/yacron, yacron/cron.py (`job_should_run`: the wall clock of the job's zone, with its seconds set to 0). All
fields must match, both day fields too. Shares nothing with `specs`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from cli.importing.cronfields import Meaning
from cli.importing.imported import HORIZON_YEARS
from cli.importing.wallclock import WallClock

_SECOND, _MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY, _YEAR = range(7)
_NAMES = ("second", "minute", "hour", "day of month", "month", "day of week", "year")
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6), (1970, 2099))
_WORDS: dict[int, dict[str, int]] = {
    _MONTH: {
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
        "dec": 12,
    },
    _WEEKDAY: {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6},
}  # fmt: skip
_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class BadSchedule(Exception):
    """Raised when parse-crontab refuses a schedule. The text says why."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: which values match, and the members that depend on the month (`L`, `L5`, `Z3`)."""

    values: frozenset[int]
    monthly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Crontab:
    """A schedule that the library accepts."""

    fields: tuple[_Field, ...]
    """Second, minute, hour, day of month, month, day of week, year."""

    def meaning(self) -> Meaning | None:
        """What of it a cron of five fields can say; None for days counted from the end of a month, and for years."""
        seconds, minutes, hours, days, months, weekdays, years = self.fields
        if days.monthly or weekdays.monthly or len(years.values) < _RANGES[_YEAR][1] - _RANGES[_YEAR][0] + 1:
            return None
        due = minutes.values if 0 in seconds.values else frozenset[int]()
        return Meaning(due, hours.values, days.values, months.values, weekdays.values, both=True)

    def on(self, day: date) -> bool:
        """Does it match on this day?"""
        _, _, _, days, months, weekdays, years = self.fields
        return (
            day.year in years.values
            and day.month in months.values
            and _matches_day(days, day)
            and _matches_weekday(weekdays, day)
        )

    def times(self) -> Iterator[int]:
        """The minutes of a day at which it matches. yacron looks at second 0 only."""
        seconds, minutes, hours = self.fields[:3]
        if 0 in seconds.values:
            yield from (hour * 60 + minute for hour in hours.values for minute in minutes.values)


def parse(text: str) -> Crontab:
    """The meaning of five fields, six (a year last), seven (a second first), or an alias. Raises BadSchedule."""
    members = _ALIASES.get(text, text).split()
    if len(members) == 5:
        members = ["0", *members, "*"]
    elif len(members) == 6:
        members = ["0", *members]
    if len(members) != 7:
        raise BadSchedule(f"it has {len(members)} fields; yacron reads five, six with a year, seven with a second too")
    return Crontab(tuple(_field(which, member.lower()) for which, member in enumerate(members)))


def _field(which: int, text: str) -> _Field:
    low, high = _RANGES[which]
    values: set[int] = set()
    monthly: list[str] = []
    for member in text.split(","):
        if member == "*" or (member == "?" and which in (_DAY, _WEEKDAY)):
            return _Field(frozenset(range(low, high + 1)))
        if (which == _DAY and re.fullmatch(r"l|z[0-7](-[1-7])?", member)) or (
            which == _WEEKDAY and re.fullmatch(r"l[0-7](-[0-7])?", member)
        ):
            monthly.append(member)
        else:
            values |= _member(which, member)
    return _Field(frozenset(values), tuple(monthly))


def _member(which: int, text: str) -> set[int]:
    low, high = _RANGES[which]
    limit = 7 if which == _WEEKDAY else high
    base, slash, step_text = text.partition("/")
    step = 1
    if slash:
        if not re.fullmatch(r"[0-9]{1,4}", step_text) or not 0 < int(step_text) <= limit:
            raise BadSchedule(f"`{text}`: a step of a {_NAMES[which]} is 1 to {limit}")
        step = int(step_text)
    if "-" in base:
        first, _, last = base.partition("-")
        start, end = _number(which, first, limit), _number(which, last, limit)
        if which == _WEEKDAY and end == 0:
            end = 7
    elif base == "*":
        start, end = low, high
    else:
        start = _number(which, base, limit)
        end = high if slash else start
    if start > end:
        raise BadSchedule(f"`{text}` runs backwards")
    if slash and start + step > limit:
        raise BadSchedule(f"`{text}`: the step leads out of the {_NAMES[which]}s")
    return {0 if which == _WEEKDAY and number == 7 else number for number in range(start, end + 1, step)}


def _number(which: int, text: str, limit: int) -> int:
    known = _WORDS.get(which, {}).get(text)
    if known is not None:
        return known
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise BadSchedule(f"`{text}` is no {_NAMES[which]}")
    if not _RANGES[which][0] <= int(text) <= limit:
        raise BadSchedule(f"{text} is outside {_RANGES[which][0]}-{limit}, the range of a {_NAMES[which]}")
    return int(text)


def _matches_day(field: _Field, day: date) -> bool:
    last = monthrange(day.year, day.month)[1]
    for member in field.monthly:
        if member == "l":
            if day.day == last:
                return True
            continue
        first, _, until = member[1:].partition("-")
        if not until:
            return last - int(first) == day.day  # whatever else the list holds: it returns here
        if day.day in {last - before for before in range(int(first), int(until) + 1)}:
            return True
    return day.day in field.values


def _matches_weekday(field: _Field, day: date) -> bool:
    weekday = day.isoweekday() % 7
    if (day + timedelta(days=7)).month != day.month:
        for member in field.monthly:
            first, _, until = member[1:].partition("-")
            if weekday in {number % 7 for number in range(int(first), int(until or first) + 1)}:
                return True
    return weekday in field.values


class CrontabRule:
    """A schedule in a zone (`imported.Rule`)."""

    at_boot = False

    def __init__(self, crontab: Crontab, zone: str, words: str) -> None:
        self.words = words
        self._clock = WallClock(zone, crontab.times(), crontab.on, HORIZON_YEARS * 366)

    def after(self, micros: int) -> int | None:
        return self._clock.after(micros)


class AtStart:
    """`@reboot` (`imported.Rule`)."""

    at_boot = True
    words = "@reboot"

    def after(self, micros: int) -> int | None:
        return None
