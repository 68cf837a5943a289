"""`.../events`: what happened, to all jobs, to one, to a run. What a page holds: `status.lists.events`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state.reads import Reader
from status.api.database import Database
from status.api.finding import find_run, job_of_path
from status.api.house import House
from status.lists.events import events_question
from status.server.access import project_of
from status.server.answers import json_answer, page_bytes
from status.streams.routes import Streams
from status.streams.sse import wants_stream


class EventRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database, streams: Streams) -> None:
        self._house = house
        self._database = database
        self._streams = streams

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/events", self.events),
            Route("/api/v1/runs/{id}/events", self.run_events),
            Route("/api/v1/jobs/{job}/events", self.job_events),
            Route("/api/v1/jobs/{project}/{job}/events", self.job_events),
        ]

    async def events(self, request: Request) -> Response:
        if wants_stream(request):
            return self._streams.events(request, now=self._house.now(), own=project_of(request))
        limit, read = events_question(
            request.scope["query_string"], now=self._house.now(), everywhere=True, own=project_of(request)
        )
        return await self._database.ask(
            lambda reader: json_answer(request, page_bytes(read(reader, None, None), limit, "id"))
        )

    async def run_events(self, request: Request) -> Response:
        if wants_stream(request):
            run = await self._database.ask(lambda reader: find_run(reader, request))
            return self._streams.events(request, now=self._house.now(), run_id=run.id, own=project_of(request))
        limit, read = events_question(request.scope["query_string"], now=self._house.now())

        def answer(reader: Reader) -> Response:
            return json_answer(request, page_bytes(read(reader, None, find_run(reader, request).id), limit, "id"))

        return await self._database.ask(answer)

    async def job_events(self, request: Request) -> Response:
        if wants_stream(request):
            job = job_of_path(self._house, request)
            return self._streams.events(request, now=self._house.now(), job=job, own=project_of(request))
        limit, read = events_question(request.scope["query_string"], now=self._house.now())
        job_id = job_of_path(self._house, request).job_id
        return await self._database.ask(
            lambda reader: json_answer(request, page_bytes(read(reader, job_id, None), limit, "id"))
        )
