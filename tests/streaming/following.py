"""A client that follows, over a real socket: reads server-sent events as a browser does. Times are seconds."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """One event."""

    id: str
    kind: str
    data: Any


@dataclass
class Follower:
    """One connection. The head is read at once; `next` waits for an event."""

    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    receive_buffer: int | None = None
    version: str = "1.1"

    def __post_init__(self) -> None:
        self.socket = socket.socket()
        if self.receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", self.port))
        lines = [f"GET {self.path} HTTP/{self.version}", "Host: localhost", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._raw, self._text = b"", b""
        self.over = False
        """Whether the server ended the body in order."""
        self.last_id, self.comments = "", 0
        self.retry: int | None = None
        while b"\r\n\r\n" not in self._raw:
            self._receive()
        head, _, self._raw = self._raw.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.answer_headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def next(self) -> Message | None:
        """The next event; None when the server has ended. Raises TimeoutError."""
        while True:
            while b"\n\n" not in self._text:
                if self.over or not self._chunk():
                    return None
            block, _, self._text = self._text.partition(b"\n\n")
            found = self._parse(block.decode())
            if found is not None:
                return found

    def take(self, count: int) -> list[Message]:
        """So many events."""
        found: list[Message] = []
        for _ in range(count):
            message = self.next()
            assert message is not None, f"the server ended after {len(found)} of {count}"
            found.append(message)
        return found

    def rest(self) -> list[Message]:
        """All up to the end."""
        return list(iter(self.next, None))

    def opening(self) -> None:
        """Read up to the first id, which comes before any event."""
        deadline = time.monotonic() + PATIENCE
        while not self.last_id:
            assert time.monotonic() < deadline
            while b"\n\n" not in self._text:
                assert self._chunk()
            block, _, self._text = self._text.partition(b"\n\n")
            assert self._parse(block.decode()) is None

    def _parse(self, block: str) -> Message | None:
        data: list[str] = []
        kind = "message"
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not name:
                self.comments += 1
            elif name == "data":
                data.append(value)
            elif name == "event":
                kind = value
            elif name == "id":
                self.last_id = value
            elif name == "retry":
                self.retry = int(value)
            else:
                raise AssertionError(f"no field of an event: {line!r}")
        return Message(self.last_id, kind, json.loads("\n".join(data))) if data else None

    def _chunk(self) -> bool:
        while b"\r\n" not in self._raw:
            if not self._receive():
                return False
        size, _, self._raw = self._raw.partition(b"\r\n")
        length = int(size, 16)
        while len(self._raw) < length + 2:
            assert self._receive(), "it ended within a chunk"
        self._text += self._raw[:length]
        assert self._raw[length : length + 2] == b"\r\n"
        self._raw = self._raw[length + 2 :]
        self.over = length == 0
        return not self.over

    def _receive(self) -> bool:
        piece = self.socket.recv(65536)
        self._raw += piece
        return bool(piece)
