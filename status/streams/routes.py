"""Answers that go on: from a request to a client that follows. Called by `status.api`, where a stream is asked for.

What is followed, and the shapes: docs/http.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from state.errors import StateError
from state.eventtail import EventFilter
from state.home import Home
from state.records import Run
from status.lists.events import FILTERS, OF_JOBS, event_key
from status.picture.board import JobEntry
from status.server.access import JUDGED_BY
from status.server.errors import Unavailable
from status.server.query import PAGE, Query
from status.server.wire import CONNECTION, LimitedProtocol
from status.streams.asked import Beginning, job_logs, last_event_id, position_of, run_log
from status.streams.clients import Clients
from status.streams.connection import Stream
from status.streams.events import EventHub, fits
from status.streams.logs import LogHub
from status.streams.sse import FOLLOW, MEDIA_TYPE, opening, refuse

Begin = Callable[[Stream], Callable[[], None]]
"""Has a client follow; what it returns ends that."""


class StreamResponse(Response):
    """The head, and then the connection is the stream's."""

    def __init__(self, clients: Clients, position: int | str, begin: Begin) -> None:
        super().__init__(headers={"content-type": MEDIA_TYPE, "connection": "close", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._clients = clients
        self._position = position
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope["client"] else ""
        self._clients.admit(address)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        more = scope["method"] == "GET"
        await send({"type": "http.response.body", "body": opening(self._position) if more else b"", "more_body": more})
        if not more:
            return
        connection: LimitedProtocol | None = scope[CONNECTION]()
        transport = None if connection is None else connection.give_up()
        if transport is None:
            return
        ends: list[Callable[[], None]] = []
        stream = self._clients.add(transport, address, lambda _: ends[0](), judged_by=scope.get(JUDGED_BY))
        ends.append(self._begin(stream))


class Streams:
    """What `status.api` asks. One per process.

    Args:
        now: gives microseconds UTC.
    """

    def __init__(self, home: Home, now: Callable[[], int]) -> None:
        self._clients = Clients()
        self._events = EventHub(home.database)
        self._logs = LogHub(home, now)

    def __len__(self) -> int:
        """Clients that follow now."""
        return len(self._clients)

    def heed(self, tokens: Path | None) -> None:
        """Hang up on everybody whenever this file changes: they come back where they were, if they still may."""
        if tokens is not None:
            self._clients.watched = tokens

    def ring(self) -> None:
        """Something was committed. From any thread."""
        self._events.ring()

    def events(
        self,
        request: Request,
        *,
        now: int,
        job: JobEntry | None = None,
        run_id: str | None = None,
        own: str | None = None,
    ) -> Response:
        """Events as they come: those of a job or a run, or all that the query selects.

        Args:
            own: the only project whose events may be told.

        Raises:
            BadRequest, Unprocessable, Forbidden: the query cannot be understood, or asks for more than `own`.
            Unavailable: the database cannot be read.
        """
        everywhere = job is None and run_id is None
        known = PAGE | FILTERS | (OF_JOBS if everywhere else frozenset())
        query = Query(request.scope["query_string"], known=known, repeatable=("reason", "label", "type"))
        query.flag(FOLLOW)
        refuse(query, ("until", "before", "limit", "order"))
        wanted = EventFilter(
            job_id=None if job is None else job.job_id,
            run_id=run_id,
            project=query.project(own),
            labels=query.texts("label"),
            types=query.words("type", ("Normal", "Warning")) or None,
            reasons=frozenset(query.texts("reason")) or None,
            since=query.instant("since", now=now),
        )
        fits(wanted)
        after = _position(request, query.page(event_key, default=1, most=1, descending=False).after)
        try:
            place = self._events.place(0 if after is None and wanted.since is not None else after)
        except StateError as error:
            raise Unavailable(error.message, hint=error.hint) from None
        name = None if job is None else job.identity
        return StreamResponse(self._clients, place, lambda stream: self._events.follow(stream, wanted, place, name))

    def run_log(self, request: Request, run: Run, *, now: int, own: str | None) -> Beginning | None:
        """As `status.streams.asked.run_log`."""
        try:
            return run_log(self._logs.known, request, run, now=now, own=own)
        except StateError:
            self._logs.known.lost()
            raise

    def job_logs(self, request: Request, job_id: int, *, now: int, own: str | None) -> Beginning | None:
        """As `status.streams.asked.job_logs`."""
        try:
            return job_logs(self._logs.known, request, job_id, now=now, own=own)
        except StateError:
            self._logs.known.lost()
            raise

    def logs(self, found: Beginning | None) -> Response:
        """Logs as they grow, to their end. 204 tells a browser not to come back (WHATWG HTML, 9.2.3)."""
        if found is None:
            return Response(status_code=204)
        return StreamResponse(
            self._clients,
            found.id,
            lambda stream: self._logs.follow(stream, found.followed, found.position, found.head, found.lines),
        )


def _position(request: Request, otherwise: int | None) -> int | None:
    """Where the client is: `Last-Event-ID`, which it sends by itself when it comes back."""
    return otherwise if (given := last_event_id(request)) is None else position_of(given, event_key)
