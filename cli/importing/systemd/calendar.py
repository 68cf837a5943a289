"""`OnCalendar=`: a calendar event of systemd.time(7), read as systemd 252 reads it.

Checked against `systemd-analyze calendar`. Called by `timer`, and through `calendarrule` one side of `--check`: nothing
of `specs` is used. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
}
for _name, _other in (
    ("semi-annually", "semiannually"),
    ("biannually", "semiannually"),
    ("bi-annually", "semiannually"),
    ("annually", "yearly"),
    ("anually", "yearly"),
):
    SHORTHANDS[_name] = SHORTHANDS[_other]
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_LAST_FROM_END = 28
_ITEM = re.compile(r"(\d+)(?:\.\.(\d+))?(?:/(\d+))?")
_SECOND_ITEM = re.compile(r"(\d+(?:\.\d{1,6})?)(?:\.\.(\d+(?:\.\d{1,6})?))?(?:/(\d+(?:\.\d{1,6})?))?")
_MICROS = 1_000_000


class BadCalendar(ValueError):
    """Raised when systemd would refuse an expression; says what of it."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One item of a component: `start`, `start..stop`, `start/step`. Without `stop` a step goes on to the end."""

    start: int
    stop: int | None = None
    step: int = 0

    def values(self, last: int) -> range:
        """What it names up to `last`."""
        if not self.step:
            return range(self.start, self.start + 1) if self.stop is None else range(self.start, self.stop + 1)
        return range(self.start, (last if self.stop is None else min(self.stop, last)) + 1, self.step)


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """A calendar event. All components must match."""

    weekdays: frozenset[int]
    """0 is Monday."""
    years: tuple[Chain, ...]
    """() for every year."""
    months: frozenset[int]
    days: tuple[Chain, ...]
    """() for every day. Counted from the month's end when `from_end`: 1 is the last."""
    from_end: bool
    hours: frozenset[int]
    minutes: frozenset[int]
    seconds: tuple[int, ...]
    """Microseconds into the minute, rising."""
    zone: str | None
    """As written; None: the machine's."""

    def in_year(self, year: int) -> bool:
        """Whether it has days in this year."""
        return not self.years or any(year in chain.values(_LAST_YEAR) for chain in self.years)

    def days_of(self, length: int) -> frozenset[int]:
        """The days of a month of this many days."""
        if not self.days:
            return frozenset(range(1, length + 1))
        if not self.from_end:
            return frozenset(day for chain in self.days for day in chain.values(31) if day <= length)
        found: set[int] = set()
        for chain in self.days:
            start = length - chain.start + 1
            stop = None if chain.stop is None else length - chain.stop + 1
            if stop is not None:
                start, stop = stop, start
            found |= set(Chain(start, stop, chain.step).values(length))
        return frozenset(day for day in found if 1 <= day <= length)


def read_calendar(text: str) -> CalendarSpec:
    """The meaning of an expression. Raises `BadCalendar`."""
    words = text.strip().split()
    if not words:
        raise BadCalendar("it is empty")
    zone = None
    if len(words) > 1 and _is_zone(words[-1]):
        zone = "UTC" if words[-1].upper() == "UTC" else words[-1]
        words = words[:-1]
    if len(words) == 1 and re.fullmatch(r"@\d+", words[0]):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(words[0][1:11]))
        return read_calendar(at.strftime("%Y-%m-%d %H:%M:%S UTC"))
    if len(words) == 1 and words[0].lower() in SHORTHANDS:
        words = SHORTHANDS[words[0].lower()].split()
    weekdays = frozenset(range(7))
    if words[0][0].isalpha():
        weekdays = _weekdays(words.pop(0))
    date, time = "*-*-*", "00:00:00"
    if words and ":" not in words[0]:
        date = words.pop(0)
    if words:
        time = words.pop(0)
    if words:
        raise BadCalendar(f"{words[0]!r} is neither a time nor a zone that is known")
    return _spec(weekdays, date, time, zone)


def _is_zone(word: str) -> bool:
    if word.upper() == "UTC":
        return True
    if not word[0].isalpha() or word.lower() in SHORTHANDS or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", word):
        return False
    try:
        ZoneInfo(word)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _weekdays(text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in text.removesuffix(",").split(","):
        first, dots, last = item.partition(".." if ".." in item else "-")
        start = _weekday(first)
        end = _weekday(last) if dots else start
        if end < start:
            raise BadCalendar(f"{item!r} runs backwards: the week begins with Monday")
        found |= set(range(start, end + 1))
    return frozenset(found)


def _weekday(text: str) -> int:
    for number, name in enumerate(_DAYS):
        if text.lower() in (name, name[:3]):
            return number
    raise BadCalendar(f"{text!r} is no weekday")


def _spec(weekdays: frozenset[int], date: str, time: str, zone: str | None) -> CalendarSpec:
    found = re.fullmatch(r"(?:(?:([^-~]+)-)?([^-~]+)([-~]))?([^-~]+)", date)
    if found is None or found[3] is None:
        raise BadCalendar(f"{date!r} is no date: it is like 2026-12-24, *-12-24 or *-*-01")
    year, month, separator, day = found.groups()
    parts = time.split(":")
    if len(parts) not in (2, 3):
        raise BadCalendar(f"{time!r} is no time: it is like 04:30 or 04:30:00")
    from_end = separator == "~"
    return CalendarSpec(
        weekdays,
        () if year in (None, "*") else _chains(year, _FIRST_YEAR, _LAST_YEAR, "year"),
        _set(month, 1, 12, "month"),
        () if day == "*" else _chains(day, 1, _LAST_FROM_END if from_end else 31, "day"),
        from_end,
        _set(parts[0], 0, 23, "hour"),
        _set(parts[1], 0, 59, "minute"),
        _seconds(parts[2] if len(parts) == 3 else "00"),
        zone,
    )


def _chains(text: str, low: int, high: int, what: str) -> tuple[Chain, ...]:
    found: list[Chain] = []
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise BadCalendar(f"{item!r} is no {what}")
        start, stop, step = (None if part is None else int(part) for part in match.groups())
        assert start is not None
        if what == "year":
            start, stop = _year(start), None if stop is None else _year(stop)
        if not low <= start <= high or (stop is not None and not start <= stop <= high):
            raise BadCalendar(f"{item!r} is outside of {low}-{high}, or runs backwards")
        room = start - low if high == _LAST_FROM_END else high - start
        if step is not None and not 1 <= step <= room:
            raise BadCalendar(f"a step of {step} leads from {what} {start} to no other")
        found.append(Chain(start, stop, step or (1 if stop is not None else 0)))
    return tuple(found)


def _year(number: int) -> int:
    """Two digits are 1970 to 2069."""
    return number + (2000 if number < 70 else 1900) if number < 100 else number


def _set(text: str | None, low: int, high: int, what: str) -> frozenset[int]:
    if text in (None, "*"):
        return frozenset(range(low, high + 1))
    assert text is not None
    return frozenset(value for chain in _chains(text, low, high, what) for value in chain.values(high))


def _seconds(text: str) -> tuple[int, ...]:
    if text == "*":
        return tuple(second * _MICROS for second in range(60))
    found: set[int] = set()
    for item in text.split(","):
        match = _SECOND_ITEM.fullmatch(item)
        if match is None:
            raise BadCalendar(f"{item!r} is no second")
        start, stop, step = (None if part is None else round(float(part) * _MICROS) for part in match.groups())
        assert start is not None
        if start >= 60 * _MICROS or (stop is not None and not start < stop < 60 * _MICROS):
            raise BadCalendar(f"{item!r} is outside of 0-59, or runs backwards")
        if step is not None and not 0 < step < 60 * _MICROS - start:
            raise BadCalendar(f"{item!r} leads to no other second")
        chain = Chain(start, stop, step or (_MICROS if stop is not None else 0))
        values = chain.values(60 * _MICROS - 1)
        if len(values) > 6000:
            raise BadCalendar(f"{item!r} is more often than jobsctl can follow")
        found |= set(values)
    return tuple(sorted(found))
