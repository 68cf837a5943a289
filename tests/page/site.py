"""The page over a real database, without a process: what a request for a page is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from state.home import Home
from state.reads import Reader
from status.api.database import Database
from status.page.routes import routes
from status.picture.board import Board
from status.picture.files import StatusFiles
from status.picture.refresh import Refresher
from status.server.access import PROJECT
from status.server.app import build_app
from tests.page.markup import Element, faults, read

T = TypeVar("T")
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "gzip"}


class Site:
    """Pages of a home as they are at `now` (µs). `project`: as for a token of this project alone."""

    def __init__(self, home: Home, now: int, spare: Path, *, project: str | None = None, timezone: str = "UTC") -> None:
        self.home, self.now, self.project = home, now, project
        self.refresher = Refresher(
            home.database, Board(default_timezone=timezone), StatusFiles(spare), monotonic=lambda: 0.0,
            now=lambda: self.now,
        )  # fmt: skip
        self.refresher.round()
        self._database = Database(home)
        found = routes(home=home, refresher=self.refresher, now=lambda: self.now, ask=self._ask)
        self._app: ASGIApp = build_app(found)

    async def _ask(self, question: Callable[[Reader], T]) -> T:
        return self._database.answer(question)

    async def _scoped(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.project is not None:
            scope[PROJECT] = self.project
        await self._app(scope, receive, send)

    def get(self, path: str, headers: Mapping[str, str] = BROWSER) -> httpx.Response:
        """The answer."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._scoped)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
                return await client.get(path)

        return asyncio.run(ask())

    def page(self, path: str) -> Element:
        """The page, read; it is there and has no fault."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text[:500]
        assert faults(answer.text) == []
        return read(answer.text)

    def close(self) -> None:
        if self._database._reader is not None:
            self._database._reader.close()
        self.refresher._drop_reader()


@contextmanager
def site(home: Home, now: int, spare: Path, *, project: str | None = None, timezone: str = "UTC") -> Iterator[Site]:
    """Pages of a home; `spare` is a folder for status files nobody reads."""
    made = Site(home, now, spare, project=project, timezone=timezone)
    try:
        yield made
    finally:
        made.close()
