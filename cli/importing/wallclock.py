"""The instants at which a zone's wall clock shows certain times on certain days, found from its offsets alone.

For the rules (`imported.Rule`) of systems that look at the wall clock once a minute and start what matches. The nights
the clock is moved need no rule then: what is left out never shows, what is repeated shows twice. Shares nothing with
`specs`, of whose answers it is a check.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_EPOCH = date(1970, 1, 1)
_DAY = 86_400


class WallClock:
    """The times of day and the days that match, in one zone."""

    def __init__(self, zone: str, minutes: Iterable[int], matches: Callable[[date], bool], days_ahead: int) -> None:
        """`minutes`: of the day, 0 to 1439. `days_ahead`: how far a search looks."""
        self._info = ZoneInfo(zone)
        self._minutes = tuple(sorted(set(minutes)))
        self._matches = matches
        self._days_ahead = days_ahead
        self._on = lru_cache(maxsize=8)(self._instants)

    def after(self, micros: int) -> int | None:
        """The first instant strictly after `micros`, both in microseconds UTC."""
        if not self._minutes:
            return None
        second = micros // 1_000_000
        first = datetime.fromtimestamp(second, self._info).date() - timedelta(days=1)
        best: int | None = None
        for ahead in range(self._days_ahead + 2):
            day = first + timedelta(days=ahead)
            known = best is not None
            if self._matches(day):
                instants = self._on(day)
                place = bisect_right(instants, second)
                if place < len(instants):
                    best = instants[place] if best is None else min(best, instants[place])
            if known:  # a day later was looked at too: a clock set back over midnight shows yesterday once more
                break
        return None if best is None else best * 1_000_000

    def _instants(self, day: date) -> tuple[int, ...]:
        """Seconds since the epoch at which the clock shows one of the times on `day`, rising."""
        midnight = (day - _EPOCH).days * _DAY
        offsets = {self._offset(midnight + hours * 3600) for hours in range(-26, 51)}
        found = (midnight + minute * 60 - offset for minute in self._minutes for offset in offsets)
        walls = {(second, second + self._offset(second)) for second in found}
        ours = {midnight + minute * 60 for minute in self._minutes}
        return tuple(sorted(second for second, wall in walls if wall in ours))

    def _offset(self, second: int) -> int:
        return offset_at(self._info, second)


def offset_at(info: ZoneInfo, second: int) -> int:
    """Seconds east of UTC at `second` since the epoch."""
    delta = datetime.fromtimestamp(second, info).utcoffset()
    assert delta is not None
    return delta.days * _DAY + delta.seconds


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """The names of all zones. Looked up once: it walks through a thousand files."""
    return frozenset(available_timezones())


@lru_cache(maxsize=256)
def is_moved(zone: str) -> bool:
    """Is the clock of this zone moved at any time from 2025 to 2037? Morocco's moves are listed that far and beyond."""
    info = ZoneInfo(zone)
    start = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    return len({offset_at(info, start + days * _DAY) for days in range(0, 13 * 366, 5)}) > 1


class Once:
    """The rule of a job that starts once (`imported.Rule`)."""

    at_boot = False

    def __init__(self, at: int, words: str) -> None:
        self.at = at
        self.words = words

    def after(self, micros: int) -> int | None:
        return self.at if self.at > micros else None


def read_rfc3339(text: str) -> int | None:
    """Microseconds since the epoch of an instant with an offset, as Go's `time.RFC3339` reads it; None for others."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d{1,9})?(Z|[-+]\d\d:\d\d)", text):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"[.,](\d{1,6})\d*", r".\1", text))
    except ValueError:
        return None
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
