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
    told = list(first.values())
    begin, end = _moved(told[0])
    ways = " and ".join(f"`dst.{kind}`" for kind in first)
    yield Concern(
        "JOB073",
        night_words(told[0], zone=True) + "".join(f"; {night_words(night, said=_time(told[0]))}" for night in told[1:]),
        f"choose a time outside {begin:%H:%M} to {end:%H:%M}, or write {ways} to say what is meant",
        (("schedule",),),
        unless=tuple(("dst", kind) for kind in first),
    )


def night_words(night: Night, *, zone: bool = False, said: str = "") -> str:
    """`02:30 does not exist on 2027-03-28 in Europe/Berlin and runs at 03:00`.

    Args:
        zone: with the name of the zone.
        said: the time that was spoken of last: then it is `it`.
    """
    begin, end = _moved(night)
    time = "it" if _time(night) == said else _time(night)
    where = f"{begin:%Y-%m-%d}" + (f" in {night.timezone}" if zone else "")
    if night.kind == "gap":
        then = f"runs at {end:%H:%M}" if night.effect == "run_after" else "does not run"
        return f"{time} does not exist on {where} and {then}"
    then = "runs once, the first time" if night.effect == "once" else "runs twice"
    return f"{time} exists twice on {where} and {then}"


def _time(night: Night) -> str:
    return f"{night.first // 60:02}:{night.first % 60:02}"


def _moved(night: Night) -> tuple[datetime, datetime]:
    """The first local time that does not exist, or exists twice, and the end of them."""
    era = find_zone(night.timezone).era(night.at // SECOND)
    low, high = sorted((era.start + era.before, era.start + era.offset))
    return _EPOCH + timedelta(seconds=low), _EPOCH + timedelta(seconds=high)
