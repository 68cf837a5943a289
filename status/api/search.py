"""`/api/v1/search`: jobs found by keywords, the best first."""

from __future__ import annotations

import sqlite3

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state.reads import Reader
from status.api.database import Database
from status.search import parse_query, search
from status.server.access import project_of
from status.server.answers import json_answer, json_bytes
from status.server.errors import BadRequest, Unavailable
from status.server.query import Query

PARAMETERS = ("q", "project", "label", "archived", "limit")
DEFAULT_LIMIT = 100
MOST = 1000


class SearchRoutes:
    """The endpoint. It has no pages: further down the list is not better found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def routes(self) -> list[Route]:
        return [Route("/api/v1/search", self.search)]

    async def search(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=PARAMETERS, repeatable=("label",))
        own = project_of(request)
        project, labels, archived = query.project(own), query.texts("label"), query.text("archived")
        limit = query.whole("limit", least=1, most=MOST) or DEFAULT_LIMIT
        terms = parse_query(query.text("q") or "")
        if not terms:
            raise BadRequest("parameter 'q' needs a word: letters or digits", parameter="q")
        if archived not in (None, "true", "false", "all"):
            raise BadRequest("parameter 'archived' is true, false or all", parameter="archived")

        def read(reader: Reader) -> Response:
            wanted = None if archived == "all" else archived == "true"
            specs = reader.specs(project=project, labels=labels, archived=wanted)
            try:
                hits, total = search(specs, terms, limit=limit, secrets=own is None)
            except sqlite3.OperationalError as error:
                raise Unavailable(f"this machine's SQLite cannot search: {error}") from None
            return json_answer(request, json_bytes({"items": [hit.view() for hit in hits], "total": total}))

        return await self._database.ask(read)
