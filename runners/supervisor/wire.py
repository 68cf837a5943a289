"""Frames between daemon and supervisor: a 4-byte length, then marshal in a fixed version. Used by both sides.

Neither side ever blocks: what the socket does not take waits in memory, and receiving goes on meanwhile (both
blocking in send with a thousand messages in flight is a deadlock). Marshal: this process can afford neither json nor
pickle, and every Python reads version 2. The journal holds the same frames.
"""

from __future__ import annotations

import errno
import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    class Socket(Protocol):
        def send(self, data: memoryview, /) -> int: ...
        def recv(self, size: int, /) -> bytes: ...
        def fileno(self) -> int: ...
        def close(self) -> None: ...


PROTOCOL = 1
_FORMAT = 2
_LARGEST = 256 << 20
_NO_MEMORY = (errno.ENOBUFS, errno.ENOMEM)
"""The kernel had no room for a message (send(2), recv(2)): it is tried again. A lost launch, or an end never heard,
would be waited for without end."""


class BrokenFrame(Exception):
    """Raised when what came cannot be a frame: another program, or a damaged file."""


def pack(value: Any) -> bytes:
    """One frame. `value`: None, numbers, str, bytes, tuples, lists and dicts of these."""
    body = marshal.dumps(value, _FORMAT)
    return len(body).to_bytes(4, "little") + body


def unpack(data: bytes | bytearray | memoryview) -> Iterator[tuple[Any, int]]:
    """The whole frames at the start of `data`, each with the offset behind it. A torn last one is left."""
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        if size > _LARGEST:
            raise BrokenFrame(f"a frame of {size} bytes")
        if at + 4 + size > len(data):
            return
        try:
            value = marshal.loads(data[at + 4 : at + 4 + size])
        except (ValueError, EOFError, TypeError) as error:
            raise BrokenFrame(str(error)) from None
        at += 4 + size
        yield value, at


class Channel:
    """One end of the socket, non-blocking."""

    __slots__ = ("_in", "_out", "closed", "socket")

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.closed = False
        """The other side is gone. What it had sent before can still be in `receive`."""
        self._in = bytearray()
        self._out = bytearray()

    @property
    def unsent(self) -> bool:
        return bool(self._out) and not self.closed

    def send(self, value: Any) -> None:
        """Put into the queue and send what the socket takes."""
        self._out += pack(value)
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes. A dead peer is noticed by `receive`, after its last words."""
        sent = 0
        with memoryview(self._out) as view:
            while sent < len(view):
                try:
                    sent += self.socket.send(view[sent : sent + 262_144])
                except BlockingIOError:
                    break
                except OSError as error:
                    if error.errno in _NO_MEMORY:
                        break
                    sent = len(view)  # EPIPE, ECONNRESET: nobody will ever read it
        del self._out[:sent]

    def receive(self, about: int = 1 << 62) -> list[Any]:
        """What has come; no more than `about` so many bytes at a time. Sets `closed` at the end of the stream.

        The peer of a killed process with unread data gets ECONNRESET instead of the end, after all that was sent.
        """
        while about > 0:
            try:
                data = self.socket.recv(min(about, 262_144))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in _NO_MEMORY:
                    break
                data = b""
            if not data:
                self.closed = True
                break
            self._in += data
            about -= len(data)
        values = []
        end = 0
        for value, end in unpack(self._in):  # noqa: B007  (the offset behind the last)
            values.append(value)
        if end:
            del self._in[:end]
        return values

    def close(self) -> None:
        self.closed = True
        self.socket.close()
