"""`/api/v1/source`: the last look at the specs: its revision, and which documents are invalid, with their places."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from status.api.finding import picture_of
from status.api.house import House
from status.server.answers import json_answer, json_bytes
from status.server.query import Query
from status.views import source_view


class SourceRoutes:
    """The endpoint."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[Route]:
        return [Route("/api/v1/source", self.source)]

    async def source(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        return json_answer(request, json_bytes(source_view(picture_of(self._house).source)))
