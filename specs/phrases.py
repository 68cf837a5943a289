"""Schedules in plain English, for people who read a status or a pull request.

Called by `specs.cron` (warnings) and `specs.entry` (`words`). Every phrase is exact: an expression too odd for a
short phrase gets a long one. Imports `specs.slots` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from specs.slots import WallTimes

_MONTHS = (
    "", "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_ALL_DAYS, _ALL_MONTHS, _ALL_HOURS, _ALL_MINUTES = (2 << 31) - 2, (2 << 12) - 2, (1 << 24) - 1, (1 << 60) - 1
_MANY = 6
"""Most times of day that are named one by one."""


def say_cron(times: WallTimes) -> str:
    """`Daily at 09:00`, `Weekdays, every 15 minutes from 09:00 to 17:45`, `On the 1st of every month at 06:00`."""
    clock, rhythm = _say_clock(times)
    days = _say_days(times)
    if rhythm:
        return clock[0].upper() + clock[1:] if days == "Daily" else f"{days}, {clock}"
    return f"{days} {clock}"


def follows_the_clock(times: WallTimes) -> bool:
    """Is it the same in every zone of whole hours: a rhythm within the hour, every hour, every day?"""
    return times.hours == _ALL_HOURS and _say_days(times) == "Daily"


def say_days(times: WallTimes) -> str:
    """The days in the middle of a sentence: `on the 13th of every month and on Fridays`."""
    days = _say_days(times)
    return days[0].lower() + days[1:] if days.startswith(("On", "Daily", "Every")) else f"on {days}"


def say_period(micros: int) -> str:
    """`Every 10 minutes`, `Every 1 hour 30 minutes`, `Every day`."""
    length = say_length(micros)
    one = re.fullmatch("1 ([a-z]+)", length)
    return f"Every {one[1] if one else length}"


def say_length(micros: int) -> str:
    """`10 minutes`, `1 hour 30 minutes`, `1 day`, `1.25 seconds`."""
    seconds, rest = divmod(micros, 1_000_000)
    parts: list[tuple[float, str]] = []
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            parts.append((seconds // size, unit))
            seconds %= size
    if seconds or rest:
        parts.append((seconds + rest / 1_000_000 if rest else seconds, "second"))
    return " ".join(f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts)


def _say_clock(times: WallTimes) -> tuple[str, bool]:
    """The times of a day, and whether they are a rhythm (`every ...`) rather than points (`at ...`)."""
    minutes, hours = _numbers(times.minutes), _numbers(times.hours)
    pace = _pace(minutes, 60)
    if times.hours == _ALL_HOURS:
        if pace == 1:
            return "every minute", True
        if pace and minutes[0] == 0 and 60 % pace == 0:
            return f"every {pace} minutes", True
        if minutes == [0]:
            return "every hour", True
        return f"every hour at minute{'s' * (len(minutes) > 1)} {_join(map(str, minutes))}", True
    if len(minutes) * len(hours) <= _MANY:
        return "at " + _join(f"{hour:02}:{minute:02}" for hour in hours for minute in minutes), False
    in_a_row = hours[-1] - hours[0] + 1 == len(hours)
    if in_a_row and (pace == 1 or (pace and minutes[0] == 0 and 60 % pace == 0)):
        unit = "every minute" if pace == 1 else f"every {pace} minutes"
        return f"{unit} from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[-1]:02}", True
    if len(minutes) == 1:
        stride = _pace(hours, 24)
        if in_a_row:
            return f"every hour from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[0]:02}", True
        if stride and hours[0] == 0 and 24 % stride == 0:
            return f"every {stride} hours at minute {minutes[0]}", True
    minute_list = "every minute" if pace == 1 else f"at minute{'s' * (len(minutes) > 1)} {_ranges(minutes)}"
    return f"{minute_list} of the hours {_ranges(hours)}", True


def _say_days(times: WallTimes) -> str:
    whole_month, whole_week = times.days == _ALL_DAYS, times.weekdays == 0x7F
    months = "" if times.months == _ALL_MONTHS else f" in {_runs(_numbers(times.months), _MONTHS)}"
    if times.either:
        return f"On the {_dates(times)} of every month and on {_say_week(times)}{months}"
    if whole_month and whole_week:
        return "Daily" + months
    if whole_month:
        return _say_week(times) + months
    if not whole_week:
        return f"On {_say_week(times)} that are the {_dates(times)} of the month{months}"
    dates, months_named = _numbers(times.days), _numbers(times.months)
    if len(dates) == 1 and len(months_named) == 1:
        return f"Every year on {dates[0]} {_MONTHS[months_named[0]]}"
    return f"On the {_dates(times)} of " + ("every month" if not months else _runs(months_named, _MONTHS))


def _say_week(times: WallTimes) -> str:
    if times.weekdays == 0b0111110:
        return "Weekdays"
    if times.weekdays == 0b1000001:
        return "Weekends"
    # Monday first, as calendars outside cron have it, so that Friday to Sunday is a run.
    numbers = sorted((day - 1) % 7 for day in _numbers(times.weekdays))
    return _runs(numbers, [f"{name}s" for name in _WEEKDAYS[1:] + _WEEKDAYS[:1]])


def _dates(times: WallTimes) -> str:
    return _runs(_numbers(times.days), [_ordinal(number) for number in range(32)])


def _ordinal(number: int) -> str:
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _numbers(bits: int) -> list[int]:
    return [number for number in range(bits.bit_length()) if bits >> number & 1]


def _pace(numbers: list[int], cycle: int) -> int:
    """The even distance of the numbers when they fill the cycle with it, else 0."""
    if len(numbers) < 2:
        return 0
    pace = numbers[1] - numbers[0]
    return pace if numbers == list(range(numbers[0], cycle, pace)) else 0


def _runs(numbers: list[int], names: Sequence[str]) -> str:
    """`Monday to Thursday and Saturday`: three or more in a row become a run."""
    return _join(
        names[first] if first == last else f"{names[first]} to {names[last]}" for first, last in _stretches(numbers)
    )


def _ranges(numbers: list[int]) -> str:
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in _stretches(numbers))


def _stretches(numbers: list[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return [
        pair
        for first, last in found
        for pair in ([(first, last)] if last - first != 1 else [(first, first), (last, last)])
    ]


def _join(parts: Iterable[str]) -> str:
    names = list(parts)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
