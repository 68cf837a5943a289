"""Pages of jobs, from the picture: selected, bounded, joined from rendered fragments, and kept while nothing changes.

Used by `status.api.jobs`. Runs on the event loop, so everything here is bounded: a page costs a walk over at most all
jobs, 2 ms per 10,000, and the same page asked again costs a lookup.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from status.answers import WORTH_PACKING, tag_of
from status.board import JobEntry, Picture
from status.phase import Phase
from status.query import PAGE, Page, Query
from status.selector import parse_selector

PARAMETERS = PAGE | {"project", "label", "tag", "phase", "active", "q"}
REPEATABLE = frozenset(("label", "tag", "phase"))
DEFAULT_LIMIT = 100
MOST = 1000
KEPT_PAGES = 32
KEPT_SIZE = 512 * 1024
"""Larger pages are made anew: 16 MB of them would be too many."""


@dataclass(slots=True)
class Rendered:
    """The body of an answer, with its tag for `If-None-Match`, and compressed as soon as somebody wanted it so."""

    body: bytes
    etag: str
    packed: bytes | None = None

    @property
    def worth_packing(self) -> bool:
        return len(self.body) >= WORTH_PACKING


def job_key(cursor: str) -> tuple[str, str]:
    """The key a cursor of jobs stands for. Raises ValueError with what one looks like."""
    project, slash, name = cursor.partition("/")
    if not slash:
        raise ValueError("a job as project/name")
    return project, name


class JobList:
    """`GET /api/v1/jobs`. One per process."""

    def __init__(self) -> None:
        self._version = -1
        self._pages: dict[tuple[bytes, str | None], Rendered] = {}

    def page(self, picture: Picture, query: bytes, *, own: str | None = None) -> Rendered:
        """The page this query string asks for.

        Args:
            own: the only project that may be listed.

        Raises:
            BadRequest, Unprocessable: the query cannot be understood.
            Forbidden: it names another project than `own`.
        """
        if picture.version != self._version:
            self._pages.clear()
            self._version = picture.version
        kept = self._pages.get((query, own))
        if kept is not None:
            return kept
        rendered = render(picture, query, own=own)
        if len(rendered.body) <= KEPT_SIZE:
            if len(self._pages) >= KEPT_PAGES:
                self._pages.pop(next(iter(self._pages)))
            self._pages[query, own] = rendered
        return rendered


def render(picture: Picture, raw: bytes, *, own: str | None = None) -> Rendered:
    """The page, made anew."""
    query = Query(raw, known=PARAMETERS, repeatable=REPEATABLE)
    page = query.page(job_key, default=DEFAULT_LIMIT, most=MOST, descending=False)
    wanted = wanted_by(query, query.project(own))
    found: list[JobEntry] = []
    more = False
    for entry in _walk(picture, page):
        if wanted(entry):
            if len(found) == page.limit:
                more = True
                break
            found.append(entry)
    cursor = orjson.dumps(found[-1].identity if more else None)
    body = b'{"items":[' + b",".join([entry.fragment for entry in found]) + b'],"next":' + cursor + b"}\n"
    return Rendered(body, tag_of(body))


def wanted_by(query: Query, project: str | None) -> Callable[[JobEntry], bool]:
    """What the filters of a query select. Archived jobs only when `phase` names them."""
    prefix, active = query.text("q"), query.flag("active")
    tags = frozenset(query.texts("tag"))
    phases = query.words("phase", [phase.value for phase in Phase]) or frozenset(Phase) - {Phase.ARCHIVED}
    fits = parse_selector(query.texts("label"))

    def wanted(entry: JobEntry) -> bool:
        return (
            entry.phase in phases
            and (project is None or entry.project == project)
            and (active is None or entry.active is active)
            and (prefix is None or entry.name.startswith(prefix) or entry.identity.startswith(prefix))
            and (not tags or tags.issubset(entry.tags))
            and (fits is None or fits(entry.labels))
        )

    return wanted


def _walk(picture: Picture, page: Page[tuple[str, str]]) -> Iterator[JobEntry]:
    keys = picture.keys
    first = 0 if page.after is None else bisect_right(keys, page.after)
    last = len(keys) if page.before is None else bisect_left(keys, page.before)
    places = range(last - 1, first - 1, -1) if page.descending else range(first, last)
    for place in places:
        yield picture.entries["/".join(keys[place])]
