"""`.../logs`: what runs wrote. What a piece of a log is: `status.logs`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from status.api.database import Database
from status.api.finding import find_run
from status.api.house import House
from status.logs import LogQuery, log_response


class LogRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database) -> None:
        self._house = house
        self._database = database

    def routes(self) -> list[Route]:
        return [Route("/api/v1/runs/{id}/logs", self.run_logs)]

    async def run_logs(self, request: Request) -> Response:
        wanted = LogQuery.parse(request.scope["query_string"], now=self._house.now())
        return await self._database.ask(
            lambda reader: log_response(self._house.home, find_run(reader, request), wanted)
        )
