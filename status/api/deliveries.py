"""`/api/v1/deliveries`: what was told to whom, and what came of it. Asked of the outbox; another process writes it.

A token of one project sees what is about jobs of that project alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state import errors as state_errors
from state.outbox.reads import OutboxReader
from state.outbox.records import DeliveryKind, DeliveryState
from status.api.database import Database
from status.api.finding import find_job
from status.api.house import House
from status.deliveries import delivery_detail, delivery_view
from status.server import errors
from status.server.access import project_of
from status.server.answers import json_answer, json_bytes, page_bytes
from status.server.query import PAGE, Query

LIMIT, MOST = 100, 1000
FILTERS = ("job", "project", "run", "target", "kind", "state", "since", "until")


class DeliveryRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database) -> None:
        self._house = house
        self._database = database

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/deliveries", self.deliveries),
            Route("/api/v1/deliveries/{id}", self.delivery),
        ]

    async def deliveries(self, request: Request) -> Response:
        now, own = self._house.now(), project_of(request)
        query = Query(request.scope["query_string"], known=PAGE.union(FILTERS), repeatable=("state",))
        page = query.page(_number, default=LIMIT, most=MOST, descending=True)
        project = query.project(own)
        name, run_id, target = query.text("job"), query.text("run"), query.text("target")
        job = None if name is None else find_job(self._house, request, name).identity
        kinds = query.words("kind", [kind.value for kind in DeliveryKind])
        states = query.words("state", [state.value for state in DeliveryState])
        since, until = query.instant("since", now=now), query.instant("until", now=now)

        def read(outbox: OutboxReader) -> bytes:
            found = outbox.deliveries(
                job=job,
                project=project,
                run_id=run_id,
                target=target,
                kind=DeliveryKind(next(iter(kinds))) if len(kinds) == 1 else None,
                states=[DeliveryState(state) for state in sorted(states)] or None,
                since=since,
                until=until,
                before=page.before,
                after=page.after,
                limit=page.limit + 1,
                order="desc" if page.descending else "asc",
            )
            return page_bytes([delivery_view(delivery) for delivery in found], page.limit, "number")

        return json_answer(request, await self._ask(read))

    async def delivery(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        id, own = request.path_params["id"], project_of(request)

        def read(outbox: OutboxReader) -> bytes:
            found = outbox.delivery(id, project=own)
            return json_bytes(delivery_detail(found, outbox.attempts(found), outbox.messages(found)))

        return json_answer(request, await self._ask(read))

    def _ask(self, question: Callable[[OutboxReader], bytes]) -> Awaitable[bytes]:
        """The answer, asked in a thread. Opened each time: the file may be made, or replaced, at any time."""

        def ask() -> bytes:
            try:
                with OutboxReader(self._house.home.outbox) as outbox:
                    return question(outbox)
            except state_errors.NotFound as error:
                raise errors.NotFound(error.message, hint=error.hint) from None
            except state_errors.Ambiguous as error:
                raise errors.Ambiguous(error.message, candidates=list(error.candidates), hint=error.hint) from None
            except state_errors.InvalidQuery as error:
                raise errors.BadRequest(error.message, hint=error.hint) from None
            except state_errors.StateError as error:
                raise errors.Unavailable(error.message, hint=error.hint) from None

        return self._database.aside(ask)


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise ValueError("the number of a delivery")
    return int(cursor)
