"""JOB076: a job waits for a success that will not come by itself. Called by `specs.lint`. Pure: `now` is a parameter.

Only what the files say is known here: whether the other job is suspended by hand, or complete, is the daemon's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from specs.entry import read_instant
from specs.links import dependencies
from specs.lint.concern import Concern, Subject
from specs.model import Suspend
from specs.zones import rfc3339

SubjectOf = Callable[[str], Subject | None]
"""The sound job of an identity; None when there is none."""


def dependency_concerns(subject: Subject, subject_of: SubjectOf, now: int) -> Iterator[Concern]:
    """Each entry of `depends_on` whose job never runs, or never by itself."""
    if subject.job.depends_on is None or subject.job.suspend is not False:
        return
    for _, identity, loc in dependencies(subject.job):
        upstream = subject_of(identity)
        why = None if upstream is None or identity == subject.identity else never(upstream, now)
        if why is not None:
            yield Concern(
                "JOB076",
                f"`{identity}` {why[0]}: this job will wait for a success that does not come by itself",
                f"{why[1]}, or take it out of `depends_on`",
                (loc,),
            )


def never(subject: Subject, now: int) -> tuple[str, str] | None:
    """Why a job does not run by itself after `now`, and what would help; None when it does."""
    job, schedule = subject.job, subject.schedule
    if isinstance(job.suspend, Suspend):
        return f"is suspended ({job.suspend.reason})", f"let `{subject.identity}` run again"
    if job.suspend:
        return "is suspended", f"let `{subject.identity}` run again"
    if job.end_at is not None:
        end = read_instant(job.end_at, subject.timezone)
        if end <= now:
            return f"has ended, by its `end_at` {job.end_at}", f"give `{subject.identity}` a later `end_at`"
    else:
        end = None
    if schedule.kind == "manual":
        return (
            None
            if job.depends_on is not None
            else ("runs only when triggered", f"give `{subject.identity}` a `schedule`")
        )
    if schedule.reboot or schedule.from_finish is not None:
        return None
    following = schedule.next_after(now, anchor=now)
    if following is not None and (end is None or following <= end):
        return None
    last = schedule.latest_through(now, after=0, anchor=0)
    when = "" if last is None else f"; its last was {rfc3339(last)}"
    return f"has no slot any more{when}", f"give `{subject.identity}` a new `schedule`"
