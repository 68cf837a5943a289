"""Events as they come, to all who follow: one reader of the database, a feed per filter.

Used by `status.streams.routes`; `ring` may be called from any thread. Reading is done in two threads of its own: one
for what is new, one for those that are behind, so that who resumes from long ago delays nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from state.errors import StateError
from state.eventtail import EventFilter, EventTail, Subject
from state.reads import Reader
from state.records import Event
from status.selector import parse_selector
from status.streams.connection import Stream, chunk
from status.streams.feed import Feed, Page
from status.streams.sse import message
from status.views import event_view, source_view

POLL = 1.0
"""Seconds after which it looks without a bell."""
LEAST_REST, MOST_REST, REST_SHARE = 0.02, 1.0, 4
"""As `status.picture.refresh`: it rests four times as long as it worked, so a burst of runs is told in few writes."""
BATCH = 100
"""Events told at once: 30 KB, which the kernel takes at once from a client that reads. More would wait in our memory,
once for each client."""
PAGE = 100
"""Events per page for one that is behind."""
FEEDS_AT_ONCE = 50
BYE = b":\n\n"
OF_SOURCE = ("revision", "scannedAt", "files", "jobs", "invalid", "problem")
"""What is told of the source; what is wrong with which file is asked for."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """An event with what filters look at, and as it is sent."""

    event: Event
    subject: Subject | None
    text: bytes


def told(events: Collection[Event], tail: EventTail) -> list[Told]:
    """Rendered once, for everybody."""
    subjects = tail.subjects({event.job_id for event in events if event.job_id is not None})
    found = []
    for event in events:
        subject = None if event.job_id is None else subjects.get(event.job_id)
        identity = None if subject is None else f"{subject.project}/{subject.name}"
        found.append(Told(event, subject, message(event.id or 0, event_view(event, identity=identity))))
    return found


def fits(wanted: EventFilter) -> Callable[[Told], bool]:
    """What the database selects by the same filter (`EventTail.page`), for events in memory.

    Raises:
        BadRequest: a label selector that is none.
    """
    selector = parse_selector(wanted.labels)

    def fit(each: Told) -> bool:
        event, subject = each.event, each.subject
        return (
            wanted.job_id in (None, event.job_id)
            and wanted.run_id in (None, event.run_id)
            and (wanted.types is None or event.type in wanted.types)
            and (wanted.reasons is None or event.reason in wanted.reasons)
            and (wanted.since is None or event.at >= wanted.since)
            and (wanted.project is None or (subject is not None and subject.project == wanted.project))
            and (selector is None or (subject is not None and selector(subject.labels)))
        )

    return fit


class SourceTail:
    """What the looks at the files found, when it is another thing than before. One thread."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._reader: Reader | None = None
        self._seen: int | None = None
        """When the look was that changed something last; None: not known yet."""

    def news(self) -> bytes:
        """An event without id, as it is no event of the list; b"" when nothing changed since the last question, and to
        the first one. Raises StateError."""
        try:
            self._reader = self._reader or Reader(self._database)
            source = self._reader.source()
        except StateError:
            self._reader = None
            raise
        found = 0 if source is None else source.scanned_at
        seen, self._seen = self._seen, found
        if seen in (None, found):
            return b""
        view = source_view(source)
        return message(None, {key: view[key] for key in OF_SOURCE}, event="source")

    def forget(self) -> None:
        """Nobody asked for a while: what changed meanwhile is no news."""
        self._seen = None


class EventFeed(Feed[int]):
    """Those who follow by one filter."""

    def __init__(
        self, hub: EventHub, wanted: EventFilter, job: str | None, head: int, on_idle: Callable[[], object]
    ) -> None:
        super().__init__(head, on_idle)
        self._hub = hub
        self._job = job
        self.wanted = wanted
        self.fits = fits(wanted)
        self.is_told_of_the_source = wanted == EventFilter(since=wanted.since)
        """Who chooses among events wants those alone; and what is of no project is not for a token of one."""

    def is_another(self, each: Told) -> bool:
        """Whether the job that is followed is called otherwise by now than when it was asked for, or is no more."""
        if self._job is None or each.event.job_id != self.wanted.job_id:
            return False
        return each.subject is None or f"{each.subject.project}/{each.subject.name}" != self._job

    async def read(self, position: int, through: int, lines: int | None) -> Page[int]:
        return await self._hub.page(self.wanted, position, through)

    def is_ahead(self, position: int) -> bool:
        return position > self.head  # it asked for the newest, and the head has not got there yet


class EventHub:
    """One per process. Asks nothing of the database while nobody follows."""

    def __init__(self, database: Path) -> None:
        self._now, self._tail, self._past = (EventTail(database) for _ in range(3))
        self._tail_thread = ThreadPoolExecutor(1, thread_name_prefix="event-tail")
        self._past_thread = ThreadPoolExecutor(1, thread_name_prefix="event-past")
        self._source = SourceTail(database)
        self._feeds: dict[tuple[EventFilter, str | None], EventFeed] = {}
        self._head = 0
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Something was committed. From any thread."""
        if self._loop is not None and self._feeds:
            self._loop.call_soon_threadsafe(self._bell.set)

    def place(self, after: int | None) -> int:
        """Where one begins that has had the event `after`: there, or at the newest. What is newer than all there is
        is of another database, before it was restored from a backup.

        One row, 30 us, asked here and now: when a thousand clients come back at once, none waits for a thread.

        Raises:
            StateError: the database cannot be read.
        """
        newest = self._now.newest()
        if not self._running:
            self._head = newest
        return newest if after is None else min(after, newest)

    @property
    def _running(self) -> bool:
        return self._task is not None and not self._task.done()

    def follow(self, stream: Stream, wanted: EventFilter, position: int, job: str | None = None) -> Callable[[], None]:
        """Send to a client what fits and comes after the event `position`; what is returned ends that.

        Args:
            job: `project/name` of the one job that is wanted, as it was asked for. When it is called otherwise, or is
                no more, its followers are hung up on: the name is nobody's, and the new one may not be for them.
        """
        self._loop = asyncio.get_running_loop()
        feed = self._feeds.get((wanted, job))
        if feed is None:
            feed = EventFeed(self, wanted, job, self._head, lambda: self._feeds.pop((wanted, job), None))
            self._feeds[wanted, job] = feed
        feed.join(stream, position)
        if not self._running:
            self._source.forget()
            self._task = self._loop.create_task(self._run())
        else:
            self._bell.set()  # it may have missed some while nobody followed
        return lambda: feed.leave(stream)

    async def page(self, wanted: EventFilter, position: int, through: int) -> Page[int]:
        """As `Feed.read`."""

        def read() -> Page[int]:
            events, reached = self._past.page(wanted, after=position, through=through, limit=PAGE)
            text = b"".join(each.text for each in told(events, self._past)) if events else b""
            return Page(chunk(text) if text else b"", reached)

        return await self._in(self._past_thread, read)

    async def _run(self) -> None:
        try:
            await self._follow_database()
        except Exception:
            for feed in list(self._feeds.values()):
                feed.cut()  # silence would look like nothing had happened
            raise

    async def _follow_database(self) -> None:
        loop = asyncio.get_running_loop()
        while self._feeds:
            self._bell.clear()
            began = loop.time()
            try:
                head, news, source = await self._in(self._tail_thread, self._read)
            except StateError:
                await asyncio.sleep(MOST_REST)  # health says what is wrong; who follows waits
                continue
            await self._tell(head, news, source)
            await asyncio.sleep(min(max(LEAST_REST, REST_SHARE * (loop.time() - began)), MOST_REST))
            if len(news) < BATCH:
                poll = loop.call_later(POLL, self._bell.set)
                await self._bell.wait()
                poll.cancel()

    def _read(self) -> tuple[int, list[Told], bytes]:
        """What came after the head, in the thread: the new head, the events, and what is told of the source."""
        source = self._source.news()
        newest = self._tail.newest()
        if newest <= self._head:
            return self._head, [], source
        events, reached = self._tail.page(EventFilter(), after=self._head, through=newest, limit=BATCH)
        return reached, told(events, self._tail), source

    async def _tell(self, head: int, news: list[Told], source: bytes) -> None:
        since, self._head = self._head, head
        feeds = [(feed, feed.advance(head)) for feed in self._feeds.values()]
        if not news and not source:
            return
        jobs, runs = {each.event.job_id for each in news}, {each.event.run_id for each in news}
        for place, (feed, members) in enumerate(feeds, 1):
            wanted = feed.wanted
            text = b""
            if (
                members
                and (wanted.job_id is None or wanted.job_id in jobs)
                and (wanted.run_id is None or wanted.run_id in runs)
            ):
                text = b"".join([each.text for each in news if feed.fits(each)])
            if feed.is_told_of_the_source:
                text += source
            if text:
                await feed.tell(members, text, since=since)
            if wanted.job_id in jobs and any(feed.is_another(each) for each in news):
                feed.end(BYE)
            if place % FEEDS_AT_ONCE == 0:
                await asyncio.sleep(0)

    @staticmethod
    async def _in(thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
