"""Logs as they grow, to all who follow: one look at all of them, and what is new in each read once.

Used by `status.streams.routes`. A log is a file of bytes and is sent as text: what is not UTF-8 becomes U+FFFD, which
people see; the bytes themselves are had without following. Positions are offsets in the file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from state.errors import NotFound, StateError
from state.home import Home
from state.logs import Log, streams
from state.reads import Reader
from state.records import ACTIVE_STATES, Run
from status.streams.connection import Stream, chunk
from status.streams.feed import Feed
from status.streams.sse import message
from status.views import run_view

POLL = 0.25
"""Seconds between looks."""
PIECE = 32 * 1024
"""Bytes at once for one that is behind."""
NEWS = 32 * 1024
"""Bytes told to all at once, which the kernel takes from a client that reads. Of more each reads for itself: they would
wait in our memory, once for each client."""
END = "end"
"""The id of the last event: who comes back with it has all."""
READERS = 2


def whole_characters(data: bytes) -> int:
    """How many of these bytes end before a UTF-8 character that is not complete yet."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            size = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
            return len(data) - back if size > back else len(data)
    return len(data)


def piece_of(log: Log, start: int, end: int, *, all_there: bool) -> tuple[bytes, int]:
    """The event with the text from `start` on up to `end`, b"" when there is none yet, and where the next begins.

    Args:
        all_there: at `end` ends a character, or the log for ever.
    """
    data, position = log.piece(start, end)
    if not all_there and position == start + len(data):
        data = data[: whole_characters(data)]
        position = start + len(data)
    if not data:
        return b"", position
    return message(position, {"start": start, "end": position, "text": data.decode("utf-8", "replace")}), position


def ending_of(run: Run) -> bytes:
    """The last event."""
    return message(END, run_view(run), event=END)


def end_of_text(log: Log, size: int) -> int:
    """How much of the first `size` bytes ends before a character that is not complete yet."""
    last, _ = log.piece(max(size - 4, 0), size)
    return size - (len(last) - whole_characters(last))


@dataclass(frozen=True, slots=True)
class Place:
    """A log: of which run, and which stream of it."""

    run_id: str
    directory: Path
    stream: str


class LogFeed(Feed):
    """Those who follow one log."""

    def __init__(self, hub: LogHub, place: Place, head: int, on_idle: Callable[[], object]) -> None:
        super().__init__(head, on_idle)
        self._hub = hub
        self.place = place

    async def read(self, position: int, through: int) -> tuple[bytes, int]:
        return await self._hub.piece(self.place, position, through)


@dataclass(frozen=True, slots=True)
class News:
    """What one look found of a log. `end`: the last event, when nothing comes any more; `gone`: it cannot be told."""

    text: bytes | None
    """None: more than is told at once."""
    head: int
    end: bytes | None = None
    gone: bool = False


class LogHub:
    """One per process. Looks at nothing while nobody follows."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._look_thread = ThreadPoolExecutor(1, thread_name_prefix="log-look")
        self._past_threads = ThreadPoolExecutor(READERS, thread_name_prefix="log-past")
        self._reader: Reader | None = None
        self._version: int | None = None
        self._runs: dict[str, Run] = {}
        self._feeds: dict[Place, LogFeed] = {}
        self._task: asyncio.Task[None] | None = None

    def follow(self, stream: Stream, place: Place, position: int, head: int) -> Callable[[], None]:
        """Send to a client what the log has from `position` on; what is returned ends that.

        Args:
            head: the log's size, at the end of a character.
        """
        feed = self._feeds.get(place)
        if feed is None:
            feed = LogFeed(self, place, head, lambda: self._feeds.pop(place, None))
            self._feeds[place] = feed
        feed.join(stream, position)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return lambda: feed.leave(stream)

    async def piece(self, place: Place, position: int, through: int) -> tuple[bytes, int]:
        """As `Feed.read`."""

        def read() -> tuple[bytes, int]:
            end = min(through, position + PIECE)
            with Log(place.directory, place.stream) as log:
                text, reached = piece_of(log, position, end, all_there=end == through)
            return chunk(text) if text else b"", max(reached, position + 1)

        return await asyncio.get_running_loop().run_in_executor(self._past_threads, read)

    async def _run(self) -> None:
        try:
            await self._follow_files()
        except Exception:
            for feed in list(self._feeds.values()):
                feed.cut()  # silence would look like nothing had happened
            raise

    async def _follow_files(self) -> None:
        loop = asyncio.get_running_loop()
        while self._feeds:
            looked = [(feed, feed.place, feed.head) for feed in self._feeds.values()]
            news = await loop.run_in_executor(self._look_thread, self._look, [each[1:] for each in looked])
            for (feed, _, since), new in zip(looked, news, strict=True):
                if new.gone:
                    feed.cut()
                    continue
                if new.head != since:
                    members = feed.advance(new.head)
                    if new.text is None:
                        feed.leave_behind(members, since=since)
                    elif new.text:
                        await feed.tell(members, new.text, since=since)
                if new.end is not None:
                    feed.end(new.end)
            await asyncio.sleep(POLL)

    def _look(self, places: Sequence[tuple[Place, int]]) -> list[News]:
        """At all logs, in the thread. The runs first: what a run wrote is there when its end is known."""
        known = self._know([place.run_id for place, _ in places])
        return [self._look_at(place, head, known) for place, head in places]

    def _look_at(self, place: Place, head: int, known: bool) -> News:
        run = self._runs.get(place.run_id)
        if known and run is None:
            return News(b"", head, gone=True)  # pruned meanwhile
        over = run is not None and run.state not in ACTIVE_STATES
        size, reached = head, head
        text: bytes | None = b""
        try:
            with Log(place.directory, place.stream) as log:
                size = log.size
                if size - head > NEWS:
                    text, reached = None, size if over else end_of_text(log, size)
                elif size > head:
                    text, reached = piece_of(log, head, size, all_there=over)
        except NotFound:
            if streams(place.directory) and not over:
                return News(b"", head, gone=True)  # it keeps its streams apart: the client must name one
        end_text = ending_of(run) if run is not None and over and reached >= size else None
        return News(text, reached, end_text)

    def _know(self, ids: Sequence[str]) -> bool:
        """Read the runs anew when anything was committed; False when the database cannot be read."""
        try:
            self._reader = self._reader or Reader(self._home.database)
            version = self._reader.data_version()
            if version != self._version or not self._runs.keys() >= set(ids):
                self._runs = self._reader.runs_of_ids(set(ids))
                self._version = version
        except StateError:
            if self._reader is not None:
                self._reader.close()
            self._reader, self._version = None, None
            return False
        return True
