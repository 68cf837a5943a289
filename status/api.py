"""The HTTP endpoints: what a request asks for, and what is answered. Read-only.

Made by `status.serve`, mounted by `status.app`. Jobs come from the picture in memory; runs, events and logs are read in
a few threads, so that a slow disk never holds up other requests. Parameters and shapes: docs/http.md.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from state import errors as state_errors
from state.home import Home
from state.ids import is_prefix
from state.reads import Reader
from state.records import Run, RunState
from status import errors
from status.board import JobEntry
from status.events import events_question
from status.health import Facts, health_view, ready_view
from status.heartbeat import read_heartbeat
from status.listing import JobList
from status.logs import LogQuery, log_response
from status.metrics import OPENMETRICS, PLAIN, Exporter, wants_openmetrics
from status.query import PAGE, Query
from status.records import RecordRoutes
from status.refresh import Refresher
from status.search import parse_query, search
from status.views import View, run_view, source_view

T = TypeVar("T")

READERS = 4
"""Threads that read the disk."""
RUN_FILTERS = frozenset(("status", "active", "job", "label", "project", "since", "until"))
DEFAULT_LIMIT = 100
MOST_RUNS = 1000
MOST_HITS = 1000
SHARED_SCRAPE = 1.0
"""Seconds for which scrapes get the same text: a storm of them costs one."""


class Pieces(Response):
    """A body that is sent piece by piece, as the client takes it, with its length known beforehand."""

    def __init__(self, pieces: Sequence[bytes], content_type: str) -> None:
        super().__init__(headers={"content-type": content_type, "content-length": str(sum(map(len, pieces)))})
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in self._pieces if scope["method"] == "GET" else ():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@dataclass(frozen=True, slots=True)
class House:
    """What the endpoints answer from. `now` gives microseconds UTC, `monotonic` seconds."""

    home: Home
    refresher: Refresher
    exporter: Exporter
    now: Callable[[], int]
    monotonic: Callable[[], float]


class Api:
    """The endpoints of one process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._jobs = JobList()
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._reader: Reader | None = None
        self._opening = threading.Lock()
        self._scrapes: dict[bool, tuple[float, asyncio.Future[list[bytes]]]] = {}
        self._records = RecordRoutes(house.home, self._read, nonce=f"{house.now():x}")

    def routes(self) -> list[Route]:
        """The whole surface. A second path segment that is a sub-resource's word is the sub-resource: a job of that
        name is reached by all three segments, `/api/v1/jobs/{project}/{job}/status`."""
        return [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
            Route("/api/v1/jobs", self.jobs),
            Route("/api/v1/runs", self.runs),
            Route("/api/v1/running", self.running),
            Route("/api/v1/events", self.events),
            Route("/api/v1/source", self.source),
            Route("/api/v1/search", self.search),
            Route("/api/v1/runs/{id}", self.run),
            Route("/api/v1/runs/{id}/events", self.run_events),
            Route("/api/v1/runs/{id}/logs", self.run_logs),
            Route("/api/v1/jobs/{job}", self.job),
            Route("/api/v1/jobs/{job}/status", self.job),
            Route("/api/v1/jobs/{job}/runs", self.job_runs),
            Route("/api/v1/jobs/{job}/events", self.job_events),
            Route("/api/v1/jobs/{project}/{job}", self.job),
            Route("/api/v1/jobs/{project}/{job}/status", self.job),
            Route("/api/v1/jobs/{project}/{job}/runs", self.job_runs),
            Route("/api/v1/jobs/{project}/{job}/events", self.job_events),
            *self._records.routes(),
        ]

    # Health

    async def healthz(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        body, status = health_view(self._facts())
        return _json(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE), status)

    async def readyz(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        body, status = ready_view(self._facts())
        return _json(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE), status)

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

    async def metrics(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        now = self._house.monotonic()
        made_at, scrape = self._scrapes.get(openmetrics, (float("-inf"), None))
        if scrape is None or (scrape.done() and (now - made_at > SHARED_SCRAPE or scrape.cancelled())):
            exporter = self._house.exporter
            loop = asyncio.get_running_loop()
            scrape = loop.run_in_executor(self._pool, lambda: exporter.scrape(openmetrics=openmetrics))
            self._scrapes[openmetrics] = now, scrape
            loop.call_later(SHARED_SCRAPE, self._forget_scrape, openmetrics, scrape)
        # Shielded: the client that asked first may hang up while others wait for the same text.
        pieces = await asyncio.shield(scrape)
        return Pieces(pieces, OPENMETRICS if openmetrics else PLAIN)

    def _forget_scrape(self, openmetrics: bool, scrape: asyncio.Future[list[bytes]]) -> None:
        """10 MB of text are not kept from one scrape to the next."""
        if scrape.done() and self._scrapes.get(openmetrics, (0.0, None))[1] is scrape:
            del self._scrapes[openmetrics]

    # Jobs

    async def jobs(self, request: Request) -> Response:
        self._loaded()
        rendered = self._jobs.page(self._house.refresher.picture, request.scope["query_string"])
        headers = {"etag": rendered.etag, "cache-control": "private, no-cache"}
        if request.headers.get("if-none-match") == rendered.etag:
            return Response(status_code=304, headers=headers)
        return _json(rendered.body, headers=headers)

    async def job(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        return _json(self._entry(request).fragment + b"\n")

    async def job_runs(self, request: Request) -> Response:
        entry = self._entry(request)
        query = Query(request.scope["query_string"], known=PAGE | RUN_FILTERS - {"job", "label", "project"},
                      repeatable=("status",))  # fmt: skip
        return await self._runs_page(query, job_id=entry.job_id)

    def _entry(self, request: Request) -> JobEntry:
        parameters = request.path_params
        project = parameters.get("project")
        return self._find_job(parameters["job"] if project is None else f"{project}/{parameters['job']}")

    def _find_job(self, name: str) -> JobEntry:
        """By `project/name`, or by a name that only one project has; live jobs before archived ones."""
        self._loaded()
        picture = self._house.refresher.picture
        if "/" in name:
            entry = picture.entries.get(name)
            if entry is None:
                raise errors.NotFound(f"there is no job {name[:200]}", job=name[:200])
            return entry
        found = [picture.entries[identity] for identity in picture.by_name.get(name, ())]
        found = [entry for entry in found if entry.phase != "archived"] or found
        if not found:
            raise errors.NotFound(f"there is no job {name[:200]}", job=name[:200])
        if len(found) > 1:
            candidates = [entry.identity for entry in found[:10]]
            raise errors.Ambiguous(f"{len(found)} projects have a job {name}: say which", candidates=candidates)
        return found[0]

    def _loaded(self) -> None:
        refresher = self._house.refresher
        if not refresher.picture.loaded:
            raise errors.Unavailable(f"jobs cannot be told yet: {refresher.problem or 'the database is being read'}")

    # Runs

    async def runs(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=PAGE | RUN_FILTERS, repeatable=("status", "label"))
        job = query.text("job")
        project = query.text("project")
        if job is None:
            return await self._runs_page(query, project=project)
        entry = self._find_job(f"{project}/{job}" if project is not None and "/" not in job else job)
        if project is not None and entry.project != project:
            raise errors.Unprocessable(f"job {entry.identity} is not in project {project}")
        return await self._runs_page(query, job_id=entry.job_id)

    async def running(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=PAGE | {"project", "label"}, repeatable=("label",))
        return await self._runs_page(query, project=query.text("project"), active=True)

    async def source(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        self._loaded()
        view = source_view(self._house.refresher.picture.source)
        return _json(orjson.dumps(view, option=orjson.OPT_APPEND_NEWLINE))

    async def search(self, request: Request) -> Response:
        parameters = ("q", "project", "label", "archived", "limit")
        query = Query(request.scope["query_string"], known=parameters, repeatable=("label",))
        project, labels, archived = query.text("project"), query.texts("label"), query.text("archived")
        limit = query.whole("limit", least=1, most=MOST_HITS) or DEFAULT_LIMIT
        terms = parse_query(query.text("q") or "")
        if not terms:
            raise errors.BadRequest("parameter 'q' needs a word: letters or digits", parameter="q")
        if archived not in (None, "true", "false", "all"):
            raise errors.BadRequest("parameter 'archived' is true, false or all", parameter="archived")

        def read(reader: Reader) -> bytes:
            wanted = None if archived == "all" else archived == "true"
            specs = reader.specs(project=project, labels=labels, archived=wanted)
            try:
                hits, total = search(specs, terms, limit=limit)
            except sqlite3.OperationalError as error:
                raise errors.Unavailable(f"this machine's SQLite cannot search: {error}") from None
            views = [hit.view() for hit in hits]
            return orjson.dumps({"items": views, "total": total}, option=orjson.OPT_APPEND_NEWLINE)

        return _json(await self._read(read))

    async def _runs_page(self, query: Query, *, job_id: int | None = None, project: str | None = None,
                         active: bool | None = None) -> Response:  # fmt: skip
        now = self._house.now()
        page = query.page(_run_key, default=DEFAULT_LIMIT, most=MOST_RUNS, descending=True)
        states = query.words("status", [state.value for state in RunState])
        labels = query.texts("label")
        active = query.flag("active") if active is None else active
        since, until = query.instant("since", now=now), query.instant("until", now=now)

        def read(reader: Reader) -> bytes:
            runs = reader.runs(
                job_id=job_id,
                project=project,
                labels=labels,
                states=[RunState(state) for state in states] or None,
                active=active,
                since=since,
                until=until,
                after=page.after,
                before=page.before,
                limit=page.limit + 1,
                order="desc" if page.descending else "asc",
            )
            return _page_body([run_view(run) for run in runs], page.limit, "id")

        return _json(await self._read(read))

    async def run(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        run = await self._read(lambda reader: reader.run(request.path_params["id"]))
        return _json(orjson.dumps(run_view(run), option=orjson.OPT_APPEND_NEWLINE))

    async def run_events(self, request: Request) -> Response:
        limit, read = events_question(request.scope["query_string"], now=self._house.now())
        prefix = request.path_params["id"]
        return _json(
            await self._read(lambda reader: _page_body(read(reader, None, reader.run(prefix).id), limit, "id"))
        )

    async def job_events(self, request: Request) -> Response:
        limit, read = events_question(request.scope["query_string"], now=self._house.now())
        job_id = self._entry(request).job_id
        return _json(await self._read(lambda reader: _page_body(read(reader, job_id, None), limit, "id")))

    async def events(self, request: Request) -> Response:
        limit, read = events_question(request.scope["query_string"], now=self._house.now(), everywhere=True)
        return _json(await self._read(lambda reader: _page_body(read(reader, None, None), limit, "id")))

    async def run_logs(self, request: Request) -> Response:
        wanted = LogQuery.parse(request.scope["query_string"], now=self._house.now())

        def read(reader: Reader) -> Response:
            run: Run = reader.run(request.path_params["id"])
            return log_response(self._house.home, run, wanted)

        return await self._read(read)

    async def _read(self, question: Callable[[Reader], T]) -> T:
        """The answer of the database, asked in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, question)

    def _ask(self, question: Callable[[Reader], T]) -> T:
        try:
            with self._opening:
                # One for all threads: the number that tags answers is only comparable within one connection.
                reader = self._reader = self._reader or Reader(self._house.home.database)
            return question(reader)
        except state_errors.NotFound as error:
            raise errors.NotFound(error.message, hint=error.hint) from None
        except state_errors.Ambiguous as error:
            raise errors.Ambiguous(error.message, candidates=list(error.candidates), hint=error.hint) from None
        except state_errors.InvalidQuery as error:
            raise errors.BadRequest(error.message, hint=error.hint) from None
        except state_errors.StateError as error:
            raise errors.Unavailable(error.message, hint=error.hint) from None


def _run_key(cursor: str) -> str:
    if not is_prefix(cursor):
        raise ValueError("a run id")
    return cursor


def _page_body(views: list[View], limit: int, cursor: str) -> bytes:
    """A list and the cursor that goes on; `views` holds one more than the page when there is more."""
    items = views[:limit]
    more = len(views) > limit
    return orjson.dumps(
        {"items": items, "next": str(items[-1][cursor]) if more else None}, option=orjson.OPT_APPEND_NEWLINE
    )


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, "application/json")
