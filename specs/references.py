"""What jobs name, checked over all files: is it there, do dependencies go in a circle, who was what before.

Used by `specs.snapshot` after each change of files. A change costs what it touches: the jobs that changed, those that
name them, and what these depend on. A job that names nothing costs nothing. Touches no file by itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from specs.circles import circles, way_round
from specs.diagnostic import Diagnostic
from specs.document import Document
from specs.links import Link

LONGEST_WAY = 8
"""Jobs of a circle that a message names."""
LARGEST_CIRCLE = 64
"""Above it one way round is told to all its jobs: to find it from each would cost the square."""
ADVISED = 20
"""Findings of one look that are given the nearest name: it is looked for among all names."""
_CANDIDATES = 200
_NOUNS = {"job": "job", "Pool": "pool", "Calendar": "calendar", "Notifier": "notifier"}

Whereabouts = Callable[[str], tuple[str, int] | None]
"""File and line of the one document that defines an identity; None when there is no such file."""
DocumentOf = Callable[[str, str], Document | None]
"""`(path, identity)`: the document of the file that has it, read now; None when it cannot be read."""


class _Wrong(NamedTuple):
    link: Link
    code: str
    message: str
    help: str


class References:
    """The links of all jobs, and what is wrong with them."""

    def __init__(self, owned: Mapping[str, object], where: Whereabouts, document_of: DocumentOf) -> None:
        """`owned`: every identity that a file names, soundly or not; it may change between the calls."""
        self.errors: dict[str, tuple[Diagnostic, ...]] = {}
        """By job."""
        self.wanted: dict[str, set[str]] = {}
        """Identity: the jobs that name it."""
        self._links: dict[str, tuple[Link, ...]] = {}
        self._graph: dict[str, list[str]] = {}
        self._circles: dict[str, frozenset[str]] = {}
        self._owned = owned
        self._where = where
        self._document_of = document_of

    def update(self, links: Mapping[str, tuple[Link, ...]], touched: Collection[str]) -> set[str]:
        """Take in what a look changed; returns the jobs whose errors are other ones now.

        `links`: of jobs that were defined anew (none: it names nothing, or is gone). `touched`: every identity that a
        changed file names, or named.
        """
        again = {identity for identity in touched if identity in self._links}
        for identity in touched:
            again |= self.wanted.get(identity, set())
        for identity, new in links.items():
            if new != self._links.get(identity, ()):
                again |= self._namesakes(identity)
                self._relink(identity, new)
                again |= self._namesakes(identity)
                again.add(identity)
        if not again:
            return again
        for identity in tuple(again):
            again |= self._circles.get(identity, frozenset())
        for identity in again:
            self._circles.pop(identity, None)
        for circle in circles(self._graph, sorted(each for each in again if each in self._graph)):
            if any(self._circles.get(each) != circle for each in circle):
                self._circles |= dict.fromkeys(circle, circle)
                again |= circle
        return self._check(again)

    def tell_again(self) -> set[str]:
        """Make all findings anew; returns the jobs whose are other ones now."""
        return self._check(tuple(self.errors))

    def _relink(self, identity: str, links: tuple[Link, ...]) -> None:
        for link in self._links.pop(identity, ()):
            jobs = self.wanted.get(link.target, set())
            jobs.discard(identity)
            if not jobs:
                self.wanted.pop(link.target, None)
        self._graph.pop(identity, None)
        if not links:
            return
        self._links[identity] = links
        for link in links:
            self.wanted.setdefault(link.target, set()).add(identity)
        if upstream := [link.target for link in links if link.kind == "job"]:
            self._graph[identity] = upstream

    def _namesakes(self, identity: str) -> set[str]:
        """The jobs that say that they were called the same before."""
        return {
            mate for link in self._links.get(identity, ()) if link.kind == "rename" for mate in self._renamed_from(link)
        }

    def _renamed_from(self, link: Link) -> list[str]:
        return sorted(job for job in self.wanted.get(link.target, ()) if link in self._links[job])

    def _check(self, identities: Iterable[str]) -> set[str]:
        found: set[str] = set()
        names = _Names(self._owned)
        ways: dict[frozenset[str], list[str]] = {}
        for identity in sorted(
            identities, key=lambda each: (self._where(each) or ("", 0), each)
        ):  # each file is read once
            before = self.errors.pop(identity, ())
            wrong = list(self._wrong(identity, names, ways))
            if wrong:
                self.errors[identity] = self._told(identity, wrong)
            if before != self.errors.get(identity, ()):
                found.add(identity)
        return found

    def _wrong(self, identity: str, names: _Names, ways: dict[frozenset[str], list[str]]) -> Iterator[_Wrong]:
        circle = self._circles.get(identity)
        way = [] if circle is None else self._way(identity, circle, ways)
        for link in self._links.get(identity, ()):
            if link.kind == "rename":
                yield from self._renamed(identity, link)
            elif link.target not in self._owned:
                message = f"there is no {_NOUNS[link.kind]} `{link.target.rpartition(':')[2]}`"
                yield _Wrong(link, "JOB051", message, names.advice(link))
            elif way and link.target == way[1]:
                shown = " -> ".join(self._with_place(each) for each in _shortened(way))
                message = f"`{identity}` waits for itself: {shown}"
                yield _Wrong(link, "JOB052", message, "none of these could ever start; remove one dependency")
                way = []
        if way and circle is not None:
            link = next(each for each in self._links[identity] if each.kind == "job" and each.target in circle)
            shown = " -> ".join(self._with_place(each) for each in _shortened(way))
            message = f"`{identity}` is in a circle of {len(circle)} jobs, for one: {shown}"
            yield _Wrong(link, "JOB052", message, "none of these could ever start; remove one dependency")

    def _way(self, identity: str, circle: frozenset[str], ways: dict[frozenset[str], list[str]]) -> list[str]:
        if len(circle) <= LARGEST_CIRCLE:
            return way_round(self._graph, identity, circle)
        if circle not in ways:
            ways[circle] = way_round(self._graph, min(circle), circle)
        way = ways[circle]
        if identity not in way:
            return way
        at = way.index(identity)
        return [*way[at:], *way[1 : at + 1]]

    def _with_place(self, identity: str) -> str:
        place = self._where(identity)
        return identity if place is None else f"{identity} ({place[0]}:{place[1]})"

    def _renamed(self, identity: str, link: Link) -> Iterator[_Wrong]:
        if link.target in self._owned:
            message = f"`{link.target}` still is in a file: {self._with_place(link.target)}"
            yield _Wrong(
                link, "JOB053", message, "remove the old document, or `renamed_from` when it has done its work"
            )
        others = [self._with_place(each) for each in self._renamed_from(link) if each != identity]
        if others:
            message = f"`{link.target}` was renamed to {' and '.join(others[:3])} too"
            yield _Wrong(link, "JOB053", message, "one job alone can take over a history; remove one `renamed_from`")

    def _told(self, identity: str, wrong: list[_Wrong]) -> tuple[Diagnostic, ...]:
        place = self._where(identity)
        path, line = place if place is not None else ("", 1)
        document = self._document_of(path, identity)
        if document is None:
            return tuple(
                Diagnostic(each.code, each.message, path, line, help=each.help, identity=identity) for each in wrong
            )
        return tuple(
            document.finding(each.code, each.message, each.link.loc, help=each.help, identity=identity)
            for each in wrong
        )


def _shortened(way: list[str]) -> list[str]:
    if len(way) <= LONGEST_WAY + 1:
        return way
    return [*way[: LONGEST_WAY - 2], f"... {len(way) - LONGEST_WAY} more ...", *way[-2:]]


class _Names:
    """The names that might have been meant, for as many findings as it is worth."""

    def __init__(self, owned: Mapping[str, object]) -> None:
        self._owned = owned
        self._left = ADVISED

    def advice(self, link: Link) -> str:
        self._left -= 1
        close = self._nearest(link) if self._left >= 0 else None
        if close is not None:
            return f"did you mean `{close}`?"
        if link.kind == "job":
            return "the name is `name` of a job of the same project, or `project/name`"
        return f"add a document `kind: {link.kind}` with this name, or correct it"

    def _nearest(self, link: Link) -> str | None:
        if link.kind != "job":
            start = f"{link.kind}:"
            names = [each.removeprefix(start) for each in self._owned if each.startswith(start)]
            found = difflib.get_close_matches(link.target.removeprefix(start), names[:_CANDIDATES], n=1)
            return found[0] if found else None
        project, _, name = link.target.partition("/")
        elsewhere = next((each for each in self._owned if each.endswith(f"/{name}")), None)
        if elsewhere is not None:
            return elsewhere
        inside = [each[len(project) + 1 :] for each in self._owned if each.startswith(f"{project}/")]
        if len(inside) > _CANDIDATES:  # a slip of the keyboard leaves a beginning or an end
            inside = [each for each in inside if each[:2] == name[:2] or each[-2:] == name[-2:]][:_CANDIDATES]
        found = difflib.get_close_matches(name, inside, n=1)
        return found[0] if found else None
