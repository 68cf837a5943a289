"""When Debian's cron starts a line: its own main loop, followed through the nights on which the clock is moved.

Source: `find_jobs` and the loop of `cron.c`, Debian's cron 3.0pl1-162. Nothing of `specs` is used: this is the oracle
of `--check`. Made by `entry`. Pure.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from cli.importing.crontab.fields import Fields
from cli.importing.imported import HORIZON_YEARS

_DAY = 1440
_MICROS = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HORIZON_DAYS = (HORIZON_YEARS + 1) * 366
_MARGIN = 5 * 60
"""Minutes around a move of the clock in which it can matter: the loop looks back and ahead by three hours."""


@dataclass(frozen=True, eq=False)
class CronRule:
    """A line of a crontab. `fields` None: only at boot. Instants are counted in days of UTC, and kept per day."""

    fields: Fields | None
    zone: str
    text: str
    at_boot: bool = False
    _days: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False)

    @property
    def words(self) -> str:
        return self.text if self.fields is None else f"{self.text} ({self.zone})"

    def after(self, micros: int) -> int | None:
        """The first start strictly after `micros`; None when there is none in the next `HORIZON_YEARS` years."""
        if self.fields is None:
            return None
        first = micros // _MICROS // _DAY
        for day in range(first, first + _HORIZON_DAYS):
            for minute in self._of_day(day):
                if minute * _MICROS > micros:
                    return minute * _MICROS
        return None

    def _of_day(self, day: int) -> tuple[int, ...]:
        """The starts on one day of UTC, in minutes since the epoch, rising."""
        known = self._days.get(day)
        if known is None:
            start = day * _DAY
            before, after = _offset(self.zone, start - _MARGIN), _offset(self.zone, start + _DAY + _MARGIN)
            if not any(self._possible(start + shift) for shift in (-_DAY, 0, _DAY)):
                known = ()
            elif before == after:  # no zone moves its clock there and back within ten hours more than a day
                known = self._plain(start, before)
            else:
                known = self._moved(start)
            if len(self._days) > 64:
                self._days.clear()
            self._days[day] = known
        return known

    def _possible(self, wall: int) -> bool:
        """Whether the day that holds this minute is one of the line's."""
        assert self.fields is not None
        return self.fields.on_day(*_date(wall // _DAY))

    def _matches(self, wall: int) -> bool:
        """`wall`: minutes since 1970-01-01 00:00 of the wall clock."""
        fields = self.fields
        assert fields is not None
        hour, minute = divmod(wall % _DAY, 60)
        return minute in fields.minutes and hour in fields.hours and self._possible(wall)

    @cached_property
    def _minutes(self) -> tuple[int, ...]:
        assert self.fields is not None
        return tuple(sorted(hour * 60 + minute for hour in self.fields.hours for minute in self.fields.minutes))

    def _plain(self, start: int, offset: int) -> tuple[int, ...]:
        """A day on which the clock goes on as ever."""
        found: list[int] = []
        first = (start + offset) // _DAY * _DAY
        for local in (first, first + _DAY):
            if self._possible(local):
                found += [at for minute in self._minutes if start <= (at := local + minute - offset) < start + _DAY]
        return tuple(found)

    def _moved(self, start: int) -> tuple[int, ...]:
        """A day on which the clock may be moved: cron's loop, minute by minute, from well before it."""
        assert self.fields is not None
        found: list[int] = []
        wild = self.fields.wild
        first = start - _DAY
        offsets = _offsets(self.zone, first)
        virtual = first + offsets[0]
        for minute, offset in enumerate(offsets[1:], first + 1):
            running = minute + offset
            ahead = running - virtual
            if ahead == 1 or 0 < ahead <= 5:
                walls = range(virtual + 1, running + 1)
                fires = any(map(self._matches, walls))
                virtual = running
            elif 5 < ahead <= 180:
                # Lines with a `*` run for this minute only, the others for every minute that was left out.
                missed = (running,) if wild else range(virtual + 1, running + 1)
                fires = any(map(self._matches, missed))
                virtual = running
            elif -180 < ahead <= 0:
                fires = wild and self._matches(running)
            else:
                virtual = running
                fires = self._matches(running)
            if fires and minute >= start:
                found.append(minute)
        return tuple(found)


@functools.lru_cache(maxsize=4096)
def _date(day: int) -> tuple[int, int, int]:
    """Month, day and weekday (0 is Sunday) of a day since 1970-01-01."""
    at = _EPOCH + timedelta(days=day)
    return at.month, at.day, at.isoweekday() % 7


@functools.lru_cache(maxsize=65_536)
def _offset(zone: str, minute: int) -> int:
    """Minutes east of UTC, rounded down as cron does."""
    delta = (_EPOCH + timedelta(minutes=minute)).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return delta // timedelta(minutes=1)


@functools.lru_cache(maxsize=256)
def _offsets(zone: str, first: int) -> tuple[int, ...]:
    """The offset of each minute of two days. The zone is asked by quarters of an hour, where it moves by minutes."""
    found: list[int] = []
    for start in range(first, first + 2 * _DAY, 15):
        before, after = _offset(zone, start), _offset(zone, start + 14)
        found += [before] * 15 if before == after else [_offset(zone, minute) for minute in range(start, start + 15)]
    return tuple(found)
