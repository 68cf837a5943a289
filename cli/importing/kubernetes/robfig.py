"""When Kubernetes starts a CronJob: the rules of its controller's cron library, github.com/robfig/cron v3.

Called by `reader`. The grammar is that of its documentation and tests: five fields, `?`, names, `@every`; a day must
match in both day fields only where one of them is a star. It looks at the wall clock: what the spring leaves out does
not start, what the autumn repeats starts twice. Shares nothing with `specs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cli.importing.cronfields import Meaning
from cli.importing.durations import read_go_duration
from cli.importing.wallclock import WallClock

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_WEEKDAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _WEEKDAYS),
)
DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS_AHEAD = 5 * 366
"""It searches five years, and then gives up."""


class BadSchedule(Exception):
    """Raised when robfig/cron refuses a schedule. The text says why, in words that follow the schedule."""


@dataclass(frozen=True, slots=True)
class Every:
    """`@every 90m`: a fixed distance."""

    seconds: int
    """Whole: fractions of a second are cut off, less than one becomes one."""


def parse(text: str) -> Meaning | Every:
    """The meaning of a schedule without its `TZ=`. Raises BadSchedule."""
    if text.startswith("@every "):
        seconds = read_go_duration(text[len("@every ") :])
        if seconds is None:
            raise BadSchedule(f"`{text[7:]}` is not a duration like 90s, 30m or 1h30m")
        return Every(max(1, int(seconds)))
    if text.startswith("@") and text not in DESCRIPTORS:
        raise BadSchedule(f"`{text}` is none of {', '.join(DESCRIPTORS)} and `@every` with a duration")
    fields = DESCRIPTORS.get(text, text).split()
    if len(fields) != len(_FIELDS):
        raise BadSchedule(f"it has {len(fields)} fields, and cron has five: minute hour day-of-month month day-of-week")
    parsed = [_field(field, place) for place, field in enumerate(fields)]
    sets = [values for values, _ in parsed]
    return Meaning(sets[0], sets[1], sets[2], sets[3], sets[4], both=parsed[2][1] or parsed[4][1])


def _field(text: str, place: int) -> tuple[frozenset[int], bool]:
    """The values of a comma list, and whether `*` (or `?`) is among its members with no step above 1: the star bit."""
    values: set[int] = set()
    starred = False
    for member in filter(None, text.split(",")):
        found, star = _member(member, place)
        values.update(found)
        starred = starred or star
    return frozenset(values), starred


def _member(text: str, place: int) -> tuple[range, bool]:
    name, lowest, highest, names = _FIELDS[place]
    base, *steps = text.split("/")
    first, *rest = base.split("-")
    if len(rest) > 1 or len(steps) > 1:
        raise BadSchedule(f"`{text}` is no {name}")
    star = first in ("*", "?")
    if star:
        low, high = lowest, highest
    else:
        low = _number(first, names, name)
        high = _number(rest[0], names, name) if rest else low
    step = 1
    if steps:
        step = _number(steps[0], {}, name)
        if not rest and not star:
            high = highest
        star = star and step <= 1
    if low < lowest or high > highest:
        sunday = "; Sunday is 0 here" if place == 4 and 7 in (low, high) else ""
        raise BadSchedule(f"`{text}` is outside {lowest}-{highest}, the range of a {name}{sunday}")
    if low > high:
        raise BadSchedule(f"`{text}` runs backwards")
    if step == 0:
        raise BadSchedule(f"`{text}` has a step of nothing")
    return range(low, high + 1, step), star


def _number(text: str, names: dict[str, int], what: str) -> int:
    known = names.get(text.lower())
    if known is not None:
        return known
    if not re.fullmatch(r"\+?[0-9]{1,18}", text):
        raise BadSchedule(f"`{text}` is no {what}")
    return int(text)


class CronRule:
    """A cron expression in a zone (`imported.Rule`): every minute whose place on the wall clock matches.

    Where a zone leaves out a midnight (Cairo, Beirut), upstream can overlook days that follow; these are given here.
    """

    at_boot = False

    def __init__(self, meaning: Meaning, zone: str, words: str) -> None:
        self.words = words
        self._clock = WallClock(zone, meaning.times(), meaning.on, _DAYS_AHEAD) if meaning.ever() else None

    def after(self, micros: int) -> int | None:
        return None if self._clock is None else self._clock.after(micros)


class EveryRule:
    """`@every`: counted from an instant, or from where one begins to look (`imported.Rule`)."""

    at_boot = False

    def __init__(self, every: Every, start: int | None, words: str) -> None:
        """`start`: microseconds UTC of a run, or of the creation of the CronJob; None: not known."""
        self.words = words
        self._period = every.seconds * 1_000_000
        self._start = start

    def after(self, micros: int) -> int | None:
        start = micros if self._start is None else self._start
        return micros + self._period - (micros - start) % self._period
