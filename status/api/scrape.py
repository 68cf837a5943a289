"""`/metrics`: for Prometheus. Its series are made by `status.metrics.exposition`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from status.api.database import Database
from status.api.house import House
from status.metrics.exposition import OPENMETRICS, PLAIN, wants_openmetrics
from status.server.query import Query

SHARED_SCRAPE = 1.0
"""Seconds for which scrapes get the same text: a storm of them costs one."""


AT_ONCE = 256 * 1024
"""Bytes handed to the socket before others have their turn: 0.1 ms, with 18 MB to send."""


class Pieces(Response):
    """A body that is sent piece by piece, as the client takes it, with its length known beforehand."""

    def __init__(self, pieces: Sequence[bytes], content_type: str) -> None:
        super().__init__(headers={"content-type": content_type, "content-length": str(sum(map(len, pieces)))})
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in self._pieces if scope["method"] == "GET" else ():
            whole = memoryview(piece)
            for start in range(0, len(whole), AT_ONCE):
                await send({"type": "http.response.body", "body": whole[start : start + AT_ONCE], "more_body": True})
                await asyncio.sleep(0)  # others have their turn, and we hear that the client is gone
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class ScrapeRoutes:
    """The endpoint."""

    def __init__(self, house: House, database: Database) -> None:
        self._house = house
        self._database = database
        self._scrapes: dict[bool, tuple[float, asyncio.Future[list[bytes]]]] = {}

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.metrics)]

    async def metrics(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        now = self._house.monotonic()
        made_at, scrape = self._scrapes.get(openmetrics, (float("-inf"), None))
        if scrape is None or (scrape.done() and (now - made_at > SHARED_SCRAPE or scrape.cancelled())):
            exporter = self._house.exporter
            scrape = self._database.aside(lambda: exporter.scrape(openmetrics=openmetrics))
            self._scrapes[openmetrics] = now, scrape
            asyncio.get_running_loop().call_later(SHARED_SCRAPE, self._forget, openmetrics, scrape)
        # Shielded: the client that asked first may hang up while others wait for the same text.
        pieces = await asyncio.shield(scrape)
        return Pieces(pieces, OPENMETRICS if openmetrics else PLAIN)

    def _forget(self, openmetrics: bool, scrape: asyncio.Future[list[bytes]]) -> None:
        """10 MB of text are not kept from one scrape to the next."""
        if scrape.done() and self._scrapes.get(openmetrics, (0.0, None))[1] is scrape:
            del self._scrapes[openmetrics]
