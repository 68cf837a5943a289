"""`.../outputs`: the files that runs kept, as lists, and one of them. What a page holds: `status.lists.outputs`.

Whatever a job wrote, no browser may take it for a page of ours: only types that cannot act are named, the rest are
bytes; every answer is a download, in a sandbox.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from state.errors import InvalidQuery
from state.reads import Reader
from state.records import Run
from state.runfiles import open_output
from status.api.database import Database
from status.api.finding import find_run, job_of_path
from status.api.house import House
from status.lists.outputs import MOST_RUNS, PARAMETERS, Wanted, media_type, page_of
from status.outputs import CHUNK, Piece, read_range
from status.server.answers import is_known, json_answer, json_bytes, not_modified
from status.server.errors import NotFound, Overloaded, RangeNotSatisfiable
from status.server.query import Query

WINDOW = frozenset(("offset", "limit"))
MOST_SENDING = 16
"""Files on their way at once: slow clients shall not take the places of those who ask for a line of JSON."""
HARMLESS = frozenset((
    "application/json", "application/x-ndjson", "application/yaml", "application/pdf", "image/gif", "image/jpeg",
    "image/png", "image/webp", "text/csv", "text/markdown", "text/plain", "text/tab-separated-values",
))  # fmt: skip
"""Types a browser shows without running anything in them. Not HTML, XML, SVG, JavaScript."""
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True, slots=True)
class Part:
    """Which bytes of a file are sent, and under which status."""

    start: int
    end: int
    size: int
    status: int = 200


class FileAnswer(Response):
    """A part of an open file, read in a thread and sent as the client takes it."""

    def __init__(self, routes: OutputRoutes, descriptor: int, part: Part, headers: dict[str, str]) -> None:
        super().__init__(status_code=part.status, headers={**headers, "content-length": str(part.end - part.start)})
        self._routes = routes
        self._descriptor = descriptor
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._routes.send_part(self, scope, receive, send, self._descriptor, self._part)
        finally:
            os.close(self._descriptor)


class OutputRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database) -> None:
        self._house = house
        self._database = database
        self._sending = 0

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/runs/{id}/outputs", self.run_outputs),
            Route("/api/v1/runs/{id}/outputs/{path:path}", self.content),
            Route("/api/v1/jobs/{job}/outputs", self.job_outputs),
            Route("/api/v1/jobs/{project}/{job}/outputs", self.job_outputs),
        ]

    async def run_outputs(self, request: Request) -> Response:
        wanted = Wanted.of(Query(request.scope["query_string"], known=PARAMETERS))

        def read(reader: Reader) -> Response:
            run = find_run(reader, request)
            return json_answer(request, json_bytes(page_of(self._house.home, lambda _: [run], wanted)))

        return await self._database.ask(read)

    async def job_outputs(self, request: Request) -> Response:
        wanted = Wanted.of(Query(request.scope["query_string"], known=PARAMETERS))
        job_id = job_of_path(self._house, request).job_id

        def read(reader: Reader) -> Response:
            def runs(first: str | None) -> Sequence[Run]:
                # The run of the cursor itself, too: it may have more files. `~` comes behind every id that begins so.
                before = None if first is None else f"{first}~"
                return reader.runs(job_id=job_id, before=before, limit=MOST_RUNS + 1)

            return json_answer(request, json_bytes(page_of(self._house.home, runs, wanted)))

        return await self._database.ask(read)

    async def content(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=WINDOW)
        offset = query.whole("offset", least=0, most=10**17)
        limit = query.whole("limit", least=0, most=10**17)
        path = request.path_params["path"]

        def read(reader: Reader) -> Response:
            run = find_run(reader, request)
            descriptor = open_output(self._house.home.run_dir_of(run), path)
            if descriptor is None:
                raise NotFound(f"run {run.id} kept no file {path[:200]}", run=run.id, path=path[:200])
            try:
                return self._answer(request, run, path, descriptor, offset, limit)
            except BaseException:
                os.close(descriptor)
                raise

        return await self._database.ask(read)

    def _answer(
        self, request: Request, run: Run, path: str, descriptor: int, offset: int | None, limit: int | None
    ) -> Response:
        """Takes over the descriptor, unless it raises."""
        there = os.fstat(descriptor)
        etag = f'"{there.st_ino:x}-{there.st_size:x}-{there.st_mtime_ns:x}"'
        if is_known(request, etag):
            os.close(descriptor)
            return not_modified(etag)
        found = media_type(self._house.home, run, path)
        headers = {
            "accept-ranges": "bytes",
            "cache-control": "private, no-cache",
            "content-disposition": f"attachment; filename*=UTF-8''{quote(path.rpartition('/')[2], safe='')}",
            "content-security-policy": SANDBOX,
            "content-type": _named(found),
            "etag": etag,
            "x-output-size": str(there.st_size),
            "x-output-type": found,
        }
        if offset is not None or limit is not None:
            start = min(offset or 0, there.st_size)
            end = there.st_size if limit is None else min(start + limit, there.st_size)
            return FileAnswer(self, descriptor, Part(start, end, there.st_size), headers)
        part = _ranged(request, there.st_size, etag)
        if part.status == 206:
            headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{part.size}"
        return FileAnswer(self, descriptor, part, headers)

    async def send_part(
        self, answer: Response, scope: Scope, receive: Receive, send: Send, descriptor: int, part: Part
    ) -> None:
        """Send head and bytes. Raises Overloaded before the head, when too many are on their way."""
        if self._sending >= MOST_SENDING:
            raise Overloaded(f"more than {MOST_SENDING} files at once; try again in a second")
        self._sending += 1
        try:
            await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
            at = part.start if scope["method"] == "GET" else part.end
            request = Request(scope, receive)
            while at < part.end and not await request.is_disconnected():
                data = await self._database.aside(partial(os.pread, descriptor, min(CHUNK, part.end - at), at))
                if not data:
                    break  # it was cut meanwhile: the length that was told is missed, so the client sees it
                at += len(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._sending -= 1


def _named(found: str) -> str:
    """The type that is told to browsers."""
    if found not in HARMLESS:
        return "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def _ranged(request: Request, size: int, etag: str) -> Part:
    """What `Range` asks for (RFC 9110, 14.2): one range of bytes; several, or what is none, are ignored.

    Raises:
        RangeNotSatisfiable: it begins behind the end.
    """
    whole = Part(0, size, size)
    given = request.headers.get("range", "")
    if not given.startswith("bytes=") or request.headers.get("if-range", etag) != etag:
        return whole
    try:
        piece = read_range(given)
    except InvalidQuery:
        return whole
    if size == 0 or (piece.first or 0) >= size or piece == Piece(None, 0):
        raise RangeNotSatisfiable(f"{given[:100]}: the file has {size} bytes", size=size)
    start, end = piece.bounds(size)
    return Part(start, end, size, 206)
