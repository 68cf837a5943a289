"""JOB073: a local time that does not exist on one of the next nights, or exists twice. Called by `specs.lint`. Pure.

Which nights those are is `specs.nights`' to know; a schedule that follows the wall clock (`*` in minutes or hours) is
not told of them, for that is what its author wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from specs.lint.concern import Concern, Subject
from specs.nights import Night, nights
from specs.slots import SECOND
from specs.zones import find_zone

AHEAD = 400 * 86_400 * SECOND
"""Microseconds: from the last Sunday of one March to that of the next are 371 days at most."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def night_concerns(subject: Subject, now: int) -> Iterator[Concern]:
    """The next night of each kind, in one warning."""
    first: dict[str, Night] = {}
    for night in nights(subject.schedule, now, until=now + AHEAD):
        if night.effect != "follow":
            first.setdefault(night.kind, night)
    if not first:
        return
    begin, end = _moved(next(iter(first.values())))
    ways = " and ".join(f"`dst.{kind}`" for kind in first)
    zones = {night.timezone for night in first.values()}
    yield Concern(
        "JOB073",
        f"in {', '.join(sorted(zones))} " + "; ".join(map(night_words, first.values())),
        f"choose a time outside {begin:%H:%M} to {end:%H:%M}, or write {ways} to say what is meant",
        (("schedule",),),
        unless=tuple(("dst", kind) for kind in first),
    )


def night_words(night: Night) -> str:
    """`02:30 does not exist on 2027-03-28 (clocks go from 02:00 to 03:00): it runs at 03:00`."""
    begin, end = _moved(night)
    time = f"{night.first // 60:02}:{night.first % 60:02}"
    if night.kind == "gap":
        then = f"it runs at {end:%H:%M}" if night.effect == "run_after" else "it does not run"
        return f"{time} does not exist on {begin:%Y-%m-%d} (clocks go from {begin:%H:%M} to {end:%H:%M}): {then}"
    then = "it runs once, the first time" if night.effect == "once" else "it runs twice"
    return f"{time} exists twice on {begin:%Y-%m-%d} (clocks go from {end:%H:%M} back to {begin:%H:%M}): {then}"


def _moved(night: Night) -> tuple[datetime, datetime]:
    """The first local time that does not exist, or exists twice, and the end of them."""
    era = find_zone(night.timezone).era(night.at // SECOND)
    low, high = sorted((era.start + era.before, era.start + era.offset))
    return _EPOCH + timedelta(seconds=low), _EPOCH + timedelta(seconds=high)
