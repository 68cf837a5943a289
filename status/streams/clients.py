"""All clients that follow: how many there may be, heartbeats, and who is cut. One per process, on the event loop.

Used by `status.streams.routes`.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from status.server.access import signature_of
from status.server.errors import Headers, Overloaded
from status.streams.connection import Stream, chunk

MOST = 4000
"""Streams at once: 16 MB of them."""
MOST_OF_ONE = 1000
"""From one address, unless it is of this machine: behind a proxy here everybody has the same."""
HEARTBEAT = 15.0
"""Seconds without a word, after which a comment is sent: proxies give up on silence after 30 to 60."""
BEAT = chunk(b":\n\n")
STALLED = 30.0
"""Seconds for which a client may leave bytes waiting."""
TICK = 1.0
BEATS_AT_ONCE = 300
"""Heartbeats per tick: 2 ms."""


class TooManyStreams(Overloaded):
    """Raised when there are as many streams as there may be."""

    headers: ClassVar[Headers] = (("retry-after", "10"),)


class Clients:
    """The register."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._streams: dict[Stream, None] = {}
        self._places: Counter[str] = Counter()
        self._ticker: asyncio.Task[None] | None = None
        self._seen: tuple[int, ...] | None = None
        self.watched: Path | None = None
        """The file of tokens: when it becomes another one, everybody has to show theirs again."""

    def __len__(self) -> int:
        return len(self._streams)

    def admit(self, address: str) -> None:
        """Whether one more may come.

        Raises:
            TooManyStreams: no.
        """
        if len(self._streams) >= self._most:
            raise TooManyStreams(f"{self._most} clients follow already; try again in some seconds")
        if self._places[address] >= self._most_of_one and not _is_ours(address):
            raise TooManyStreams(f"{self._most_of_one} clients of your address follow already", address=address)

    def add(
        self,
        transport: asyncio.Transport,
        address: str,
        on_close: Callable[[Stream], None],
        *,
        judged_by: tuple[int, ...] | None = None,
    ) -> Stream:
        """Take over a connection. `on_close` is called when it is gone.

        Args:
            judged_by: `signature_of` the file of tokens when the client was let in. Its token may have been taken back
                while its answer was made: then it is hung up on at once.
        """

        def forget(stream: Stream) -> None:
            del self._streams[stream]
            self._places[address] -= 1
            if not self._places[address]:
                del self._places[address]
            on_close(stream)

        stream = Stream(transport, address, forget)
        self._streams[stream] = None
        self._places[address] += 1
        now = self._signature()
        if judged_by != now:
            stream.abort()
        if self._ticker is None or self._ticker.done():
            self._seen = now
            self._ticker = asyncio.get_running_loop().create_task(self._tick())
        return stream

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while self._streams:
            await asyncio.sleep(TICK)
            before, self._seen = self._seen, self._signature()
            if self._seen != before:
                for stream in list(self._streams):
                    stream.abort()
            now, beats = loop.time(), 0
            for stream in list(self._streams):
                if stream.stalled_at is not None:
                    if now - stream.stalled_at > STALLED:
                        stream.abort()
                elif now - stream.written_at >= HEARTBEAT and beats < BEATS_AT_ONCE:
                    stream.write(BEAT)
                    beats += 1

    def _signature(self) -> tuple[int, ...] | None:
        if self.watched is None:
            return None
        try:
            return signature_of(self.watched)
        except OSError:
            return ()


def _is_ours(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True  # no address: a socket of this machine
