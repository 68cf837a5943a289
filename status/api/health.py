"""`/healthz`, `/readyz`: whether the daemon is alive, and does its work."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from status.api.house import House
from status.health import Facts, health_view, ready_view
from status.heartbeat import HeartbeatFile
from status.server.access import is_known_caller, project_of
from status.server.answers import json_bytes
from status.server.query import Query


class HealthRoutes:
    """The endpoints. Answers of this instant: they have no tag.

    They need no token; who has none where one is asked for learns `status` and `ready` alone, all else is null. What is
    wrong may name any job: who may see one project is told that something is, not what.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._heartbeat = HeartbeatFile(house.home)

    def routes(self) -> list[Route]:
        return [Route("/healthz", self.healthz), Route("/readyz", self.readyz)]

    async def healthz(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        body, status = health_view(self._facts())
        if not is_known_caller(request):
            body = {key: value if key == "status" else None for key, value in body.items()}
        elif project_of(request) is not None:
            body |= {"problems": None, "lastError": None}
        return Response(json_bytes(body), status, media_type="application/json")

    async def readyz(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        body, status = ready_view(self._facts())
        if not is_known_caller(request) or project_of(request) is not None:
            body["reasons"] = None
        return Response(json_bytes(body), status, media_type="application/json")

    def _facts(self) -> Facts:
        refresher = self._house.refresher
        picture = refresher.picture
        return Facts(
            now=self._house.now(),
            heartbeat=self._heartbeat.read(),
            source=picture.source,
            loaded=picture.loaded,
            database_problem=refresher.problem,
            files_problem=refresher.files_problem,
        )
