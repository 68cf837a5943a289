"""Pages of events: of all jobs, of one, of a run. Called by `status.api`; parameters: docs/http.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from state.reads import Reader
from status.server.query import PAGE, Query
from status.views import View, event_view

DEFAULT_LIMIT = 100
MOST = 1000
FILTERS = frozenset(("type", "reason", "since", "until", "follow"))
OF_JOBS = frozenset(("project", "label"))
"""Only where no job is named."""


def event_key(cursor: str) -> int:
    """The id a cursor stands for. Raises ValueError with what one looks like."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise ValueError("the id of an event")
    return int(cursor)


def events_question(
    raw: bytes, *, now: int, everywhere: bool = False, own: str | None = None
) -> tuple[int, Callable[[Reader, int | None, str | None], list[View]]]:
    """The page that a query string asks for: its size, and what reads it, with one event more when there are more.

    The second takes the job's number or the run's id, or neither.

    Args:
        everywhere: no job is named, so the query may choose among them.
        own: the only project whose events may be listed, when no job is named.

    Raises:
        BadRequest, Unprocessable, Forbidden: the query cannot be understood, or asks for more than `own`.
    """
    query = Query(
        raw, known=PAGE | FILTERS | (OF_JOBS if everywhere else frozenset()), repeatable=("reason", "label", "type")
    )
    query.flag("follow")
    page = query.page(event_key, default=DEFAULT_LIMIT, most=MOST, descending=False)
    types = query.words("type", ("Normal", "Warning")) or None
    reasons, project, labels = query.texts("reason") or None, query.project(own), query.texts("label")
    since, until = query.instant("since", now=now), query.instant("until", now=now)

    def read(reader: Reader, job_id: int | None, run_id: str | None) -> list[View]:
        events = reader.events(
            job_id=job_id, run_id=run_id, project=project, labels=labels, types=types, reasons=reasons, since=since,
            until=until, after=page.after or 0, before=page.before, limit=page.limit + 1,
            order="desc" if page.descending else "asc",
        )  # fmt: skip

        @cache
        def identity_of(job_id: int | None) -> str | None:
            job = None if job_id is None else reader.job_by_id(job_id)
            return None if job is None else job.identity

        return [event_view(event, identity=identity_of(event.job_id)) for event in events]

    return page.limit, read
