"""The oracle: Debian cron's main loop, minute by minute, and a naive reading of cron fields.

A transcription of the published rule (cron.c, `wakeupKind`; entry.c, star bits), independent of the product's search:
it asks `zoneinfo` for the wall clock of every single minute and keeps a virtual clock, as the daemon cron does.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60
_NAMES = {
    4: {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name},
    5: {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))},
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def numbers(text: str, place: int) -> frozenset[int]:
    """The values of field 1 to 5, by the manual page alone."""
    low, high = _BOUNDS[place - 1]
    found: set[int] = set()
    for term in text.lower().split(","):
        span, _, step = term.partition("/")
        if span == "*":
            first, last = low, high
        else:
            ends = [int(end) if end.isdigit() else _NAMES[place][end] for end in span.split("-")]
            first, last = ends[0], ends[-1]
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(number % 7 for number in found) if place == 5 else frozenset(found)


class Crontab:
    """One line of a crontab."""

    def __init__(self, fields: str) -> None:
        texts = fields.split()
        self.sets = [numbers(text, place) for place, text in enumerate(texts, 1)]
        self.wild = texts[0].startswith("*") or texts[1].startswith("*")
        self.both = texts[2].startswith("*") or texts[4].startswith("*")

    def matches(self, wall: datetime) -> bool:
        minutes, hours, days, months, weekdays = self.sets
        if wall.minute not in minutes or wall.hour not in hours or wall.month not in months:
            return False
        day, weekday = wall.day in days, wall.isoweekday() % 7 in weekdays
        return (day and weekday) if self.both else (day or weekday)


Walls = list[tuple[int, datetime, int]]
"""Second, wall clock, wall clock in minutes: of every minute of a stretch of time."""


def walls(zone: ZoneInfo, start: int, end: int) -> Walls:
    """Of every minute in [start, end), seconds since the epoch."""
    found: Walls = []
    for second in range(-(start // -MINUTE) * MINUTE, end, MINUTE):
        wall = datetime.fromtimestamp(second, zone)
        found.append((second, wall, wall.toordinal() * 1440 + wall.hour * 60 + wall.minute))
    return found


def scan(line: Crontab, clock: Walls, gap: str = "run_after", repeat: str = "once") -> list[int]:
    """The seconds at which Debian cron would start the job. The first minute of `clock` must be an ordinary one."""
    found: list[int] = []
    virtual = clock[0][2] - 1
    for second, wall, running in clock:
        difference = running - virtual
        due = False
        if difference == 1 or difference > 180 or difference <= -180:
            virtual = running
            due = line.matches(wall)
        elif difference > 1:  # forward: `*` jobs of this minute, fixed ones of every minute that was jumped over
            assert difference > 5, "no zone jumps by less than five minutes"
            if line.wild or gap == "skip":
                due = line.matches(wall)
            else:
                due = any(
                    line.matches(wall.replace(tzinfo=None) - timedelta(minutes=back)) for back in range(difference)
                )
            virtual = running
        else:  # back: only `*` jobs until the clock has caught up
            due = (line.wild or repeat == "twice") and line.matches(wall)
        if due:
            found.append(second)
    return found


def transitions(zone: ZoneInfo, start: int, end: int, step: int) -> Iterator[tuple[int, int, int]]:
    """(second, offset before, offset after) of every change, found by asking every `step` seconds."""

    def offset(second: int) -> int:
        delta = datetime.fromtimestamp(second, zone).utcoffset()
        assert delta is not None
        return int(delta.total_seconds())

    known = offset(start)
    for second in range(start + step, end, step):
        if offset(second) != known:
            low, high = second - step, second
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == known else (low, middle)
            yield high, known, offset(high)
            known = offset(second)


def utc(text: str) -> int:
    """Seconds since the epoch of `2027-03-14T07:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
