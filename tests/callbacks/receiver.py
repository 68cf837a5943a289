"""Receivers of callbacks on loopback that behave, and misbehave, as told: real sockets, real TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

WAIT = 45.0
"""Seconds a test waits for what must come; it comes at once."""


@dataclass(frozen=True)
class Request:
    """What a receiver got."""

    line: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[socket.socket, Request], None]


def answer(status: int, *headers: str, body: bytes = b"") -> Behaviour:
    """A plain answer."""

    def behave(connection: socket.socket, request: Request) -> None:
        lines = [f"HTTP/1.1 {status} Some words", f"Content-Length: {len(body)}", "Connection: close", *headers]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def raw(*parts: bytes) -> Behaviour:
    """These bytes, and the end."""

    def behave(connection: socket.socket, request: Request) -> None:
        for part in parts:
            connection.sendall(part)

    return behave


class Receiver:
    """Accepts on 127.0.0.1 (a port of its own) until closed; the last behaviour is used again and again.

    `hang` is for behaviours that never answer: set when the receiver is closed.
    """

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None, greeting: bytes = b"") -> None:
        self.behaviours = list(behaviours) or [answer(200)]
        self.requests: list[Request] = []
        self.hang = threading.Event()
        self._came = threading.Condition()
        self._tls = tls
        self._greeting = greeting
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.most_at_once = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/hook", *, scheme: str = "http", host: str = "127.0.0.1") -> str:
        """Its address."""
        return f"{scheme}://{host}:{self.port}{path}"

    def wait(self, count: int) -> list[Request]:
        """The requests, when there are so many."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.requests) >= count, WAIT), f"{len(self.requests)} of {count}"
            return list(self.requests)

    def close(self) -> None:
        """End it and its connections."""
        self.hang.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT)

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(WAIT)
            self.connections += 1
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                self._open.discard(connection)
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.add(connection)
            connection.sendall(self._greeting)
            request = _read(connection)
            if request is None:
                return
            with self._came:
                behave = self.behaviours[min(len(self.requests), len(self.behaviours) - 1)]
                self.requests.append(request)
                self.most_at_once = max(self.most_at_once, len(self._open))
                self._came.notify_all()
            behave(connection, request)
        except OSError:
            pass
        finally:
            self._open.discard(connection)
            connection.close()


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    return Request(line, headers, body)


@dataclass
class Names:
    """A resolver that a test tells what to answer, one answer after the other; the last stays."""

    answers: list[Sequence[str] | OSError] = field(default_factory=lambda: [["127.0.0.1"]])
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        found = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(host)
        if isinstance(found, OSError):
            raise found
        return found
