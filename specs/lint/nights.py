"""The nights on which the clocks change, as a schedule meets them; and JOB073, which tells of the next ones.

`nights` is called by whoever shows what lies ahead; `night_concerns` by `specs.lint`. Pure: `now` is a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from specs.lint.concern import Concern, Subject
from specs.schedule import Schedule
from specs.slots import CORRECTION, LAST_SECOND, SECOND, CronSlots
from specs.zones import Era

AHEAD = 400 * 86_400 * SECOND
"""Microseconds: every zone that changes its clocks does so twice within them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Night:
    """One change of the clock that meets a fixed time of a schedule."""

    at: int
    """When the clock is moved, microseconds since the epoch."""
    kind: Literal["gap", "repeat"]
    zone: str
    date: str
    """The local date, `2027-03-28`."""
    time: str
    """The first local time that does not exist, or exists twice: `02:30`."""
    times: int
    """How many of its times that night are so."""
    begin: str
    """Where the local times that do not exist, or exist twice, begin: `02:00`."""
    end: str
    """Where they end: `03:00`."""
    outcome: Literal["run_after", "with_next", "skip", "once", "twice"]
    """What becomes of them. `with_next`: it runs at the end of the gap, where it has a slot anyway."""

    @property
    def words(self) -> str:
        """`02:30 does not exist on 2027-03-28 (the clock goes from 02:00 to 03:00): it runs at 03:00`."""
        if self.kind == "gap":
            what = f"does not exist on {self.date} (the clock goes from {self.begin} to {self.end})"
        else:
            what = f"exists twice on {self.date} (the clock goes from {self.end} back to {self.begin})"
        then = {
            "run_after": f"it runs at {self.end}",
            "with_next": f"it runs at {self.end}, where it has a slot anyway",
            "skip": "it does not run",
            "once": "it runs once, the first time",
            "twice": "it runs twice",
        }[self.outcome]
        return f"{self.time} {what}: {then}"


def nights(schedule: Schedule, *, after: int, through: int) -> tuple[Night, ...]:
    """Every change of a clock in (after, through] that meets a fixed time of this schedule, rising.

    The rule is `specs.slots.CronSlots`'; a schedule whose minute or hour begins with `*` follows the clock and has no
    such night. Costs a look at the zone's offsets.
    """
    found = {
        night for slots in schedule.slots if isinstance(slots, CronSlots) for night in _nights(slots, after, through)
    }
    return tuple(sorted(found, key=lambda night: (night.at, night.zone, night.time)))


def night_concerns(subject: Subject, now: int) -> Iterator[Concern]:
    """The next night of each kind."""
    ahead = nights(subject.schedule, after=now, through=now + AHEAD)
    first: dict[str, Night] = {}
    for night in ahead:
        first.setdefault(night.kind, night)
    if not first:
        return
    one = next(iter(first.values()))
    yield Concern(
        "JOB073",
        f"in {one.zone}, " + "; ".join(night.words for night in first.values()),
        f"choose a time outside {one.begin} to {one.end}, or write "
        + " and ".join(f"`dst.{kind}`" for kind in first)
        + " to say what is meant",
        (("schedule",),),
        unless=tuple(("dst", kind) for kind in first),
    )


def _nights(slots: CronSlots, after: int, through: int) -> Iterator[Night]:
    second, end = max(after // SECOND + 1, 0), min(through // SECOND, LAST_SECOND) + 1
    while slots.fixed and slots.zone.name != "UTC" and second < end:
        era = slots.zone.era(second)
        if second == era.start and era.offset != era.before and (night := _night(slots, era)) is not None:
            yield night
        second = era.end


def _night(slots: CronSlots, era: Era) -> Night | None:
    moved = era.offset - era.before
    if not -CORRECTION <= moved < CORRECTION:
        return None  # a correction of the zone: times simply follow the wall clock
    low, high = sorted((era.start + era.before, era.start + era.offset))
    first, past = -(low // -60), -(high // -60)
    count = slots.times.count(first, past)
    wall = slots.times.at_or_after(first, past) if count else None
    if wall is None:
        return None
    outcome: Literal["run_after", "with_next", "skip", "once", "twice"]
    if moved < 0:
        outcome = "twice" if slots.repeat_twice else "once"
    elif not slots.run_after_gap:
        outcome = "skip"
    else:
        slot_there = high % 60 == 0 and slots.times.count(past, past + 1) == 1
        outcome = "with_next" if slot_there else "run_after"
    return Night(
        era.start * SECOND,
        "gap" if moved > 0 else "repeat",
        slots.zone.name,
        _local(wall * 60).strftime("%Y-%m-%d"),
        _local(wall * 60).strftime("%H:%M"),
        count,
        _local(low).strftime("%H:%M"),
        _local(high).strftime("%H:%M"),
        outcome,
    )


def _local(second: int) -> datetime:
    return _EPOCH + timedelta(seconds=second)
