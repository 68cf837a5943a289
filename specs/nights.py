"""The nights on which a schedule does not do what its fields say, because a clock is moved.

Asked by the command line for jobs that are about to change. Pure: `now` is a parameter. What happens is what
`specs.slots` does on such a night (Debian cron's rule, docs/schedules.md); the tests hold the one against the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from specs.frozen import frozen
from specs.schedule import Schedule
from specs.slots import CORRECTION, SECOND, CronSlots
from specs.zones import Era

YEAR = 366 * 86_400 * SECOND
Kind = Literal["gap", "repeat"]
Effect = Literal["run_after", "skip", "once", "twice", "follow"]


@frozen
class Night:
    """One moved clock that changes when a schedule fires."""

    at: int
    """The instant at which the clock is moved, microseconds UTC."""
    timezone: str
    kind: Kind
    """`gap`: local times are left out; `repeat`: they come twice."""
    effect: Effect
    """`run_after`: the times in the gap run once, at its end. `skip`: they are dropped. `once`, `twice`: those in the
    repeat. `follow`: minutes or hours begin with `*`, so the wall clock is followed: left out, or run again."""
    times: int
    """How many times of the schedule are in the gap or repeat."""
    first: int
    """The first of them, in minutes of the local day."""


def nights(schedule: Schedule, now: int, *, until: int | None = None) -> Iterator[Night]:
    """In order of time, from `now` to `until` (default: a year later)."""
    end = now + YEAR if until is None else until
    found = (night for slots in schedule.slots if isinstance(slots, CronSlots) for night in _of(slots, now, end))
    yield from sorted(set(found), key=lambda night: (night.at, night.first))


def _of(slots: CronSlots, now: int, end: int) -> Iterator[Night]:
    if not slots.fixed and slots.times.hours == (1 << 24) - 1:
        return  # every hour: on such a night as on any other
    second, last = max(now // SECOND, 0), end // SECOND
    while second < last:
        era = slots.zone.era(second)
        second = era.end
        if second >= last:
            return
        moved = slots.zone.era(second)
        if night := _night(slots, moved):
            yield night


def _night(slots: CronSlots, era: Era) -> Night | None:
    """What the move at the beginning of this era does; None when it does nothing to this schedule."""
    shift = era.offset - era.before
    if shift > 0:
        low, high, kind = era.start + era.before, era.start + era.offset, "gap"
        summer_time = slots.fixed and shift < CORRECTION
        effect: Effect = "follow" if not summer_time else "run_after" if slots.run_after_gap else "skip"
    else:
        low, high, kind = era.start + era.offset, era.start + era.before, "repeat"
        summer_time = slots.fixed and -shift <= CORRECTION
        effect = "follow" if not summer_time else "twice" if slots.repeat_twice else "once"
    first, past = -(low // -60), -(high // -60)
    times = slots.times.count(first, past)
    at = slots.times.at_or_after(first, past) if times else None
    if at is None:
        return None
    return Night(era.start * SECOND, slots.zone.name, "gap" if kind == "gap" else "repeat", effect, times, at % 1440)
