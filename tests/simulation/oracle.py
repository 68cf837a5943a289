"""When a job is due, by brute force: the oracle for slots. Independent of `specs.slots`.

An interval is arithmetic; a cron line is Debian cron's rule walked minute by minute on the days a zone's clock moves
(`tests.scheduling.minute_scan`), and a plain reading of the fields on all others. Days are remembered.
"""

from __future__ import annotations

import functools
import json
import re
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.scheduling.minute_scan import Crontab, scan, walls
from tests.simulation.clock import SECOND

DAY = 86_400
FAR = 800
"""Days within which a cron line of a story fires again."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NAMED = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
_EPOCH = date(1970, 1, 1)


class Times:
    """The instants of one `schedule` value, as it is in a canonical spec."""

    def __init__(self, schedule: Any, zone: str, gap: str, repeat: str) -> None:
        self.reboot = schedule == "@reboot" or (isinstance(schedule, list) and "@reboot" in schedule)
        self.once: list[int] = []
        self.grids: list[tuple[int, int | None]] = []
        self.lines: list[tuple[str, str, str, str]] = []
        self.is_once = False
        entries = schedule if isinstance(schedule, list) else [schedule]
        for entry in entries:
            self._add(entry, zone, gap, repeat)
        self.is_once = len(entries) == 1 and bool(self.once)
        self.manual = not (self.once or self.grids or self.lines)

    def _add(self, entry: Any, zone: str, gap: str, repeat: str) -> None:
        if entry is None or entry in ("manual", "@reboot"):
            return
        if isinstance(entry, dict):
            zone = entry.get("timezone") or zone
            if entry.get("every") is not None:
                origin = None if entry.get("anchor") is None else read_instant(entry["anchor"], zone)
                self.grids.append((round(entry["every"] * SECOND), origin))
                return
            entry = entry.get("cron") or entry["once"]
        if found := re.fullmatch(r"every (\d+)([smhd])", entry):
            self.grids.append((int(found[1]) * _UNITS[found[2]] * SECOND, None))
        elif re.match(r"\d{4}-\d\d-\d\dT", entry):
            self.once.append(read_instant(entry, zone))
        else:
            self.lines.append((_NAMED.get(entry, entry), zone, gap, repeat))

    def between(self, after: int, through: int, anchor: int) -> list[int]:
        """Every slot in (after, through], in order."""
        found = {at for at in self.once if after < at <= through}
        for period, origin in self.grids:
            first = anchor if origin is None else origin
            at = first + ((after - first) // period + 1) * period
            found.update(range(at, through + 1, period))
        for line in self.lines:
            for day in range(max(after, 0) // (DAY * SECOND), through // (DAY * SECOND) + 1):
                found.update(at for at in _day(*line, day) if after < at <= through)
        return sorted(found)

    def dropped(self, after: int, through: int) -> list[int]:
        """The ends of spring gaps in (after, through] in which `dst: {gap: skip}` dropped a time."""
        lines = [(fields, zone, "run_after", repeat) for fields, zone, gap, repeat in self.lines if gap == "skip"]
        days = range(max(after, 0) // (DAY * SECOND), through // (DAY * SECOND) + 1)
        would = {at for line in lines for day in days for at in _day(*line, day) if after < at <= through}
        return sorted(would - {at for line in self.lines for day in days for at in _day(*line, day)} - set(self.once))

    def next_after(self, after: int, anchor: int) -> int | None:
        """The first slot after an instant; None when there is none."""
        found = [at for at in self.once if at > after]
        for period, origin in self.grids:
            first = anchor if origin is None else origin
            found.append(first + ((after - first) // period + 1) * period)
        for line in self.lines:
            begin = max(after, 0) // (DAY * SECOND)
            for day in range(begin, begin + FAR):
                slots = _day(*line, day)
                place = bisect_right(slots, after)
                if place < len(slots):
                    found.append(slots[place])
                    break
        return min(found, default=None)


@functools.lru_cache(maxsize=4096)
def times_of(spec: bytes) -> Times:
    """Of a canonical spec."""
    fields = json.loads(spec)
    dst = fields.get("dst") or {}
    return Times(
        fields.get("schedule"),
        fields.get("timezone") or "UTC",
        dst.get("gap", "run_after"),
        dst.get("repeat", "once"),
    )


def read_instant(text: str, zone: str) -> int:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(zone))
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * DAY + delta.seconds) * SECOND + delta.microseconds


_crontab = functools.lru_cache(maxsize=1024)(Crontab)


@functools.lru_cache(maxsize=1024)
def _minutes(fields: str) -> tuple[int, ...]:
    minutes, hours = _crontab(fields).sets[:2]
    return tuple(sorted(hour * 60 + minute for hour in hours for minute in minutes))


@functools.lru_cache(maxsize=65_536)
def _offset(zone: str, day: int) -> int | None:
    """Seconds the wall clock is ahead of UTC on this UTC day and in the five hours before; None when it changes."""
    seen = {
        datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset()
        for second in range(day * DAY - 5 * 3600, (day + 1) * DAY + 1, 1800)
    }
    offset = seen.pop()
    return None if seen or offset is None else int(offset.total_seconds())


@functools.lru_cache(maxsize=262_144)
def _day(fields: str, zone: str, gap: str, repeat: str, day: int) -> tuple[int, ...]:
    """The slots of a cron line on one UTC day, microseconds."""
    line, start = _crontab(fields), day * DAY
    offset = _offset(zone, day)
    if offset is None:
        clock = walls(ZoneInfo(zone), start - DAY // 2, start + DAY)
        return tuple(at * SECOND for at in scan(line, clock, gap, repeat) if at >= start)
    found = []
    for local in {(start + offset) // DAY, (start + offset + DAY - 1) // DAY}:
        wall = datetime.combine(_EPOCH + timedelta(days=local), datetime.min.time())
        for minute in _minutes(fields):
            at = local * DAY + minute * 60 - offset
            if start <= at < start + DAY and line.matches(wall.replace(hour=minute // 60, minute=minute % 60)):
                found.append(at * SECOND)
    return tuple(sorted(found))
