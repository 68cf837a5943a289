"""When a schedule fires: the search for instants.

Made by `specs.schedule`, asked by the reconciler through `Schedule`. Knows numbers only: no expressions, no words,
no clock. Instants are integer microseconds since the epoch, UTC; inside, the cron search counts whole seconds and
"wall minutes" (minutes since 1970-01-01 00:00 on the wall clock of the zone).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol

from specs.frozen import frozen
from specs.zones import Era, Zone

SECOND = 1_000_000
_DAY = 1440
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_HORIZON = 50 * 366 * 86_400
"""Seconds a search looks ahead or back. February 29 on a given weekday comes at least every 40 years."""
LAST_SECOND = 221_845_392_000
"""Year 9000: nothing is searched beyond, so that no date runs over year 9999."""
_NEVER = 1 << 60
CORRECTION = 3 * 3600
"""Debian cron's limit, seconds: a clock moved by more is set right, not a change to or from summer time."""


class Slots(Protocol):
    """An ordered set of instants."""

    def next_after(self, t: int, anchor: int) -> int | None:
        """The first slot strictly after `t`."""

    def latest_through(self, now: int, after: int, anchor: int) -> int | None:
        """The last slot in (after, now]."""

    def count(self, after: int, through: int, anchor: int) -> int:
        """How many slots are in (after, through]."""

    def gaps(self, after: int, through: int) -> Iterable[int]:
        """The ends in (after, through] of the gaps in which a time was dropped, and that are no slots, rising."""


@frozen
class OneSlot:
    """A single instant."""

    at: int

    def next_after(self, t: int, anchor: int) -> int | None:
        return self.at if self.at > t else None

    def latest_through(self, now: int, after: int, anchor: int) -> int | None:
        return self.at if after < self.at <= now else None

    def count(self, after: int, through: int, anchor: int) -> int:
        return int(after < self.at <= through)

    def gaps(self, after: int, through: int) -> Iterable[int]:
        return ()


@frozen
class GridSlots:
    """`origin + k * period` for every whole k: fixed rate, no drift. Without its own origin the caller's anchor."""

    period: int
    origin: int | None = None

    def next_after(self, t: int, anchor: int) -> int | None:
        origin = anchor if self.origin is None else self.origin
        at = t + self.period - (t - origin) % self.period
        return at if at <= LAST_SECOND * SECOND else None

    def latest_through(self, now: int, after: int, anchor: int) -> int | None:
        origin = anchor if self.origin is None else self.origin
        latest = now - (now - origin) % self.period
        return latest if latest > after else None

    def count(self, after: int, through: int, anchor: int) -> int:
        origin = anchor if self.origin is None else self.origin
        return max(0, (through - origin) // self.period - (after - origin) // self.period)

    def gaps(self, after: int, through: int) -> Iterable[int]:
        return ()


@frozen
class WallTimes:
    """The wall-clock minutes a cron expression names, as bit sets: bit n of `hours` is hour n, and so on.

    `either`: a day matches when its day of month OR its weekday does (Vixie's rule for two restricted fields).
    """

    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int
    """Bit 0 is Sunday."""
    either: bool

    def at_or_after(self, wall: int, limit: int) -> int | None:
        """The first matching wall minute >= `wall`; None when its month would begin after `limit`."""
        day, minute = divmod(wall, _DAY)
        today = date.fromordinal(day + _EPOCH_DAY)
        matching = self._matching_days(today.year, today.month)
        if matching >> today.day & 1:
            time = self._time_from(minute)
            if time is not None:
                return day * _DAY + time
        rest = matching >> (today.day + 1) << (today.day + 1)
        first, year, month = day - today.day, today.year, today.month
        while not rest:
            first += _length(year, month)
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
            if first * _DAY > limit:
                return None
            rest = self._matching_days(year, month)
        return (first + _lowest(rest)) * _DAY + _lowest(self.hours) * 60 + _lowest(self.minutes)

    def at_or_before(self, wall: int, limit: int) -> int | None:
        """The last matching wall minute <= `wall`; None when its month would end before `limit`."""
        day, minute = divmod(wall, _DAY)
        today = date.fromordinal(day + _EPOCH_DAY)
        matching = self._matching_days(today.year, today.month)
        if matching >> today.day & 1:
            time = self._time_back(minute)
            if time is not None:
                return day * _DAY + time
        rest = matching & ((1 << today.day) - 1)
        first, year, month = day - today.day, today.year, today.month
        while not rest:
            if (first + 1) * _DAY < limit:
                return None
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
            first -= _length(year, month)
            rest = self._matching_days(year, month)
        return (first + _highest(rest)) * _DAY + _highest(self.hours) * 60 + _highest(self.minutes)

    def count(self, low: int, high: int) -> int:
        """How many matching wall minutes are in [low, high). Costs a step per month, not per match."""
        if high <= low:
            return 0
        per_day = self.hours.bit_count() * self.minutes.bit_count()
        (first_day, first_minute), (last_day, last_minute) = divmod(low, _DAY), divmod(high, _DAY)
        total = self._count_days(first_day, last_day) * per_day
        total -= self._count_days(first_day, first_day + 1) * self._times_before(first_minute)
        return total + self._count_days(last_day, last_day + 1) * self._times_before(last_minute)

    def _matching_days(self, year: int, month: int) -> int:
        """Days of a month as bits 1 to 31."""
        if not self.months >> month & 1:
            return 0
        # Bits 0 to 6 shifted so that bit 1 is the weekday of the 1st, then repeated over the month.
        first = date(year, month, 1).isoweekday() % 7
        week = (self.weekdays << 7 | self.weekdays) >> first & 0x7F
        weekdays = week * 0x10204081 << 1
        days = self.days | weekdays if self.either else self.days & weekdays
        return days & ((2 << _length(year, month)) - 2)

    def _time_from(self, minute: int) -> int | None:
        hour, minute = divmod(minute, 60)
        if self.hours >> hour & 1 and (rest := self.minutes >> minute):
            return hour * 60 + minute + _lowest(rest)
        later = self.hours >> (hour + 1)
        return (hour + 1 + _lowest(later)) * 60 + _lowest(self.minutes) if later else None

    def _time_back(self, minute: int) -> int | None:
        hour, minute = divmod(minute, 60)
        if self.hours >> hour & 1 and (rest := self.minutes & ((2 << minute) - 1)):
            return hour * 60 + _highest(rest)
        earlier = self.hours & ((1 << hour) - 1)
        return _highest(earlier) * 60 + _highest(self.minutes) if earlier else None

    def _times_before(self, minute: int) -> int:
        hour, minute = divmod(minute, 60)
        whole = (self.hours & ((1 << hour) - 1)).bit_count() * self.minutes.bit_count()
        return whole + (self.hours >> hour & 1) * (self.minutes & ((1 << minute) - 1)).bit_count()

    def _count_days(self, low: int, high: int) -> int:
        total = 0
        while low < high:
            today = date.fromordinal(low + _EPOCH_DAY)
            until = min(today.day + high - low, _length(today.year, today.month) + 1)
            matching = self._matching_days(today.year, today.month)
            total += (matching >> today.day & ((1 << (until - today.day)) - 1)).bit_count()
            low += until - today.day
        return total


@frozen
class CronSlots:
    """Wall times in a zone, by Debian cron's rule where the clock is moved (cron.c, `wakeupKind`).

    A clock moved forward by less than 3 h, or back by at most 3 h, is summer time: `fixed` times in the gap run once,
    at its end, and do not run again in the repeat. Anything larger is a correction: the wall clock is simply followed.
    Schedules that are not `fixed` (minute or hour field begins with `*`) always follow the wall clock.
    """

    times: WallTimes
    zone: Zone
    fixed: bool
    run_after_gap: bool = True
    repeat_twice: bool = False

    def next_after(self, t: int, anchor: int) -> int | None:
        second = max(t // SECOND + 1, 0)
        end = min(second + _HORIZON, LAST_SECOND)
        known, wall = 0, -1  # nothing matches in [known, wall)
        while second < end:
            era = self.zone.era(second)
            if self._runs_after(era) and second == era.start:
                first, past = _walls(era.start + era.before, era.start + era.offset)
                if not known <= first <= wall:
                    known, wall = first, self._next_wall(first, end)
                if wall < past:
                    return second * SECOND
            first = -((second + era.offset) // -60)
            if self._repeats(era):
                first = max(first, -((era.start + era.before) // -60))
            if not known <= first <= wall:
                known, wall = first, self._next_wall(first, end)
            slot = wall * 60 - era.offset
            if slot < era.end:
                return slot * SECOND
            second = era.end
        return None

    def latest_through(self, now: int, after: int, anchor: int) -> int | None:
        second = min(now // SECOND, LAST_SECOND)
        floor = max(after // SECOND, second - _HORIZON, -1)
        known, wall = -1, 0  # nothing matches in (wall, known]
        while second > floor:
            era = self.zone.era(second)
            last = (second + era.offset) // 60
            if not wall <= last <= known:
                known, wall = last, self._previous_wall(last, floor)
            slot = wall * 60 - era.offset
            begin = era.start + era.before - era.offset if self._repeats(era) else era.start
            if slot >= begin:
                return slot * SECOND if slot > floor else None
            if self._runs_after(era):
                first, past = _walls(era.start + era.before, era.start + era.offset)
                if self.times.count(first, past):
                    return era.start * SECOND if era.start > floor else None
            second = era.start - 1
        return None

    def count(self, after: int, through: int, anchor: int) -> int:
        second, end = max(after // SECOND + 1, 0), min(through // SECOND, LAST_SECOND) + 1
        total = 0
        while second < end:
            era = self.zone.era(second)
            first, past = _walls(second + era.offset, min(end, era.end) + era.offset)
            if self._repeats(era):
                first = max(first, -((era.start + era.before) // -60))
            total += self.times.count(first, past)
            if self._runs_after(era) and second == era.start:
                gap = self.times.count(*_walls(era.start + era.before, era.start + era.offset))
                total += bool(gap) and not self._is_wall(era.start + era.offset)
            second = era.end
        return total

    def gaps(self, after: int, through: int) -> Iterable[int]:
        return () if self.run_after_gap or not self.fixed else self._dropped(after, through)

    def _dropped(self, after: int, through: int) -> Iterator[int]:
        second, end = max(after // SECOND + 1, 0), min(through // SECOND, LAST_SECOND) + 1
        while second < end:
            era = self.zone.era(second)
            if second == era.start and 0 < era.offset - era.before < CORRECTION:
                gap = self.times.count(*_walls(era.start + era.before, era.start + era.offset))
                if gap and not self._is_wall(era.start + era.offset):
                    yield second * SECOND
            second = era.end

    def _runs_after(self, era: Era) -> bool:
        return self.fixed and self.run_after_gap and 0 < era.offset - era.before < CORRECTION

    def _repeats(self, era: Era) -> bool:
        return self.fixed and not self.repeat_twice and 0 < era.before - era.offset <= CORRECTION

    def _is_wall(self, local: int) -> bool:
        return local % 60 == 0 and self.times.count(local // 60, local // 60 + 1) == 1

    def _next_wall(self, wall: int, end: int) -> int:
        found = self.times.at_or_after(wall, end // 60 + _DAY)
        return _NEVER if found is None else found

    def _previous_wall(self, wall: int, floor: int) -> int:
        found = self.times.at_or_before(wall, floor // 60 - _DAY)
        return -_NEVER if found is None else found


def _walls(low: int, high: int) -> tuple[int, int]:
    """The whole wall minutes in [low, high) local seconds, as a half-open range."""
    return -(low // -60), -(high // -60)


def _length(year: int, month: int) -> int:
    if month == 2 and (year % 4 or (year % 100 == 0 and year % 400)):
        return 28
    return _LENGTHS[month]


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _highest(bits: int) -> int:
    return bits.bit_length() - 1
