"""A disk that does not answer holds up who asks it, and nobody else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from status.api import Api, House
from status.api.database import READERS
from status.picture.board import Board
from status.picture.files import StatusFiles
from status.picture.refresh import Refresher
from status.server.app import Guard, build_app
from tests.api.conftest import make_town
from tests.seeing.building import NINE


async def status_of(app: Guard, path: str, query: bytes = b"") -> int:
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    headers = [(b"host", b"localhost"), (b"accept-encoding", b"gzip")]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query,
             "headers": headers}  # fmt: skip
    await app(scope, receive, send)
    return int(said[0]["status"])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/healthz", b""),
        ("/api/v1/jobs", b""),
        ("/api/v1/jobs", b"limit=1000&summary=true"),
        ("/api/v1/jobs/data/hello", b""),
        ("/api/v1/source", b""),
    ],
)
def test_what_is_in_memory_is_told_while_the_disk_hangs(tmp_path: Path, path: str, query: bytes) -> None:
    home, store, *_ = make_town(tmp_path)
    refresher = Refresher(home.database, Board(), StatusFiles(home.status), monotonic=time.monotonic, now=lambda: NINE)
    refresher.round()
    nothing: Any = None
    api = Api(House(home=home, refresher=refresher, exporter=nothing, now=lambda: 2 * NINE, monotonic=time.monotonic))
    app = build_app(api.routes())
    free = threading.Event()

    async def ask() -> int:
        hanging = [api.database.aside(lambda: free.wait(30)) for _ in range(READERS)]
        waiting = asyncio.create_task(status_of(app, "/api/v1/runs"))
        try:
            return await asyncio.wait_for(status_of(app, path, query), 20)
        finally:
            assert not waiting.done()
            free.set()
            await asyncio.gather(*hanging)
            assert await waiting == 200

    try:
        assert asyncio.run(ask()) == 200
    finally:
        refresher._drop_reader()
        if api.database._reader is not None:
            api.database._reader.close()
        store.close()
