"""The runs of a job, a page at a time with links to the others, filtered by state. Read by the page of a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from state.ids import is_id
from state.records import Run, RunState
from status.page.filters import with_query
from status.page.visit import Visit
from status.server.errors import BadRequest
from status.server.query import Query

SIZE = 25
KNOWN = ("state", "before", "after")
"""Parameters of the page."""
GROUPS = {
    "all": (),
    "failed": (RunState.FAILED, RunState.EXPIRED),
    "succeeded": (RunState.SUCCEEDED,),
    "cancelled": (RunState.CANCELLED,),
    "skipped": (RunState.SKIPPED,),
    "active": (RunState.PENDING, RunState.BLOCKED, RunState.RUNNING),
}
"""What can be chosen, with the states it stands for."""


@dataclass(frozen=True, slots=True)
class History:
    """One page of runs, newest first."""

    runs: Sequence[Run]
    chosen: str
    choices: Sequence[tuple[str, str]]
    """Name and address of every filter."""
    newer: str | None
    older: str | None
    """Addresses of the pages beside; None at an end."""
    first: bool
    """It begins with the newest run: it changes when something happens."""


def history_of(visit: Visit, job_id: int, query: Query) -> History:
    """The page that is asked for.

    Raises:
        BadRequest: a parameter is not readable.
    """
    chosen = next(iter(query.words("state", GROUPS)), "all")
    before, after = _cursor(query, "before"), _cursor(query, "after")
    states = GROUPS[chosen] or None
    forward = after is not None and before is None
    found = visit.reader.runs(
        job_id=job_id, states=states, before=before, after=after, limit=SIZE + 1, order="asc" if forward else "desc"
    )
    more = len(found) > SIZE
    runs = found[:SIZE]
    if forward:
        runs.reverse()

    def address(**cursor: str | None) -> str:
        return with_query(visit.path, {"state": None if chosen == "all" else chosen, **cursor}) + "#history"

    newer = more if forward else before is not None
    older = True if forward else more
    return History(
        runs=runs,
        chosen=chosen,
        choices=[
            (name, with_query(visit.path, {"state": None if name == "all" else name}) + "#history") for name in GROUPS
        ],
        newer=address(after=runs[0].id) if newer and runs else address() if newer else None,
        older=address(before=runs[-1].id) if older and runs else None,
        first=before is None and after is None,
    )


def _cursor(query: Query, name: str) -> str | None:
    given = query.text(name)
    if given is not None and not is_id(given):
        raise BadRequest(f"{name!r} is not the id of a run", parameter=name)
    return given
