"""`/api/v1/jobs`: lists of jobs, and one. From the picture in memory: no question to the database."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state.reads import Reader
from status.api.database import Database
from status.api.finding import job_of_path, picture_of
from status.api.house import House
from status.lists.jobs import JobList, Rendered, render
from status.lists.nextstarts import next_starts
from status.server.access import project_of
from status.server.answers import is_known, json_answer, json_bytes, not_modified, takes_gzip
from status.server.query import Query

DEFAULT_STARTS, MOST_STARTS = 5, 100


class JobRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database) -> None:
        self._house = house
        self._database = database
        self._list = JobList()

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/jobs", self.jobs),
            Route("/api/v1/jobs/{job}", self.job),
            Route("/api/v1/jobs/{job}/status", self.status),
            Route("/api/v1/jobs/{project}/{job}", self.job),
            Route("/api/v1/jobs/{project}/{job}/status", self.status),
        ]

    async def jobs(self, request: Request) -> Response:
        picture, query, own = picture_of(self._house), request.scope["query_string"], project_of(request)
        page = self._list.find(picture, query, own)
        if page is None:
            page = await self._database.from_memory(lambda: render(picture, query, own=own))
            self._list.keep(picture, query, own, page)
        return await self._answer(request, page)

    async def _answer(self, request: Request, page: Rendered) -> Response:
        """As `json_answer`; a page keeps its compressed form, and a large one is compressed in a thread."""
        if is_known(request, page.etag):
            return not_modified(page.etag)
        compressed = page.worth_packing and takes_gzip(request)
        if compressed not in page.answers:
            return await self._database.from_memory(lambda: page.answer(compressed=compressed))
        return page.answers[compressed]

    async def job(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        return json_answer(request, job_of_path(self._house, request).fragment + b"\n")

    async def status(self, request: Request) -> Response:
        """A job, and its next starts: those depend on the clock, so they are in no shape that is kept."""
        query = Query(request.scope["query_string"], known=("next",))
        number = query.whole("next", least=1, most=MOST_STARTS) or DEFAULT_STARTS
        entry = job_of_path(self._house, request)
        now, timezone = self._house.now(), self._house.refresher.timezone

        def read(reader: Reader) -> Response:
            starts = next_starts(reader, entry, now=now, timezone=timezone, number=number)
            return json_answer(request, json_bytes({**orjson.loads(entry.fragment), **starts}))

        return await self._database.ask(read)
