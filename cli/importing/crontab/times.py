"""A crontab's time as a `schedule`: as it is written, where both read it alike. Called by `entry`. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from cli.importing.crontab.fields import BOUNDS, NAMES, read_fields
from cli.importing.imported import Level
from specs.cron import parse_cron
from specs.expression import ScheduleError


@dataclass(frozen=True, slots=True)
class Timed:
    """What becomes of a time."""

    schedule: str | None
    """None: never."""
    said: list[tuple[Level, str, str]] = field(default_factory=list)
    """Notes: level, what, why."""


def to_schedule(time: str) -> Timed:
    """The schedule of a time that cron accepts."""
    if time.startswith("@"):
        return Timed(time)
    texts = time.split(" ")
    if "~" in time:
        return _drawn(texts)
    if _ours(time):
        return Timed(time)
    return _rewritten(texts, time)


def _drawn(texts: list[str]) -> Timed:
    """cronie's `~`: `0~29` is a number that is drawn whenever the file is loaded."""
    made: list[str] = []
    for index, text in enumerate(texts):
        low, drawn, rest = text.partition("~")
        if not drawn:
            made.append(text)
        elif text == "~":
            made.append("H")
        else:
            first, last, _ = BOUNDS[index]
            high, slash, step = rest.partition("/")
            made.append(f"H({low or first}-{high or last}){slash}{step}")
    why = "cronie draws a number whenever it loads the file; `H` is one of the job's own, always the same"
    return Timed(" ".join(made), [("changed", "~ in the time", why)])


def _ours(text: str) -> bool:
    try:
        parse_cron(text, "default/example")
    except ScheduleError:
        return False
    return True


def _rewritten(texts: list[str], time: str) -> Timed:
    """Fields that only cron reads (`5-5`, `0-59/90`, ranges that run backwards) as lists of what they match."""
    read = read_fields(tuple(texts))
    sets = (read.minutes, read.hours, read.days, read.months, read.weekdays)
    for index, numbers in enumerate(sets):
        trial = ["0", "0", "*", "*", "*"]
        trial[index] = texts[index]
        if _ours(" ".join(trial)):
            continue
        if not numbers:
            why = f"cron reads the {NAMES[index]} `{texts[index]}` as none at all, so it never starts this line"
            return Timed(None, [("lost", time, f"{why}: the job has no schedule")])
        star = texts[index].startswith("*")
        texts[index] = ",".join(map(str, sorted(numbers)))
        if star and index in (0, 1, 2, 4):
            return Timed(" ".join(texts), [("changed", time, f"written out as `{' '.join(texts)}`")])
    if not _ours(" ".join(texts)):
        return Timed(
            None, [("lost", time, "no month has such a day: cron never starts it, and the job has no schedule")]
        )
    return Timed(" ".join(texts), [("info", time, f"the same, written as `{' '.join(texts)}`")])
