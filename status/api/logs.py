"""`.../logs`: what runs wrote. What a piece of a log is: `status.lists.logs`; as it grows: `status.streams`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state.reads import Reader
from status.api.database import Database
from status.api.finding import find_run, job_of_path
from status.api.house import House
from status.lists.joblogs import FORMATS, PARAMETERS, read_job_log
from status.lists.logs import Cut, LogQuery, log_response
from status.server.access import project_of
from status.server.answers import json_answer, json_bytes
from status.server.query import Query
from status.streams.routes import Streams
from status.streams.sse import wants_stream


class LogRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database, streams: Streams) -> None:
        self._house = house
        self._database = database
        self._streams = streams

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/runs/{id}/logs", self.run_logs),
            Route("/api/v1/jobs/{job}/logs", self.job_logs),
            Route("/api/v1/jobs/{project}/{job}/logs", self.job_logs),
        ]

    async def run_logs(self, request: Request) -> Response:
        now = self._house.now()
        if wants_stream(request):
            found = await self._database.ask(
                lambda reader: self._streams.run_log(
                    request, find_run(reader, request), now=now, own=project_of(request)
                )
            )
            return self._streams.logs(found)
        wanted = LogQuery.parse(request.scope["query_string"], now=now)
        return await self._database.ask(
            lambda reader: log_response(self._house.home, find_run(reader, request), wanted)
        )

    async def job_logs(self, request: Request) -> Response:
        if wants_stream(request):
            now, job_id = self._house.now(), job_of_path(self._house, request).job_id
            return self._streams.logs(
                await self._database.ask(
                    lambda _: self._streams.job_logs(request, job_id, now=now, own=project_of(request))
                )
            )
        query = Query(request.scope["query_string"], known=PARAMETERS)
        query.flag("follow")
        wanted = LogQuery.of(query, now=self._house.now())
        as_json = "json" in query.words("format", FORMATS)
        job_id = job_of_path(self._house, request).job_id

        def read(reader: Reader) -> Response:
            cut = Cut()
            found = read_job_log(self._house.home, reader, job_id, wanted, cut)
            if as_json:
                truncated = None if cut.why == "false" else cut.why
                return json_answer(
                    request, json_bytes({"items": [each.view() for each in found], "truncated": truncated})
                )
            headers = {"content-type": "text/plain; charset=utf-8", "x-log-truncated": cut.why}
            return Response(b"".join(line for each in found for line in each.lines()), headers=headers)

        return await self._database.ask(read)
