"""JOB071 and JOB072: what a timeout and the time between two slots say of each other. Called by `specs.lint`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from specs.lint.concern import Concern, Subject
from specs.lint.periods import shortest_period
from specs.phrases import say_length, say_period
from specs.slots import SECOND

FREQUENT = 600 * SECOND
"""Microseconds. A program that runs more often than this is meant to be short, so that a timeout is easily named, and
one that hangs loses slots by the hundred before somebody looks. For rarer ones nobody but their author knows how long
is too long: to ask each of them would be noise."""


def timeout_concerns(subject: Subject) -> Iterator[Concern]:
    """A timeout that is longer than the distance of two slots; none at all where a program runs often."""
    job, schedule = subject.job, subject.schedule
    timeout = None if isinstance(job.timeout, str) else round(job.timeout * SECOND)
    if timeout is not None:
        period = shortest_period(schedule, below=timeout)
        if period is not None:
            yield _longer(subject, timeout, period)
        return
    if schedule.kind == "interval" and schedule.from_finish is not None:
        period = schedule.from_finish if schedule.from_finish < FREQUENT else None
    else:
        period = shortest_period(schedule, below=FREQUENT)
    if period is not None and job.overlap != "replace":
        yield Concern(
            "JOB072",
            f"it can start {say_period(period).lower()} and has no `timeout`: {_when_it_hangs(subject)}",
            f"give it one, like `timeout: {_round(period)}`; `timeout: none` says that it is meant",
            (("schedule",),),
            unless=(("timeout",),),
        )


def _longer(subject: Subject, timeout: int, period: int) -> Concern:
    overlap = subject.job.overlap
    what = {
        "skip": "slots are skipped while a run takes longer",
        "queue": "a slot waits, and those after it are skipped, while a run takes longer",
        "allow": "runs pile up when they take longer",
        "replace": "a run is cancelled by the next slot, never by its timeout",
    }[overlap]
    help = (
        f"give it a `timeout` below {say_length(period)}, or remove it"
        if overlap == "replace"
        else f"give it a `timeout` of at most {say_length(period)}, or write `overlap: {overlap}`: then it is meant"
    )
    return Concern(
        "JOB071",
        f"`timeout` is {say_length(timeout)}, and two slots are only {say_length(period)} apart: {what}",
        help,
        (("timeout",), ("schedule",)),
        unless=() if overlap == "replace" else (("overlap",),),
    )


def _when_it_hangs(subject: Subject) -> str:
    if subject.schedule.from_finish is not None:
        return "after a run that hangs it never starts again"
    if subject.job.overlap == "allow":
        return f"runs that hang pile up, until {subject.job.max_concurrent or 10} are there"
    return "after a run that hangs every slot is skipped"


def _round(period: int) -> str:
    """A timeout to begin with: the period, when it is whole minutes, else in seconds."""
    seconds = max(1, period // SECOND)
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
