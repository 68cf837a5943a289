"""Pages of the files that runs kept, the newest run first. Called by `status.api`, in a thread.

A page is found by looking into directories of runs, so it is bounded by those, too: a page may be short, or empty, and
have a next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from state.home import Home
from state.ids import is_id
from state.records import Run
from state.runfiles import list_outputs, open_output
from status.outputs import SNIFFED, Kept, OpenFile, kept_of, output_view, type_of
from status.server.query import Query
from status.views import View

DEFAULT_LIMIT = 100
MOST = 1000
MOST_RUNS = 200
"""Directories looked into for one page: 5 ms."""
PARAMETERS = frozenset(("before", "limit"))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a file stands among all: the newest run first, in it the newest file first, then by path."""

    run: str
    modified_at: int | None = None
    """Microseconds; None, and no path: behind all files of the run."""
    path: str = ""

    @property
    def cursor(self) -> str:
        """As text: `before` of the next page."""
        return self.run if self.modified_at is None else f"{self.run}/{self.modified_at}/{self.path}"

    def is_before(self, kept: Kept) -> bool:
        """Whether a file of this place's run comes behind it."""
        if self.modified_at is None:
            return False
        return (-self.modified_at, self.path) < (-kept.file.modified_at, kept.file.path)


def place_of(cursor: str) -> Place:
    """The place a cursor stands for. Raises ValueError with what one looks like."""
    run, slash, rest = cursor.partition("/")
    modified, second, path = rest.partition("/")
    if not is_id(run) or (slash and not (second and path and modified.isascii() and modified.isdigit())):
        raise ValueError("what `next` of the page before was")
    return Place(run, int(modified[:18]), path) if slash else Place(run)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that is asked for."""

    before: Place | None
    limit: int

    @classmethod
    def of(cls, query: Query) -> Wanted:
        """Raises BadRequest."""
        before = query.cursor("before", place_of)
        return cls(before, query.whole("limit", least=1, most=MOST) or DEFAULT_LIMIT)


def page_of(home: Home, runs: Callable[[str | None], Sequence[Run]], wanted: Wanted) -> View:
    """`items` and `next`.

    Args:
        runs: those that come with or behind a run (or all: None), the newest first, `MOST_RUNS` and one more at most.
    """
    found: list[Kept] = []
    listed = runs(None if wanted.before is None else wanted.before.run)
    following = None
    for run in listed[:MOST_RUNS]:
        found += _kept(home, run, wanted.before)
        if len(found) > wanted.limit:
            last = found[wanted.limit - 1]
            following = Place(last.run.id, last.file.modified_at, last.file.path).cursor
            break
    else:
        if len(listed) > MOST_RUNS:
            following = Place(listed[MOST_RUNS - 1].id).cursor
    return {"items": list(_views(home, found[: wanted.limit])), "next": following}


def _kept(home: Home, run: Run, before: Place | None) -> list[Kept]:
    kept = kept_of(run, list_outputs(home.run_dir_of(run)))
    return kept if before is None or before.run != run.id else [each for each in kept if before.is_before(each)]


def _views(home: Home, found: Iterable[Kept]) -> Iterator[View]:
    for kept in found:
        yield output_view(kept, media_type(home, kept.run, kept.file.path))


def media_type(home: Home, run: Run, path: str) -> str:
    """Of a kept file, by its name or its first bytes."""

    def beginning() -> bytes | None:
        descriptor = open_output(home.run_dir_of(run), path)
        if descriptor is None:
            return None
        file = OpenFile(descriptor)
        try:
            return file.read(SNIFFED, 0)
        finally:
            file.close()

    return type_of(path, beginning)
