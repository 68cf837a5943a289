"""The time of a crontab line, as Debian's cron reads it: five fields or an `@` word, to sets of numbers.

Source: `entry.c` of Debian's cron 3.0pl1-162. Called by `lines` and `rule`. Pure, and without our own cron parser: it
is one side of `--check`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
BOUNDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS), (0, 7, WEEKDAYS))
NAMES = ("minute", "hour", "day-of-month", "month", "day-of-week")
WORDS = {
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
    "monthly": "0 0 1 * *",
    "weekly": "0 0 * * 0",
    "daily": "0 0 * * *",
    "midnight": "0 0 * * *",
    "hourly": "0 * * * *",
}
_ITEM = re.compile(r"(\*|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:/([0-9]+))?")


class BadField(ValueError):
    """Raised when cron would refuse a field: `index` (0 is the minute), and what is wrong with it."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


@dataclass(frozen=True, slots=True)
class Fields:
    """When a line matches a wall-clock minute."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday; 7 is never in it."""
    either_day: bool
    """Neither day field begins with `*`: one of the two is enough."""
    wild: bool
    """Minute or hour begins with `*`: the line follows the clock when it is moved."""

    def on_day(self, month: int, day: int, weekday: int) -> bool:
        """`weekday`: 0 is Sunday."""
        if month not in self.months:
            return False
        by_day, by_weekday = day in self.days, weekday in self.weekdays
        return (by_day or by_weekday) if self.either_day else (by_day and by_weekday)


def read_fields(texts: tuple[str, ...]) -> Fields:
    """Five fields. Raises `BadField`."""
    minutes, hours, days, months, weekdays = (_field(index, text) for index, text in enumerate(texts))
    return Fields(
        minutes,
        hours,
        days,
        months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=not (texts[2].startswith("*") or texts[4].startswith("*")),
        wild=texts[0].startswith("*") or texts[1].startswith("*"),
    )


def _field(index: int, text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        found |= _range(index, item)
    return frozenset(found)


def _range(index: int, item: str) -> set[int]:
    low, high, _ = BOUNDS[index]
    # What follows a number that is complete is skipped up to the next blank, as get_list does: `5;` is 5.
    match = _ITEM.match(item)
    if match is None:
        raise BadField(index, f"{item!r} is no {NAMES[index]}" if item else f"a {NAMES[index]} is missing")
    first, last, step = match.groups()
    rest = item[match.end() :]
    if rest[:1] in ("-", "/") or (step is not None and last is None and first != "*"):
        why = "a step needs a range, as 0-59/5 or */5" if "/" in item else f"{item!r} is no {NAMES[index]}"
        raise BadField(index, why)
    if first == "*":
        start, end = low, high
        if last is not None:
            return set(range(low, high + 1))
    else:
        start = _number(index, first)
        end = start if last is None else _number(index, last)
    if not (low <= start <= high and low <= end <= high):
        raise BadField(index, f"{item!r} is outside of {low}-{high}")
    if step is not None and int(step) <= 0:
        raise BadField(index, "a step of 0 leads nowhere")
    return set(range(start, end + 1, int(step or 1)))


def _number(index: int, text: str) -> int:
    low, _, names = BOUNDS[index]
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not text.isdecimal():
        raise BadField(index, f"{text!r} is no {NAMES[index]}")
    return int(text[:9])
