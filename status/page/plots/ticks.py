"""Where the ticks of an axis stand: round numbers, round lengths of time, round sizes, and local times of day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from math import ceil, floor, log10
from typing import NamedTuple

from specs.zones import Zone, to_micros

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
_LENGTHS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Seconds: steps of an axis of durations, as clocks are read; below a second and above a day 1-2-5 holds."""
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)
"""Minutes: steps of an axis of time within days."""
_DAYS = (1, 2, 7, 14)
_QUARTER = 15 * MINUTE


class Tick(NamedTuple):
    """One local time on an axis."""

    at: int
    """Microseconds UTC."""
    label: str


def step_of(span: float, most: int) -> float:
    """The smallest of ..., 1, 2, 5, 10, 20, 50, ... of which at most `most` fit into `span`. `span` is above 0."""
    raw = span / most
    power = 10.0 ** floor(log10(raw))
    for factor in (1, 2, 5, 10):
        if factor * power >= raw * (1 - 1e-9):
            return factor * power
    return 10 * power


def number_ticks(top: float, most: int = 4) -> list[float]:
    """Round numbers from 0 up to the first that is `top` or more: `most` + 1 at most. [0, 1] when `top` is 0."""
    if top <= 0:
        return [0.0, 1.0]
    return _up_to(top, step_of(top, most))


def length_ticks(top: float, most: int = 4) -> list[float]:
    """As `number_ticks`, of seconds: 10s, 30s, 1m, 5m, 1h and so on."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / most
    if raw < 1 or raw > _LENGTHS[-1]:
        unit = 1 if raw < 1 else _LENGTHS[-1]
        return _up_to(top, step_of(top / unit, most) * unit)
    return _up_to(top, next(float(step) for step in _LENGTHS if step >= raw))


def size_ticks(top: float, most: int = 4) -> list[float]:
    """As `number_ticks`, of bytes: 1, 2, 5 times ten or a hundred, of the largest of B, KiB, MiB, ... that fits."""
    if top <= 0:
        return [0.0, 1.0]
    unit = 1.0
    while top / unit >= 1024 and unit < 1024.0**5:
        unit *= 1024
    return _up_to(top, step_of(top / unit, most) * unit)


def length_label(seconds: float) -> str:
    """`20m`, `1h30m`, `0.5s`: what is round without its zeros."""
    if seconds < 1:
        return f"{seconds * 1000:g}ms" if seconds else "0"
    parts, rest = [], round(seconds * 1000)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        whole, rest = divmod(rest, size)
        parts += [f"{whole}{unit}"] if whole else []
    return "".join([*parts, *([f"{rest / 1000:g}s"] if rest else [])])


def _up_to(top: float, step: float) -> list[float]:
    count = max(ceil(top / step - 1e-9), 1)
    return [float(f"{step * place:.12g}") for place in range(count + 1)]  # 0.3, not 0.30000000000000004


def time_ticks(start: int, end: int, zone: Zone, most: int = 6) -> list[Tick]:
    """Local midnights, hours or minutes within [start, end] (µs), `most` at most; [] when the range is empty.

    Hours are those the wall clock shows: a night that is an hour longer has the same ticks, further apart, and a time
    that a spring night leaves out has none.
    """
    if end <= start:
        return []
    for minutes in _CLOCK:
        if (end - start) // (minutes * MINUTE) < most:
            found = list(_clock_times(start, end, zone, minutes))
            if len(found) <= most:
                return found
    for days in _DAYS:
        if (end - start) // (days * DAY) < most:
            found = list(_midnights(start, end, zone, days))
            if len(found) <= most:
                return found
    return list(_months(start, end, zone, most))


def _clock_times(start: int, end: int, zone: Zone, minutes: int) -> Iterator[Tick]:
    """Times at which the minutes since midnight are a multiple of `minutes`. A time that comes twice is told once."""
    grain = min(minutes * MINUTE, _QUARTER)
    told: set[tuple[date, int]] = set()
    at = -(-start // grain) * grain
    while at <= end:
        local = zone.local(at)
        minute = local.hour * 60 + local.minute
        if minute % minutes == 0 and local.second == 0 and (local.date(), minute) not in told:
            told.add((local.date(), minute))
            yield Tick(at, f"{local:%H:%M}" if minute else day_label(local))
        at += grain


def _midnights(start: int, end: int, zone: Zone, days: int) -> Iterator[Tick]:
    """Beginnings of local days; every seventh is a Monday."""
    day = zone.local(start).date()
    while True:
        at = midnight(day, zone)
        if at > end:
            return
        weekly = days % 7 == 0
        fits = (day.toordinal() - 1) % days == 0 if weekly else day.toordinal() % days == 0
        if at >= start and fits:
            yield Tick(at, day_label(datetime(day.year, day.month, day.day)))  # noqa: DTZ001 - a day of the calendar
        day += timedelta(days=1)


def _months(start: int, end: int, zone: Zone, most: int) -> Iterator[Tick]:
    """Beginnings of months, as many months apart as it takes."""
    first, last = zone.local(start), zone.local(end)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    step = next((each for each in (1, 2, 3, 6, 12) if months // each < most), 12 * ceil(months / 12 / most))
    for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, place = divmod(month, 12)
        if (month if step > 12 else place) % step:
            continue
        at = midnight(date(year, place + 1, 1), zone)
        if start <= at <= end:
            yield Tick(at, f"{date(year, place + 1, 1):%b %Y}")


def midnight(day: date, zone: Zone) -> int:
    """The first instant of a local day, µs. Where the clocks skip midnight, it is when they have."""
    info = zone.local(0).tzinfo
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=info))


def day_label(local: date) -> str:
    """`21 Nov`."""
    return f"{local.day} {local:%b}"


def placed(value: float, ticks: Sequence[float]) -> float:
    """How far up the axis of these ticks a value is: 0 to 1."""
    return min(max((value - ticks[0]) / (ticks[-1] - ticks[0]), 0.0), 1.0)
