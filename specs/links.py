"""What a job names outside its own document: jobs it depends on, pool, calendars, notifiers, what it was called before.

Made by `specs.load`, kept with the file's part, checked over all files by `specs.references`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from specs.document import Loc
from specs.model import Job
from specs.policies import Dependency


class Link(NamedTuple):
    """One name in a job."""

    kind: Literal["job", "Pool", "Calendar", "Notifier", "rename"]
    target: str
    """The identity meant: `project/name` of a job, `Kind:name` of what jobs share."""
    loc: Loc
    """Where it is said."""


def reference(value: str, project: str) -> str:
    """The identity that a job of `project` means by `name` or `project/name`."""
    return value if "/" in value else f"{project}/{value}"


def links_of(job: Job) -> tuple[Link, ...]:
    """Everything a job names, in the order of the fields."""
    if (
        job.depends_on is None
        and job.pool is None
        and job.calendar is None
        and not job.notify
        and job.renamed_from is None
    ):
        return ()
    found = dependencies(job)
    if job.pool is not None:
        found.append(Link("Pool", f"Pool:{job.pool}", ("pool",)))
    if isinstance(job.calendar, str):
        found.append(Link("Calendar", f"Calendar:{job.calendar}", ("calendar",)))
    for index, name in enumerate(job.calendar if isinstance(job.calendar, list) else ()):
        found.append(Link("Calendar", f"Calendar:{name}", ("calendar", index)))
    for index, rule in enumerate(job.notify):
        place: Loc = ("notify", index, "to")
        if isinstance(rule.to, str):
            found.append(Link("Notifier", f"Notifier:{rule.to}", place))
        for at, name in enumerate(rule.to if isinstance(rule.to, list) else ()):
            found.append(Link("Notifier", f"Notifier:{name}", (*place, at)))
    if job.renamed_from is not None:
        found.append(Link("rename", reference(job.renamed_from, job.project), ("renamed_from",)))
    return tuple(found)


def dependencies(job: Job) -> list[Link]:
    """The jobs it depends on, in its order."""
    found: list[Link] = []
    for index, each in enumerate(job.depends_on or ()):
        loc: Loc = ("depends_on", index)
        named, loc = (each.job, (*loc, "job")) if isinstance(each, Dependency) else (each, loc)
        found.append(Link("job", reference(named, job.project), loc))
    return found
