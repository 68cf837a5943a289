"""HTTP/1.1 on a socket, with limits: uvicorn's httptools protocol plus what it leaves open.

Used by `status.serve` (as uvicorn's `http` class). httptools takes headers without end and waits for them for ever;
here a request has one size and one time for its head, no body, and a client that stops reading loses its connection.
When there are as many connections as there may be, the one that was quiet longest goes.
The errors that are found before there is an application have its shape all the same.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from status.server.errors import ApiError, BadRequest

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers together; browsers and Prometheus send 1 KiB."""
MAX_HEADERS = 100
MOST_AHEAD = 128
"""Requests a client may send before the first is answered; a quarter of a MiB would hold 6,000."""
HEAD_SECONDS = 10.0
"""From the connection, or the answer before, to the end of the head."""
GRACE_SECONDS = 0.5
"""For which a connection may be quiet even when all are taken: a head comes right after its connection."""
ANSWER_SECONDS = 60.0
"""From the head to the last byte of the answer taken by the client."""


CONNECTION = "jobsctl.connection"
"""Key of the ASGI scope: a weak reference to the `LimitedProtocol` that got the request."""


class HeadTooLarge(ApiError):
    """Raised when request line and headers are longer than any real ones."""

    status = 431
    type = "head_too_large"


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    waiting: ClassVar[dict[LimitedProtocol, float]] = {}
    """Those from which a request is awaited, and since when (the loop's seconds), the oldest first."""
    _head_bytes = 0
    _head_lines = 0
    _head_unparsed = 0
    _head_open = False
    _too_large = False
    _deadline: float | None = None
    """When the connection ends unless something is done before (the loop's seconds); None: not for that."""
    _timer: asyncio.TimerHandle | None = None
    """Goes off at the deadline or before, and then looks: to set one anew for every step would be most of a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm(HEAD_SECONDS)
        now = self.loop.time()
        most = self.limit_concurrency or len(self.connections) + 1
        while len(self.connections) >= most and self.waiting:
            # Many who say nothing shall not keep out one who asks, also when more came at once than there may be.
            longest, since = next(iter(self.waiting.items()))
            if now - since <= GRACE_SECONDS:
                break
            del self.waiting[longest]
            self.connections.discard(longest)
            longest.transport.abort()
        self.waiting[self] = now

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_timer()
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        begun = self._head_open
        super().data_received(data)
        if begun and self._head_open and not self.transport.is_closing():
            # The parser tells of a header when it is whole: one without end is never told of.
            self._head_unparsed += len(data)
            if self._head_unparsed > MAX_HEAD:
                self._too_large = True
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = self._head_lines = self._head_unparsed = 0
        self._head_open = True
        if len(self.pipeline) >= MOST_AHEAD:
            self.transport.abort()
            raise httptools.HttpParserError("too many requests at once")
        if self._deadline is None:  # the next request on a kept connection: its head has its own time
            self._arm(HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_lines += 1
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_open = False
        self._arm(ANSWER_SECONDS)
        self.waiting.pop(self, None)
        self.scope[CONNECTION] = weakref.ref(self)  # type: ignore[literal-required]
        if any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers):
            self.cycle.keep_alive = False  # nothing here reads a body: answer, and hang up

    def on_response_complete(self) -> None:
        self._deadline = None
        super().on_response_complete()
        if self.pipeline or self.transport.get_write_buffer_size() > 0:
            self._arm(ANSWER_SECONDS)
        elif not self.transport.is_closing():
            self.waiting[self] = self.loop.time()

    def give_up(self) -> asyncio.Transport | None:
        """Leave the connection to a stream, as uvicorn does to a WebSocket: its answer has begun and is not ours to
        end. None: the client is gone, or has sent another request already, which would wait for ever."""
        if self.transport.is_closing() or self.pipeline:
            self.transport.abort()
            return None
        self._end_timer()
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        self.cycle.disconnected = True
        self.flow.resume_reading()
        self.parser = None  # type: ignore[assignment]
        return self.transport

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size() > 0:
            self._unset_keepalive_if_required()  # it is still reading: `_expired` decides
            return
        super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        if self.transport.is_closing():
            return
        error: ApiError = BadRequest("the request is not HTTP/1.1")
        if self._too_large:
            error = HeadTooLarge(f"a request's head has at most {MAX_HEAD} bytes and {MAX_HEADERS} headers")
        body = error.body()
        head = (
            STATUS_LINE[error.status]
            + b"content-type: application/json\r\nx-content-type-options: nosniff\r\ncontent-length: %d\r\n" % len(body)
            + b"connection: close\r\n\r\n"
        )
        self.transport.write(head + body)
        self.transport.close()

    def _count(self, *parts: bytes) -> None:
        self._head_bytes += sum(map(len, parts))
        if self._head_bytes > MAX_HEAD or self._head_lines > MAX_HEADERS:
            self._too_large = True
            raise httptools.HttpParserError("head too large")  # ends the parsing; comes out of feed_data

    def _arm(self, seconds: float) -> None:
        self._deadline = self.loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._look_at_deadline)

    def _end_timer(self) -> None:
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at_deadline(self) -> None:
        """The timer went off: the deadline has passed, was put off, or there is none any more."""
        self._timer = None
        if self._deadline is None:
            return
        if self._deadline > self.loop.time():
            self._timer = self.loop.call_at(self._deadline, self._look_at_deadline)
        else:
            self.transport.abort()
