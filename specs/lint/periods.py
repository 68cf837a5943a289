"""The shortest time between two slots of a schedule. Called by `specs.lint.timeouts`. Pure."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from specs.rules import shortest_period as sampled_period
from specs.schedule import Schedule
from specs.slots import SECOND, CronSlots, WallTimes

_HOUR = 3600 * SECOND
_MINUTE = 60 * SECOND


def shortest_period(schedule: Schedule, *, below: int) -> int | None:
    """Microseconds between the two closest slots, when they are closer than `below`; else None.

    Slots are looked for only where they may be as close as that: of 10,000 jobs nearly all run once a day.
    """
    if not schedule.slots:
        return None
    only = schedule.slots[0] if len(schedule.slots) == 1 else None
    # A clock that is moved forward brings two slots closer by as much as it is moved, which is no rule of the job.
    if isinstance(only, CronSlots) and _least(only.times) >= below:
        return None
    period = _sampled(schedule)
    return period if period is not None and period < below else None


@lru_cache(maxsize=16_384)
def _sampled(schedule: Schedule) -> int | None:
    return sampled_period(schedule)


def _least(times: WallTimes) -> int:
    """The shortest distance of two times of one day, or of the last and the first of two days; microseconds."""
    minutes = [minute for minute in range(60) if times.minutes >> minute & 1]
    hours = [hour for hour in range(24) if times.hours >> hour & 1]
    within = min((later - sooner for sooner, later in pairwise(minutes)), default=None)
    across = minutes[0] - minutes[-1]
    apart = [later - sooner for sooner, later in pairwise(hours)] + [hours[0] + 24 - hours[-1]]
    found = [min(apart) * _HOUR + across * _MINUTE]
    return min(found if within is None else [*found, within * _MINUTE])
