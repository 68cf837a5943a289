"""What the database says of runs, for those that follow logs. Used by the rest of this folder, in threads."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from state.errors import StateError
from state.home import Home
from state.reads import Reader
from state.records import Event, Reason, Run

P = TypeVar("P")
STARTED, RENAMED = "started", "renamed"
OF_RUNS = frozenset(Reason) | {STARTED, RENAMED}
"""Reasons of the events by which a job's logs are followed: starts, ends, and that it is called otherwise now."""
AT_ONCE = 500
"""Events that are kept from one look to the next."""


@dataclass(frozen=True, slots=True)
class Target(Generic[P]):
    """How far what is followed goes now."""

    head: P
    ending: bytes | None = None
    """The last event, when nothing comes any more."""
    gone: bool = False
    """It cannot be told (any more): who follows is hung up on, comes back, and is told why."""


@dataclass(frozen=True, slots=True)
class Step(Generic[P]):
    """The next event, or b"" when what lies between is not wanted; and where it ends."""

    text: bytes
    position: P
    lines: int = 0
    ending: bytes | None = None
    """The last event, when this was the last line that is wanted."""


class Followed(Protocol[P]):
    """A log, or the logs of a job, and which part is wanted. Equal ones are followed together."""

    def target(self, known: Known, head: P) -> Target[P]:
        """How far it goes now; `head` is how far it went. Raises StateError."""

    def step(self, known: Known, position: P, through: P, lines: int | None) -> Step[P]:
        """The next event after `position`; `position` again when there is none up to `through`. Raises StateError."""


class Known:
    """Answers that are as new as the question. Any thread may ask."""

    def __init__(self, home: Home, now: Callable[[], int]) -> None:
        self.home = home
        self._now = now
        self._reader: Reader | None = None

    @property
    def now(self) -> int:
        """Microseconds UTC."""
        return self._now()

    @property
    def reader(self) -> Reader:
        """Raises StateError."""
        if self._reader is None:
            self._reader = Reader(self.home.database)
        return self._reader

    def lost(self) -> None:
        """The database could not be read: it is opened anew. Others may be asking the old one still."""
        self._reader = None

    def run(self, run_id: str) -> Run | None:
        """None when it is not stored (any more). Raises StateError."""
        return self.reader.runs_of_ids([run_id]).get(run_id)

    def newest(self) -> int:
        """The id of the newest event. Raises StateError."""
        found = self.reader.events(limit=1, order="desc")
        return found[0].id or 0 if found else 0

    def events(self, job_id: int, *, after: int, through: int, limit: int) -> list[Event]:
        """Of a job and its runs (`OF_RUNS`), oldest first. Raises StateError."""
        if after >= through:
            return []
        return self.reader.events(job_id=job_id, reasons=OF_RUNS, after=after, before=through + 1, limit=limit)


class Remembered(Known):
    """Answers as they were at the last `renew`: for looks at many logs while nothing is committed. One thread."""

    def __init__(self, home: Home, now: Callable[[], int]) -> None:
        super().__init__(home, now)
        self._version: int | None = None
        self._runs: dict[str, Run | None] = {}
        self._newest = self._since = 0
        self._events: list[Event] = []

    def renew(self, run_ids: Collection[str]) -> None:
        """Ask anew when anything was committed; these runs in one question.

        Raises:
            StateError: the database cannot be read; what was known stays.
        """
        try:
            version = self.reader.data_version()
            if version != self._version:
                newest = super().newest()
                after = newest if self._version is None else self._newest
                events = self.reader.events(reasons=OF_RUNS, after=after, before=newest + 1, limit=AT_ONCE)
                # Runs after events: of a run whose end was read the end is known, too.
                runs: dict[str, Run | None] = {**dict.fromkeys(run_ids), **self.reader.runs_of_ids(run_ids)}
                self._since = after if len(events) < AT_ONCE else newest
                self._runs, self._newest, self._events, self._version = runs, newest, events, version
        except StateError:
            self._version = None
            self.lost()
            raise

    def run(self, run_id: str) -> Run | None:
        if run_id not in self._runs:
            self._runs[run_id] = super().run(run_id)
        return self._runs[run_id]

    def newest(self) -> int:
        return self._newest

    def events(self, job_id: int, *, after: int, through: int, limit: int) -> list[Event]:
        if after < self._since or through > self._newest:
            return super().events(job_id, after=after, through=through, limit=limit)
        found = [event for event in self._events if event.job_id == job_id and after < (event.id or 0) <= through]
        return found[:limit]
