"""A schedule that is known as sets of numbers, written as the five fields of our cron.

Called by the readers of systems whose cron differs from Debian's: another rule for the two day fields, other spellings.
What they wrote is kept where it means the same here. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from cli.importing.naming import slug
from cli.importing.wallclock import is_moved
from specs.cron import WEEKDAYS, Cron, parse_cron
from specs.expression import ScheduleError

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
DST = {"gap": "skip", "repeat": "twice"}
"""What a system does that follows the wall clock: nothing in the hour left out, all twice in the repeated one."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """When a cron expression of another system matches. Weekdays: 0 is Sunday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both: bool
    """A day must match in both day fields; else in one of them."""

    def on(self, day: date) -> bool:
        """Does it match on this day?"""
        return day.month in self.months and self._in_days(day.day, day.isoweekday() % 7)

    def times(self) -> list[int]:
        """The minutes of a day at which it matches."""
        return [hour * 60 + minute for hour in sorted(self.hours) for minute in sorted(self.minutes)]

    def ever(self) -> bool:
        """Is there any day on which it matches? Every day of a month comes on every weekday, within 28 years."""
        return bool(self.minutes and self.hours and self.days_of_months())

    def days_of_months(self) -> frozenset[tuple[int, int]]:
        """The days of month, with their weekdays, on which it matches in one of its months at least."""
        longest = max((_LENGTHS[month - 1] for month in self.months), default=0)
        return _days_up_to(longest, self.days, self.weekdays, self.both)

    def _in_days(self, day: int, weekday: int) -> bool:
        in_month, in_week = day in self.days, weekday in self.weekdays
        return (in_month and in_week) if self.both else (in_month or in_week)


_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=256)
def _days_up_to(longest: int, days: frozenset[int], weekdays: frozenset[int], both: bool) -> frozenset[tuple[int, int]]:
    """Cached: a cluster with a thousand CronJobs has few different day fields."""
    pairs = ((day, weekday) for day in range(1, longest + 1) for weekday in range(7))
    return frozenset(
        (day, weekday)
        for day, weekday in pairs
        if ((day in days and weekday in weekdays) if both else (day in days or weekday in weekdays))
    )


def write_cron(original: str, meaning: Meaning) -> str | None:
    """The expression with this meaning: `original` where it has it here too. None when ours cannot say it."""
    return next((text for text in (original, _composed(meaning)) if text is not None and _means(text, meaning)), None)


@dataclass(frozen=True, slots=True)
class Written:
    """A schedule of ours for a system that follows the wall clock."""

    fields: dict[str, object]
    """`schedule`, `timezone`, and `dst` and `calendar` where they are needed."""
    calendar: dict[str, object] | None = None
    """A `Calendar` document that the job names."""


def write_schedule(original: str, meaning: Meaning, zone: str, name: str) -> Written:
    """The schedule of the job `name`. Where both day fields must match, and our cron cannot say so, a calendar does."""
    text = write_cron(original, meaning)
    calendar: dict[str, object] | None = None
    if text is None:
        calendar = {
            "kind": "Calendar",
            "name": slug(f"{name}-weekdays"),
            "timezone": zone,
            "mode": "allow",
            "windows": [{"days": ",".join(WEEKDAYS[number] for number in sorted(meaning.weekdays))}],
        }
        text = write_cron("", replace(meaning, weekdays=frozenset(range(7))))
        assert text is not None, "with one day field our cron says everything"
    made: dict[str, object] = {"schedule": text, "timezone": zone}
    if parse_cron(text, "").fixed and is_moved(zone):
        made["dst"] = dict(DST)
    if calendar is not None:
        made["calendar"] = calendar["name"]
    return Written(made, calendar)


def _means(text: str, meaning: Meaning) -> bool:
    try:
        cron: Cron = parse_cron(text, "")
    except ScheduleError:
        return False
    times = cron.times
    sets = [_members(bits) for bits in (times.minutes, times.hours, times.days, times.months, times.weekdays)]
    ours = Meaning(sets[0], sets[1], sets[2], sets[3], sets[4], both=not times.either)
    return (ours.minutes, ours.hours, ours.months) == (
        meaning.minutes,
        meaning.hours,
        meaning.months,
    ) and ours.days_of_months() == meaning.days_of_months()


def _members(bits: int) -> frozenset[int]:
    return frozenset(number for number in range(bits.bit_length()) if bits >> number & 1)


def _composed(meaning: Meaning) -> str | None:
    minute, hour = (_field(place, values) for place, values in enumerate((meaning.minutes, meaning.hours)))
    month = _field(3, meaning.months)
    days, weekdays = set(meaning.days), set(meaning.weekdays)
    all_days, all_weekdays = len(days) == 31, len(weekdays) == 7
    if not meaning.both and (all_days or all_weekdays):
        return f"{minute} {hour} * {month} *"
    if not meaning.both:
        return f"{minute} {hour} {_field(2, days, star=False)} {month} {_field(4, weekdays, star=False)}"
    if all_days or all_weekdays:
        return f"{minute} {hour} {_field(2, days)} {month} {_field(4, weekdays)}"
    # Vixie's cron wants both of two restricted day fields only when one of them begins with `*`.
    if (starred := _starred(2, days)) is not None:
        return f"{minute} {hour} {starred} {month} {_field(4, weekdays, star=False)}"
    if (starred := _starred(4, weekdays)) is not None:
        return f"{minute} {hour} {_field(2, days, star=False)} {month} {starred}"
    return None


def _starred(place: int, values: Collection[int]) -> str | None:
    """The values as a field that begins with `*`, although it is restricted; None without the lowest value."""
    low, high = _RANGES[place]
    if low not in values:
        return None
    text = _field(place, values)
    if text.startswith("*"):
        return text
    alone = f"*/{high - low + 1}"  # the lowest value and no other
    rest = sorted(set(values) - {low})
    return f"{alone},{_field(place, rest, star=False)}" if rest else alone


def _field(place: int, values: Collection[int], *, star: bool = True) -> str:
    low, high = _RANGES[place]
    found = sorted(values)
    if star and found == list(range(low, high + 1)):
        return "*"
    if len(found) > 2 and (step := found[1] - found[0]) > 1:
        if star and found == list(range(low, high + 1, step)):
            return f"*/{step}"
        if found == list(range(found[0], found[-1] + 1, step)):
            return f"{found[0]}-{found[-1]}/{step}"
    parts: list[str] = []
    start = 0
    for index in range(1, len(found) + 1):
        if index == len(found) or found[index] != found[index - 1] + 1:
            run = found[start:index]
            parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(number) for number in run]
            start = index
    return ",".join(parts)
