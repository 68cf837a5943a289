"""When term-llm starts a cron job: its own parser and its search by whole minutes.

Called by `reader`. Source: SamSaffron/term-llm, cmd/serve_jobs_v2.go (`parseCronExpression`, `parseCronField`,
`nextCronTime`): all fields must match, both day fields too; Sunday is 0 only; no names; the search gives up after 366
days, and then the job has no next run. Shares nothing with `specs`.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

from cli.importing.cronfields import Meaning
from cli.importing.wallclock import WallClock

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day-of-month", 1, 31), ("month", 1, 12), ("day-of-week", 0, 6))
_DAYS_AHEAD = 366


class BadExpression(Exception):
    """Raised when term-llm refuses an expression. The text says why."""


def parse(text: str) -> Meaning:
    """The meaning of five fields. Raises BadExpression."""
    parts = text.split()
    if len(parts) != 5:
        raise BadExpression(f"it has {len(parts)} fields, and term-llm reads five")
    sets = [_field(part, *bounds) for part, bounds in zip(parts, _FIELDS, strict=True)]
    return Meaning(sets[0], sets[1], sets[2], sets[3], sets[4], both=True)


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    if text == "*":
        return frozenset(range(low, high + 1))
    values: set[int] = set()
    for member in text.split(","):
        if found := re.fullmatch(r"\*/\+?([0-9]{1,9})", member):
            if int(found[1]) == 0:
                raise BadExpression(f"{name}: `{member}` has a step of nothing")
            values.update(range(low, high + 1, int(found[1])))
        elif found := re.fullmatch(r"\+?([0-9]{1,9})(?:-\+?([0-9]{1,9}))?", member):
            first, last = int(found[1]), int(found[2] or found[1])
            if first > last or first < low or last > high:
                raise BadExpression(f"{name}: `{member}` is not within {low}-{high}")
            values.update(range(first, last + 1))
        else:
            raise BadExpression(f"{name}: `{member}` is no number, range or */step")
    return frozenset(values)


def gives_up(meaning: Meaning) -> bool:
    """Does term-llm at some time find no next run, and never start the job again? Looked at for 28 years."""
    if len(meaning.months) == 12 and (len(meaning.days) == 31 or len(meaning.weekdays) == 7):
        return False
    start = date(2025, 1, 1)
    found = [number for number in range(28 * 366) if meaning.on(start + timedelta(days=number))]
    return any(later - earlier > _DAYS_AHEAD for earlier, later in pairwise(found))


class CronRule:
    """An expression in a zone (`imported.Rule`)."""

    at_boot = False

    def __init__(self, meaning: Meaning, zone: str, words: str) -> None:
        self.words = words
        self._clock = WallClock(zone, meaning.times(), meaning.on, _DAYS_AHEAD)

    def after(self, micros: int) -> int | None:
        found = self._clock.after(micros)
        first_minute = micros - micros % 60_000_000 + 60_000_000
        limit = first_minute + _DAYS_AHEAD * 86_400_000_000
        return None if found is None or found > limit else found
