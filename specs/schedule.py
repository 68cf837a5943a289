"""The `schedule` of a job: from what is written to when it fires.

Called by `specs.load` (is it sound?), the reconciler (when next?), the status room and `jobsctl next`. Reads no clock:
`now` is a parameter everywhere. Instants are integer microseconds since the epoch, UTC. docs/schedules.md tells people
the rules.
"""

from __future__ import annotations

import functools
import hashlib
import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import groupby, islice
from typing import Literal, Protocol

from specs.cron import has_hash
from specs.entry import MANUAL, Context, Entry, Gap, Parts, Repeat, read_parts, read_text
from specs.expression import ScheduleError, ScheduleWarning
from specs.frozen import frozen
from specs.slots import Slots
from specs.zones import find_zone

__all__ = ["Kind", "Schedule", "ScheduleError", "ScheduleWarning", "compile_schedule", "parse_schedule"]

Kind = Literal["manual", "cron", "interval", "continuous", "once", "reboot", "list"]
_MAX_ENTRIES = 1000


@frozen
class Schedule:
    """When a job fires. Immutable; shared by all jobs that say the same.

    `anchor` in the methods is the instant at which this schedule was first applied: the grid of an interval without
    an anchor of its own.
    """

    kind: Kind
    words: str
    """For people: `Daily at 09:00, Europe/Berlin`."""
    timezone: str
    """The zone of its local times; of a list and of what has no local times, the job's."""
    expression: str
    """Normalised, with `H` replaced by what it stands for: `30 4 * * 1-5`, `every 90s`, `2026-12-24T17:00:00Z`."""
    digest: str
    """Of the meaning, 64 hex digits: schedules with one digest fire alike, whatever their spelling."""
    reboot: bool = False
    """Fires once per machine boot, in addition to its slots."""
    warnings: tuple[ScheduleWarning, ...] = ()
    slots: tuple[Slots, ...] = field(default=(), compare=False, repr=False)
    from_finish: int | None = None
    """Microseconds between the end of one run and the start of the next (`continuous`, `every 10m from finish`). Such a
    schedule has no slots that can be known beforehand: ask `next_from_finish`. None for all others."""

    def next_after(self, t: int, *, anchor: int) -> int | None:
        """The first slot strictly after `t`; None when there is none (manual, `@reboot`, a once that has passed)."""
        if len(self.slots) == 1:
            return self.slots[0].next_after(t, anchor)
        found = (slots.next_after(t, anchor) for slots in self.slots)
        return min((at for at in found if at is not None), default=None)

    def latest_through(self, now: int, *, after: int, anchor: int) -> int | None:
        """The last slot in (after, now]. Searched backwards from `now`: years cost as little as minutes."""
        found = (slots.latest_through(now, after, anchor) for slots in self.slots)
        return max((at for at in found if at is not None), default=None)

    def next_from_finish(self, *, anchor: int, last_end: int | None) -> int | None:
        """When the next run is due, given the end of the last one (None: there was none); None for other schedules.

        A run is never due before `anchor`, nor sooner than the delay after an end, so never at a slot that was run.
        The first run of `continuous` is due at the anchor itself; that of a fixed delay one delay later, as with an
        interval.
        """
        if self.from_finish is None:
            return None
        if self.kind == "continuous":
            return anchor if last_end is None else max(anchor, last_end + self.from_finish)
        return (anchor if last_end is None else max(anchor, last_end)) + self.from_finish

    def gaps(self, *, after: int, through: int, anchor: int = 0, limit: int = 100) -> tuple[int, ...]:
        """The instants in (after, through] at which `dst: {gap: skip}` dropped a fixed time: at most `limit`, rising.

        Each is the end of a spring gap, where `run_after` would have run it. An instant that is a slot anyway is not
        among them: it is either run or accounted for as dropped. `anchor` matters to a list with an interval only.
        Costs a look at the zone's offsets, nothing else where no clock was moved.
        """
        if len(self.slots) == 1:
            return tuple(islice(self.slots[0].gaps(after, through), limit))
        dropped = (at for at, _ in groupby(heapq.merge(*(slots.gaps(after, through) for slots in self.slots))))
        return tuple(islice((at for at in dropped if self.next_after(at - 1, anchor=anchor) != at), limit))

    def count(self, *, after: int, through: int, anchor: int, limit: int = 100_000) -> int:
        """How many slots are in (after, through]; counting stops at `limit`."""
        if len(self.slots) == 1:
            return min(limit, self.slots[0].count(after, through, anchor))
        # Entries of a list may name the same instant, which counts once: walk them side by side.
        total, previous = 0, None
        for at in heapq.merge(*(_walk(slots, after, through, anchor) for slots in self.slots)):
            if total >= limit:
                break
            if at != previous:
                total, previous = total + 1, at
        return total


class DstRule(Protocol):
    """What a fixed time does when the clocks change: `specs.model.Dst`, `specs.stored.StoredDst`."""

    @property
    def gap(self) -> Gap: ...
    @property
    def repeat(self) -> Repeat: ...


ScheduleValue = str | Parts | Sequence[str | Parts] | None


class Scheduled(Protocol):
    """A job, as far as its schedule goes: `specs.model.Job`, `specs.stored.StoredJob`."""

    @property
    def schedule(self) -> ScheduleValue: ...
    @property
    def timezone(self) -> str | None: ...
    @property
    def dst(self) -> DstRule: ...
    @property
    def identity(self) -> str: ...


def compile_schedule(job: Scheduled, *, default_timezone: str = "UTC") -> Schedule:
    """The schedule of a job. Cached: jobs that say the same share one object.

    Raises ScheduleError; its `field` is `timezone` when that field of the job (or the default) is what is wrong.
    """
    return parse_schedule(job.schedule, timezone=job.timezone or default_timezone, dst=job.dst, identity=job.identity)


def parse_schedule(value: ScheduleValue, *, timezone: str, dst: DstRule, identity: str) -> Schedule:
    """The meaning of a `schedule`. `identity` (`project/name`) decides what `H` stands for.

    Raises ScheduleError; its `field` is `timezone` when that argument is what is wrong.
    """
    try:
        find_zone(timezone)
    except ScheduleError as error:
        error.field = "timezone"
        raise
    if value is None or isinstance(value, str) or not isinstance(value, Sequence):
        return _single(value, timezone, dst.gap, dst.repeat, identity if _is_hashed(value) else "")
    if not 1 <= len(value) <= _MAX_ENTRIES:
        message = f"a list has at most {_MAX_ENTRIES} entries" if value else "an empty list names no schedule"
        raise ScheduleError(message, help="leave `schedule` out for a job that only runs when triggered")
    return _list(tuple(value), timezone, dst.gap, dst.repeat, identity if any(map(_is_hashed, value)) else "")


def _is_hashed(value: str | Parts | None) -> bool:
    """Then, and only then, does the meaning differ from job to job."""
    text = value if value is None or isinstance(value, str) else value.cron
    return text is not None and has_hash(text)


def _entry(value: str | Parts | None, timezone: str, gap: Gap, repeat: Repeat, identity: str) -> Entry:
    context = Context(find_zone(timezone), gap, repeat, identity)
    if value is None:
        return MANUAL
    return read_text(value, context) if isinstance(value, str) else read_parts(value, context)


@functools.lru_cache(maxsize=16_384)
def _single(value: str | Parts | None, timezone: str, gap: Gap, repeat: Repeat, identity: str) -> Schedule:
    entry = _entry(value, timezone, gap, repeat, identity)
    return Schedule(
        kind=entry.kind,
        words=entry.words,
        timezone=entry.timezone or timezone,
        expression=entry.expression,
        digest=_digest(entry.meaning),
        reboot=entry.kind == "reboot",
        warnings=entry.warnings,
        slots=() if entry.slots is None else (entry.slots,),
        from_finish=entry.from_finish,
    )


@functools.lru_cache(maxsize=4096)
def _list(values: tuple[str | Parts, ...], timezone: str, gap: Gap, repeat: Repeat, identity: str) -> Schedule:
    entries: dict[str, Entry] = {}
    warnings: list[ScheduleWarning] = []
    for index, value in enumerate(values):
        try:
            entry = _entry(value, timezone, gap, repeat, identity)
        except ScheduleError as error:
            raise error.below(index) from None
        if entry.kind == "manual":
            raise ScheduleError(
                "`manual` says nothing in a list", help="remove it: any job can be triggered by hand", loc=(index,)
            )
        if entry.from_finish is not None:
            raise ScheduleError(
                f"`{entry.expression}` cannot be in a list: its next run depends on the end of the last one only",
                help="make it the whole schedule, or write two jobs",
                loc=(index,),
            )
        warnings += [warning.below(index) for warning in entry.warnings]
        entries.setdefault(_digest(entry.meaning), entry)
    return Schedule(
        kind="list",
        words="; ".join(dict.fromkeys(entry.words for entry in entries.values())),
        timezone=timezone,
        expression="; ".join(dict.fromkeys(entry.expression for entry in entries.values())),
        digest=next(iter(entries)) if len(entries) == 1 else _digest(("list", *sorted(entries))),
        reboot=any(entry.kind == "reboot" for entry in entries.values()),
        warnings=tuple(warnings),
        slots=tuple(entry.slots for entry in entries.values() if entry.slots is not None),
    )


def _digest(meaning: tuple[str | int | None, ...]) -> str:
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()


def _walk(slots: Slots, after: int, through: int, anchor: int) -> Iterator[int]:
    at = slots.next_after(after, anchor)
    while at is not None and at <= through:
        yield at
        at = slots.next_after(at, anchor)
