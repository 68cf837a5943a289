"""A calendar event as a `schedule`: exact wherever our schedules can say it, else the nearest, with what is lost.

Called by `timer`. Pure.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from cli.importing.imported import HORIZON_YEARS, Level
from cli.importing.systemd.calendar import CalendarSpec
from cli.importing.systemd.spans import write_span

_LENGTHS = {31: (1, 3, 5, 7, 8, 10, 12), 30: (4, 6, 9, 11), 28: (2,)}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ALL = frozenset(range(7))
_SECOND = 1_000_000
_START = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Written:
    """What becomes of one calendar event."""

    entries: list[str | dict[str, Any]] = field(default_factory=list)
    weekdays: str | None = None
    """Days for a calendar that lets the job run on them only: `mon,fri`."""
    start_at: str | None = None
    end_at: str | None = None
    gap: bool = False
    """Its times are fixed: one that the clock leaves out must be left out here too."""
    said: list[tuple[Level, str, str]] = field(default_factory=list)


@functools.cache
def gaps(zone: str) -> tuple[tuple[int, int], ...]:
    """The stretches of the wall clock that are left out when it is set forward, in minutes of the day: (120, 180).

    Of the years since 2020, and those that `--check` looks at. Zones that change their rules often have several.
    """
    info = ZoneInfo(zone)
    found: set[tuple[int, int]] = set()
    before = _START.astimezone(info).utcoffset() or timedelta()
    for hour in range(0, (HORIZON_YEARS + 10) * 366 * 24, 24 * 4):
        at = (_START + timedelta(hours=hour)).astimezone(info)
        after = at.utcoffset() or timedelta()
        if after > before:
            minute = next(
                each
                for each in range(5 * 24 * 60, -1, -15)
                if ((at.astimezone(UTC) - timedelta(minutes=each)).astimezone(info).utcoffset() or timedelta()) == after
            )
            ends = (at.astimezone(UTC) - timedelta(minutes=minute)).astimezone(info)
            end = ends.hour * 60 + ends.minute // 15 * 15
            found.add((end - (after - before) // timedelta(minutes=1), end))
        before = after
    return tuple(sorted(found))


def moves(zone: str) -> bool:
    """Whether the clock of a zone is set forward, and back, in the years that `--check` looks at."""
    return bool(gaps(zone))


def _in_gap(spec: CalendarSpec, zone: str) -> bool:
    """Whether one of its times is left out on some night."""
    times = {hour * 60 + minute for hour in spec.hours for minute in spec.minutes}
    return any((time % 1440) in times for start, end in gaps(zone) for time in range(start, end))


def write(spec: CalendarSpec, zone: str, expression: str, *, own_zone: bool = False) -> Written:
    """The schedule entries of an event whose times are in `zone`. `own_zone`: each has to say so."""
    made = Written()
    if once := _once(spec):
        made.entries.append({"once": once, "timezone": zone} if own_zone else once)
        return made
    seconds = _seconds(spec, zone, expression, made)
    if seconds is None:
        return made
    _years(spec, expression, made)
    restricted = spec.weekdays != _ALL
    for days, months in _days(spec, expression, made):
        weekdays = spec.weekdays
        if restricted and days != "*":
            made.weekdays = ",".join(_WEEKDAYS[day] for day in sorted(spec.weekdays))
            weekdays = _ALL
        fields = _fields(spec, days, months, weekdays, zone)
        if own_zone:
            made.entries.append({"cron": fields, "timezone": zone})
        else:
            made.entries.append(_words(spec, days, months, weekdays) or fields)
    made.gap = _in_gap(spec, zone)
    return made


def _once(spec: CalendarSpec) -> str | None:
    """A single instant, in the event's zone: one year, month, day and time."""
    days = spec.days
    single = len(spec.years) == 1 and not spec.years[0].step and spec.years[0].stop is None
    if not single or spec.from_end or len(days) != 1 or days[0].step or spec.weekdays != _ALL:
        return None
    if not all(len(each) == 1 for each in (spec.months, spec.hours, spec.minutes, spec.seconds)):
        return None
    (month,), (hour,), (minute,) = spec.months, spec.hours, spec.minutes
    try:
        at = datetime(spec.years[0].start, month, days[0].start, hour, minute, spec.seconds[0] // _SECOND, tzinfo=UTC)
    except ValueError:
        return None
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def _seconds(spec: CalendarSpec, zone: str, expression: str, made: Written) -> tuple[int, ...] | None:
    """Whole minutes go on to cron. An even spacing within the hour is an interval; other seconds are lost."""
    if spec.seconds == (0,):
        return spec.seconds
    every = _spacing(spec)
    if every is not None and not moves(zone):
        anchor = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            microseconds=min(spec.minutes) * 60 * _SECOND + spec.seconds[0]
        )
        shift = ZoneInfo(zone).utcoffset(datetime(2026, 1, 1)) or timedelta()  # noqa: DTZ001 (a zone that never moves)
        at = (anchor - shift).isoformat().replace("+00:00", "Z")
        made.entries.append({"every": write_span(every / _SECOND), "anchor": at})
        return None
    made.said.append(("lost", expression, "jobsctl's times are whole minutes: the seconds were left out"))
    return (0,)


def _spacing(spec: CalendarSpec) -> int | None:
    """The one distance of all its instants, in microseconds; None when they are not even, or not the whole day long."""
    whole = (
        len(spec.hours) == 24 and not spec.days and len(spec.months) == 12 and spec.weekdays == _ALL and not spec.years
    )
    if not whole:
        return None
    hour = 3600 * _SECOND
    instants = [minute * 60 * _SECOND + second for minute in sorted(spec.minutes) for second in spec.seconds]
    steps = {after - before for before, after in zip(instants, [*instants[1:], instants[0] + hour], strict=True)}
    return steps.pop() if len(steps) == 1 and min(steps) >= _SECOND else None


def _years(spec: CalendarSpec, expression: str, made: Written) -> None:
    if not spec.years:
        return
    if len(spec.years) == 1 and spec.years[0].step <= 1:
        chain = spec.years[0]
        made.start_at = f"{chain.start}-01-01T00:00:00"
        if not (chain.step and chain.stop is None):
            made.end_at = f"{chain.stop or chain.start}-12-31T23:59:59"
        return
    made.said.append(("lost", expression, "jobsctl's schedules have no years: it runs in every year"))


def _days(spec: CalendarSpec, expression: str, made: Written) -> Iterable[tuple[str, str]]:
    """Day-of-month and month fields; several pairs for days that are counted from the month's end."""
    months = _field(spec.months, 1, 12)
    if not spec.days:
        yield "*", months
        return
    if not spec.from_end:
        yield _field(spec.days_of(31), 1, 31), months
        return
    for length, members in _LENGTHS.items():
        chosen = spec.months & set(members)
        days = spec.days_of(length)
        if not chosen or not days:
            continue
        if length == 28:
            made.said.append(
                (
                    "lost",
                    expression,
                    "cron has no days from the month's end: those of February are "
                    "those of 28 days, a day early in leap years",
                )
            )
        yield _field(days, 1, length + 1), _field(frozenset(chosen), 1, 12)


def _words(spec: CalendarSpec, days: str, months: str, weekdays: frozenset[int]) -> str | None:
    """The plain words that say exactly this; None when there are none."""
    if not (days == months == "*" and len(spec.hours) <= 3 and len(spec.minutes) == 1):
        return None
    (minute,) = spec.minutes
    times = [f"{hour:02}:{minute:02}" for hour in sorted(spec.hours)]
    said = times[0] if len(times) == 1 else f"{', '.join(times[:-1])} and {times[-1]}"
    if weekdays == _ALL:
        return f"daily at {said}"
    if weekdays == frozenset(range(5)):
        return f"weekdays at {said}"
    return f"every {_LONG_WEEKDAYS[next(iter(weekdays))]} at {said}" if len(weekdays) == 1 else None


def _fields(spec: CalendarSpec, days: str, months: str, weekdays: frozenset[int], zone: str) -> str:
    """Five cron fields."""
    fixed = moves(zone)  # a field that begins with `*` would follow the clock into the hour that comes twice
    minutes = _field(spec.minutes, 0, 59, star=not fixed)
    hours = _field(spec.hours, 0, 23, star=not fixed)
    if minutes == "0" and hours == days == months == "*" and weekdays == _ALL:
        return "@hourly"
    names = "*" if weekdays == _ALL else _field(frozenset((day + 1) % 7 for day in weekdays), 0, 6)
    return f"{minutes} {hours} {days} {months} {names}"


def _field(numbers: frozenset[int], low: int, high: int, *, star: bool = True) -> str:
    """The shortest cron field of these numbers."""
    values = sorted(numbers)
    if len(values) == high - low + 1:
        return "*" if star else f"{low}-{high}"
    if len(values) > 2:
        steps = {after - before for before, after in pairwise(values)}
        if len(steps) == 1:
            step = steps.pop()
            if step == 1:
                return f"{values[0]}-{values[-1]}"
            if star and values[0] == low and values[-1] + step > high:
                return f"*/{step}"
            if len(values) > 3:
                return f"{values[0]}-{values[-1]}/{step}"
    return ",".join(map(str, values))
