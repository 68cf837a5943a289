"""`.../logs`: what runs wrote. What a piece of a log is: `status.logs`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from status.api.database import Database
from status.api.finding import find_run
from status.api.house import House
from status.logs import LogQuery, log_response
from status.streams.routes import Streams
from status.streams.sse import wants_stream


class LogRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database, streams: Streams) -> None:
        self._house = house
        self._database = database
        self._streams = streams

    def routes(self) -> list[Route]:
        return [Route("/api/v1/runs/{id}/logs", self.run_logs)]

    async def run_logs(self, request: Request) -> Response:
        now = self._house.now()
        if wants_stream(request):
            found = await self._database.ask(
                lambda reader: self._streams.log_place(request, find_run(reader, request), now=now)
            )
            return self._streams.log(found)
        wanted = LogQuery.parse(request.scope["query_string"], now=now)
        return await self._database.ask(
            lambda reader: log_response(self._house.home, find_run(reader, request), wanted)
        )
