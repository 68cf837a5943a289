"""One client that follows: its socket, and what is written on it. Made by `status.streams.clients`.

A stream lives for days and says little, so it is taken off uvicorn's machinery when its head is sent: no task, no
parser, no timer of its own, 4 KB in all. What is written are chunks of HTTP/1.1 (RFC 9112, 7.1).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

SEND_BUFFER = 32 * 1024
"""Bytes asked of the kernel, which takes twice that: with its 4 MB a client that never reads would look well long."""
UNANSWERED = 30_000
"""Milliseconds for which the other machine may be silent while bytes are on their way: then it is gone."""
LAST_CHUNK = b"0\r\n\r\n"


def chunk(text: bytes) -> bytes:
    """Bytes of a body, framed."""
    return b"%x\r\n%b\r\n" % (len(text), text)


class Stream(asyncio.Protocol):
    """A connection on which only we speak. `address` is the client's, without port.

    Args:
        on_close: called once, when the connection is gone, whoever ended it.
    """

    __slots__ = (
        "_drained",
        "_ended",
        "_loop",
        "_on_close",
        "_transport",
        "address",
        "closed",
        "stalled_at",
        "written_at",
    )

    def __init__(self, transport: asyncio.Transport, address: str, on_close: Callable[[Stream], None]) -> None:
        self._transport = transport
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._drained: asyncio.Future[None] | None = None
        self.address = address
        self.closed = False
        self._ended = False
        self.stalled_at: float | None = None
        """Since when bytes wait that the client does not take, in the loop's seconds; None while it takes all."""
        self.written_at = self._loop.time()
        transport.set_protocol(self)
        plug: socket.socket | None = transport.get_extra_info("socket")
        if plug is not None:
            with contextlib.suppress(OSError, AttributeError):  # a courtesy of Linux
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED)
        transport.set_write_buffer_limits(high=0)  # told as soon as a byte waits, and when none does

    def write(self, chunks: bytes) -> None:
        """Send framed bytes; what the client does not take at once waits in memory."""
        if not self.closed and not self._ended:
            self.written_at = self._loop.time()
            self._transport.write(chunks)

    async def drained(self) -> bool:
        """Wait until the client took everything; False when it is gone."""
        while self.stalled_at is not None and not self.closed:
            self._drained = self._drained or self._loop.create_future()
            await self._drained
        return not self.closed

    def finish(self) -> None:
        """End the body, and hang up when it is taken."""
        self.write(LAST_CHUNK)
        self._ended = True
        self._transport.close()

    def abort(self) -> None:
        """Hang up."""
        self._transport.abort()

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        """Nothing that a client says after its request has a meaning here."""

    def eof_received(self) -> None:
        """The client ended its side: it is taken as gone, and asyncio closes ours."""

    def pause_writing(self) -> None:
        self.stalled_at = self._loop.time()

    def resume_writing(self) -> None:
        self.stalled_at = None
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self._wake()
            self._on_close(self)

    def _wake(self) -> None:
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None
