"""Logs as they grow, to all who follow: one look at all of them, and what is new in each read once.

Used by `status.streams.routes`. What is followed, one log (`runlog`) or those of a job (`joblogs`), says how far it
goes now and what comes next; here is who gets it, and when it is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from state.errors import StateError
from state.home import Home
from status.streams.connection import Stream, chunk
from status.streams.feed import Feed, Page
from status.streams.joblogs import JobLogs
from status.streams.known import Followed, Known, Remembered
from status.streams.runlog import RunLog

POLL = 0.25
"""Seconds between looks."""
NEWS = 32 * 1024
"""Bytes told to all at once, which the kernel takes from a client that reads. Of more each reads for itself: they would
wait in our memory, once for each client."""
STEPS = 50
"""Events told at once, and parts of a log passed over at once in search of a text."""
READERS = 2

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class News(Generic[P]):
    """What one look found of what is followed. `end`: the last event, when nothing comes any more; `gone`: it cannot
    be told."""

    text: bytes | None
    """None: more than is told at once."""
    head: P
    end: bytes | None = None
    gone: bool = False


def read_on(followed: Followed[P], known: Known, position: P, through: P, lines: int | None) -> Page[P]:
    """What comes after `position`, some of it; `position` again when there is nothing. Raises StateError."""
    parts: list[bytes] = []
    size = told = 0
    ending: bytes | None = None
    for _ in range(STEPS):
        if position == through:
            break
        step = followed.step(known, position, through, None if lines is None else lines - told)
        parts.append(step.text)
        size, told, ending = size + len(step.text), told + step.lines, step.ending
        before, position = position, step.position
        if ending is not None or size >= NEWS or position == before:
            break
    text = b"".join(parts)
    return Page(chunk(text) if text else b"", position, told, None if ending is None else chunk(ending))


def news_of(followed: Followed[P], known: Known, head: P) -> News[P]:
    """A look. Raises StateError."""
    target = followed.target(known, head)
    if target.gone:
        return News(b"", head, gone=True)
    parts: list[bytes] = []
    position, size = head, 0
    for _ in range(STEPS):
        if position == target.head:
            break
        step = followed.step(known, position, target.head, None)
        if step.position == position:
            break
        parts.append(step.text)
        size, position = size + len(step.text), step.position
        if size > NEWS:
            return News(None, target.head, target.ending)
    else:
        return News(None, target.head, target.ending)
    return News(b"".join(parts), position, target.ending)


class LogFeed(Feed[Any]):
    """Those who follow one log, or the logs of one job."""

    def __init__(self, hub: LogHub, followed: Followed[Any], head: object, on_idle: Callable[[], object]) -> None:
        super().__init__(head, on_idle)
        self._hub = hub
        self.followed = followed

    async def read(self, position: object, through: object, lines: int | None) -> Page[Any]:
        return await self._hub.page(self.followed, position, through, lines)


class LogHub:
    """One per process. Looks at nothing while nobody follows.

    Args:
        now: gives microseconds UTC.
    """

    def __init__(self, home: Home, now: Callable[[], int]) -> None:
        self._look_thread = ThreadPoolExecutor(1, thread_name_prefix="log-look")
        self._past_threads = ThreadPoolExecutor(READERS, thread_name_prefix="log-past")
        self._remembered = Remembered(home, now)
        self.known = Known(home, now)
        self._feeds: dict[Followed[Any], LogFeed] = {}
        self._task: asyncio.Task[None] | None = None

    def follow(
        self, stream: Stream, followed: Followed[P], position: P, head: P, lines: int | None = None
    ) -> Callable[[], None]:
        """Send to a client what comes after `position`; what is returned ends that.

        Args:
            head: where what is followed is now.
            lines: so many, and no more.
        """
        feed = self._feeds.get(followed)
        if feed is None:
            feed = LogFeed(self, followed, head, lambda: self._feeds.pop(followed, None))
            self._feeds[followed] = feed
        feed.join(stream, position, lines)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return lambda: feed.leave(stream)

    async def page(self, followed: Followed[P], position: P, through: P, lines: int | None) -> Page[P]:
        """As `Feed.read`."""

        def read() -> Page[P]:
            try:
                return read_on(followed, self.known, position, through, lines)
            except StateError:
                self.known.lost()
                raise

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
            looked = [(feed, feed.followed, feed.head) for feed in self._feeds.values()]
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

    def _look(self, followed: Sequence[tuple[Followed[Any], Any]]) -> list[News[Any]]:
        """At all logs, in the thread. The runs first: what a run wrote is there when its end is known."""
        ids = {log.run_id for log, _ in followed if isinstance(log, RunLog)}
        ids |= {run.run_id for log, head in followed if isinstance(log, JobLogs) for run in head.runs}
        try:
            self._remembered.renew(ids)
        except StateError:
            pass  # what is known already goes on growing; health says what is wrong
        return [self._look_at(*each) for each in followed]

    def _look_at(self, followed: Followed[P], head: P) -> News[P]:
        try:
            return news_of(followed, self._remembered, head)
        except StateError:
            return News(b"", head)
