"""What some clients follow together: something that only grows, can be read from any position, and has a head.

Used by `status.streams.events` (a feed per filter) and `.logs` (a feed per log, or per job). Who is at the head is
*live* and gets what comes, read once for all. Who is not, because it resumes or takes too slowly, reads on by itself in
bounded pages, at its own pace, until it is at the head. Nothing is queued for a slow client: the database and the log
are its queue. Who wants so many lines and no more always reads for itself.

Nothing is lost or sent twice, because on the event loop `advance` moves the head and takes the list of the live ones in
one step, and a client joins the live ones only in a step in which its own position is the head.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from state.errors import StateError
from status.streams.connection import Stream, chunk

AT_ONCE = 100
"""Clients written to before others have their turn: a millisecond."""


P = TypeVar("P")
"""A position: the id of an event, an offset in a log, or where one is in the logs of a job."""


@dataclass(frozen=True, slots=True)
class Page(Generic[P]):
    """What one reads that is behind."""

    framed: bytes
    """b"" when nothing in it is wanted."""
    position: P
    """Where it ends; where it began, when nothing more can be told before the head moves."""
    lines: int = 0
    """How many it has, for who wants so many and no more."""
    ending: bytes | None = None
    """The last event, when those were the last lines that are wanted."""


class Feed(ABC, Generic[P]):
    """One of them. Lives on the event loop.

    Args:
        head: the position up to which the live ones have been told (at first: there are none).
        on_idle: called when nobody follows any more.
    """

    def __init__(self, head: P, on_idle: Callable[[], object]) -> None:
        self.head = head
        self._on_idle = on_idle
        self._live: dict[Stream, None] = {}
        self._behind: dict[Stream, asyncio.Task[None]] = {}
        self._moved: asyncio.Future[None] | None = None
        self._ending: bytes | None = None

    @abstractmethod
    async def read(self, position: P, through: P, lines: int | None) -> Page[P]:
        """A page after `position`, which ends at `through` at most (but for a hole in a log, which is passed over
        whole), and after so many lines.

        Raises:
            StateError: it cannot be read.
        """

    def is_ahead(self, position: P) -> bool:
        """Whether the head has yet to get there."""
        return False

    def __len__(self) -> int:
        return len(self._live) + len(self._behind)

    def join(self, stream: Stream, position: P, lines: int | None = None) -> None:
        """Have a client follow from behind `position`, to the end or for so many lines."""
        self._behind[stream] = asyncio.get_running_loop().create_task(self._catch_up(stream, position, lines))

    def leave(self, stream: Stream) -> None:
        """Forget a client."""
        self._live.pop(stream, None)
        task = self._behind.pop(stream, None)
        if task is not None:
            task.cancel()
        if not len(self):
            self._on_idle()

    def advance(self, head: P) -> list[Stream]:
        """Move the head; who is to be told by `tell` of what lies between."""
        self.head = head
        self._wake()
        return list(self._live)

    async def tell(self, members: list[Stream], text: bytes, *, since: P) -> None:
        """Write to those that `advance` named; `since` is the head before that."""
        framed = chunk(text)
        for place, stream in enumerate(members, 1):
            if stream.stalled_at is not None:
                self.leave_behind([stream], since=since)
            else:
                stream.write(framed)
            if place % AT_ONCE == 0:
                await asyncio.sleep(0)

    def leave_behind(self, members: list[Stream], *, since: P) -> None:
        """Have those that `advance` named read on by themselves, at their own pace."""
        for stream in members:
            self._live.pop(stream, None)
            if not stream.closed:
                self.join(stream, since)

    def end(self, text: bytes) -> None:
        """Nothing comes any more: whoever is at the head, or gets there, is sent this and hung up on."""
        if self._ending is not None:
            return
        self._ending = chunk(text)
        for stream in list(self._live):
            self._finish(stream, self._ending)
        self._wake()

    def cut(self) -> None:
        """Hang up on everybody: they come back and are told what is wrong."""
        for stream in [*self._live, *self._behind]:
            stream.abort()

    async def _catch_up(self, stream: Stream, position: P, lines: int | None) -> None:
        try:
            while await stream.drained():
                head = self.head
                if position != head and not self.is_ahead(position):
                    page = await self.read(position, head, lines)
                    if page.framed:
                        stream.write(page.framed)
                    if page.ending is not None:
                        self._finish(stream, page.ending)
                        return
                    before, position = position, page.position
                    lines = None if lines is None else lines - page.lines
                    if position != before:
                        continue
                if head != self.head:
                    continue
                if self._ending is not None:
                    self._finish(stream, self._ending)
                    return
                if lines is None and position == head:
                    del self._behind[stream]
                    self._live[stream] = None
                    return
                self._moved = self._moved or asyncio.get_running_loop().create_future()
                await asyncio.shield(self._moved)
        except StateError:
            stream.abort()  # it resumes where it is, and is told what is wrong
        except Exception:
            stream.abort()  # as silence would look like nothing had happened
            raise

    def _wake(self) -> None:
        if self._moved is not None:
            self._moved.set_result(None)
            self._moved = None

    @staticmethod
    def _finish(stream: Stream, ending: bytes) -> None:
        stream.write(ending)
        stream.finish()
