"""When systemd itself elapses a timer with `OnCalendar=`: the oracle of `--check`.

Source: the behaviour of systemd 252 (`systemd-analyze calendar --iterations`), also on the nights when the clock is
moved: a local time that does not exist is left out, and of one that comes twice only the first is taken (systemd issues
5595 and 8647). One fault of 252 is not followed: where a step does not divide its range it loses what comes next after
midnight (`*:0/25` has no 00:00). Made by `timer`. Nothing of `specs` is used. Pure.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from cli.importing.imported import HORIZON_YEARS
from cli.importing.systemd.calendar import CalendarSpec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY = 86_400_000_000
_MINUTE = 60_000_000


@dataclass(frozen=True, eq=False)
class CalendarRule:
    """Several calendar events of one timer: it elapses at the instants of each."""

    events: tuple[tuple[CalendarSpec, str], ...]
    """Each with the zone of its times."""
    words: str
    at_boot: bool = False

    def after(self, micros: int) -> int | None:
        """The first elapse strictly after `micros`; None when there is none in the next `HORIZON_YEARS` years."""
        found = [at for each in self._single if (at := each.after(micros)) is not None]
        return min(found, default=None)

    @cached_property
    def _single(self) -> tuple[_Event, ...]:
        return tuple(_Event(spec, ZoneInfo(zone)) for spec, zone in self.events)


class _Event:
    """One calendar event in one zone. Keeps the instants of the last day it looked at."""

    def __init__(self, spec: CalendarSpec, zone: ZoneInfo) -> None:
        self._spec = spec
        self._zone = zone
        self._day = -1
        self._instants: list[int] = []
        self._times = [
            hour * 3600 * 1_000_000 + minute * _MINUTE + second
            for hour in sorted(spec.hours)
            for minute in sorted(spec.minutes)
            for second in spec.seconds
        ]
        self._lengths = {length: spec.days_of(length) for length in (28, 29, 30, 31)}

    def after(self, micros: int) -> int | None:
        first = micros // _DAY - 1
        for day in range(first, first + (HORIZON_YEARS + 1) * 366):
            if day != self._day and not self._matches(day):
                continue
            for at in self._of_day(day):
                if at > micros:
                    return at
        return None

    def _matches(self, day: int) -> bool:
        at = date.fromordinal(day + _EPOCH_DAY)
        spec = self._spec
        return (
            at.month in spec.months
            and at.weekday() in spec.weekdays
            and spec.in_year(at.year)
            and at.day in self._lengths[calendar.monthrange(at.year, at.month)[1]]
        )

    def _of_day(self, day: int) -> list[int]:
        """The instants of a day of the wall clock, rising."""
        if day != self._day:
            self._day = day
            before, after = self._offset(day * _DAY - _DAY), self._offset(day * _DAY + 2 * _DAY)
            if before == after:
                self._instants = [day * _DAY + time - before for time in self._times]
            else:
                found = (self._instant(day * _DAY + time) for time in self._times)
                self._instants = sorted({at for at in found if at is not None})
        return self._instants

    def _offset(self, micros: int) -> int:
        delta = (_EPOCH + timedelta(microseconds=micros)).astimezone(self._zone).utcoffset() or timedelta()
        return delta // timedelta(microseconds=1)

    def _instant(self, wall: int) -> int | None:
        """The first instant at which the wall clock shows this; None when it never does."""
        local = (_EPOCH + timedelta(microseconds=wall)).replace(tzinfo=self._zone, fold=0)
        at = (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
        return at if at + self._offset(at) == wall else None
