"""Clients that say their request byte by byte, or nothing, take all connections there may be: who asks gets in.

The server's protocol over real sockets, with room for few and a head that may take for ever: what frees a place is not
a wait. That the status process serves with it is asked of its settings.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
import uvicorn

from status import serve
from status.server import wire
from status.server.wire import LimitedProtocol
from tests.seeing.conftest import until

ROOM, CROWD = 8, 12
BEGUN = b"GET / HTTP/1.1\r\nHost: loc"


async def well(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"well"})


class Server:
    """uvicorn in a thread."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        config = uvicorn.Config(
            cast(Any, well), http=LimitedProtocol, ws="none", lifespan="off", log_config=None, limit_concurrency=ROOM
        )
        self._server = uvicorn.Server(config)
        run = self._server.serve(sockets=[listener])
        self._thread = threading.Thread(target=lambda: asyncio.run(run))
        self._thread.start()

    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def close(self) -> None:
        self._server.force_exit = self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(wire, "HEAD_SECONDS", 1000.0)
    monkeypatch.setattr(wire, "GRACE_SECONDS", 1000.0)
    monkeypatch.setattr(LimitedProtocol, "waiting", {})
    server = Server()
    yield server
    server.close()


@pytest.fixture
def crowd(server: Server) -> Iterator[list[socket.socket]]:
    """More than there may be, as they came all at once; the first one first."""
    plugs: list[socket.socket] = []
    for count in range(1, CROWD + 1):
        plugs.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        plugs[-1].sendall(BEGUN)
        until(lambda count=count: server.connections() == count, "it is let in")  # type: ignore[misc]
    yield plugs
    for plug in plugs:
        plug.close()


def ask(server: Server) -> int:
    return httpx.get(f"http://127.0.0.1:{server.port}/", timeout=10).status_code


def is_gone(plug: socket.socket) -> bool:
    plug.setblocking(False)
    try:
        return plug.recv(1) == b""
    except ConnectionResetError:
        return True
    except BlockingIOError:
        return False


def test_who_asks_gets_the_place_of_those_that_were_quiet_longest(
    server: Server, crowd: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "GRACE_SECONDS", 0.0)
    for plug in crowd:
        plug.sendall(b"a")  # a byte now and then is no request
    assert ask(server) == 200
    hung_up = CROWD + 1 - (ROOM - 1)
    assert [is_gone(plug) for plug in crowd] == [True] * hung_up + [False] * (CROWD - hung_up)


def test_those_that_have_just_come_are_spared(server: Server, crowd: list[socket.socket]) -> None:
    """Else a crowd that asks at once would hang up on itself."""
    assert ask(server) == 503
    assert not any(is_gone(plug) for plug in crowd)


def test_the_status_process_serves_like_this() -> None:
    config = serve._uvicorn_config(cast(Any, well))
    assert config.http is LimitedProtocol
    assert config.limit_concurrency == serve.MOST_CONNECTIONS <= 1024
