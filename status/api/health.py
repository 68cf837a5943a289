"""`/healthz`, `/readyz`: whether the daemon is alive, and does its work."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from status.access import is_known_caller
from status.answers import json_bytes
from status.api.house import House
from status.health import Facts, health_view, ready_view
from status.heartbeat import read_heartbeat
from status.query import Query


class HealthRoutes:
    """The endpoints. Answers of this instant: they have no tag.

    They need no token; who has none where one is asked for learns `status` and `ready` alone, all else is null.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[Route]:
        return [Route("/healthz", self.healthz), Route("/readyz", self.readyz)]

    async def healthz(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        body, status = health_view(self._facts())
        if not is_known_caller(request):
            body = {key: value if key == "status" else None for key, value in body.items()}
        return Response(json_bytes(body), status, media_type="application/json")

    async def readyz(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        body, status = ready_view(self._facts())
        if not is_known_caller(request):
            body["reasons"] = None
        return Response(json_bytes(body), status, media_type="application/json")

    def _facts(self) -> Facts:
        refresher = self._house.refresher
        picture = refresher.picture
        return Facts(
            now=self._house.now(),
            heartbeat=read_heartbeat(self._house.home),
            source=picture.source,
            loaded=picture.loaded,
            database_problem=refresher.problem,
            files_problem=refresher.files_problem,
        )
