"""One request for a page, with everything a page may ask. Made by `status.page.pages`, handed to each page's function.

A page's function takes a `Visit` and gives HTML, mostly by `visit.render`. It runs in a reader's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup

from state.database import open_reader, own_errors
from state.home import Home
from state.reads import Reader
from status.health import Facts
from status.page.frame import frame_of
from status.page.templates import template
from status.picture.board import JobEntry, Picture
from status.server.errors import Forbidden, NotFound, Unavailable
from status.server.query import MAX_FIELDS, Query


@dataclass(kw_only=True)
class Visit:
    """What a page is made of. Instants are microseconds UTC."""

    reader: Reader
    home: Home
    picture: Picture
    facts: Facts
    path: str
    """Of this page, as asked for."""
    parameters: Mapping[str, str]
    """Segments of the path by name, as `project` and `name` of a job."""
    raw_query: bytes
    project: str | None
    """The only project that may be seen; None: all."""

    _connection: sqlite3.Connection | None = None

    @property
    def now(self) -> int:
        return self.facts.now

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a question that only pages have (`state.timeline`), on a connection of this visit."""
        if self._connection is None:
            self._connection = open_reader(self.home.database, timeout=0.5)
        with own_errors(self.home.database):
            return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()

    @property
    def timezone(self) -> str:
        """Of jobs that name none, as the daemon took it."""
        beat = self.facts.heartbeat
        return (beat.text("timezone") if beat else None) or "UTC"

    def query(self, *, known: Collection[str], repeatable: Collection[str] = ()) -> Query:
        """The parameters of the page. A form sends its empty fields too: those count as not given.

        Raises:
            BadRequest: not readable, not known, or given twice though not repeatable.
        """
        try:
            pairs = parse_qsl(self.raw_query.decode("ascii"), max_num_fields=MAX_FIELDS, errors="strict")
        except ValueError:
            return Query(self.raw_query, known=known, repeatable=repeatable)  # says what is wrong
        filled = [(name, value.strip()) for name, value in pairs if value.strip()]
        return Query(urlencode(filled).encode("ascii"), known=known, repeatable=repeatable)

    def may_see(self, project: str) -> bool:
        """Whether what is of this project may be shown."""
        return self.project is None or self.project == project

    def require_all_projects(self, what: str) -> None:
        """Raises Forbidden for who may see one project only: `what` is of all."""
        if self.project is not None:
            raise Forbidden(f"{what} is of all projects, and this token is for project {self.project}")

    def require_loaded(self) -> None:
        """Raises Unavailable while the jobs were not read yet."""
        if not self.picture.loaded:
            raise Unavailable(f"jobs cannot be told yet: {self.facts.database_problem or 'the database is being read'}")

    def entries(self) -> list[JobEntry]:
        """All jobs that may be seen and are not archived, in no order."""
        self.require_loaded()
        return [
            entry
            for entry in self.picture.entries.values()
            if entry.phase != "archived" and (self.project is None or entry.project == self.project)
        ]

    def entry(self, project: str, name: str) -> JobEntry:
        """A job as lists show it. Raises NotFound also for one that may not be seen."""
        self.require_loaded()
        entry = self.picture.entries.get(f"{project}/{name}")
        if entry is None or not self.may_see(project):
            raise NotFound(f"there is no job {project[:70]}/{name[:70]}", job=f"{project[:70]}/{name[:70]}")
        return entry

    @cached_property
    def newest_event(self) -> int:
        """Id of the last event there is: live updates go on from it."""
        events = self.reader.events(limit=1, order="desc")
        return events[0].id or 0 if events else 0

    @property
    def behind(self) -> bool:
        """Whether the database says more than the picture this page is made of: it should be asked for again soon.

        Events are read from the database at once; the picture follows within a second or two, later in a burst.
        """
        source, shown = self.reader.source(), self.picture.source
        return self.reader.seq() > self.picture.seq or (source is not None and source != shown)

    def render(self, name: str, /, *, title: str, current: str = "", refresh: int | None = None, **values: Any) -> str:
        """The HTML of a template that extends `base.html`.

        Args:
            title: of the browser's tab, before the product's name.
            current: the entry of the navigation that this page belongs to: a key of `status.page.frame.NAVIGATION`.
            refresh: seconds after which a live page looks again without an event (what runs uses other figures then).
        """
        frame = frame_of(self.facts, self.home, scoped=self.project is not None)
        return Markup(
            template(name).render(
                frame=frame, title=title, current=current, refresh=refresh, now=self.now, event=self.newest_event,
                behind=self.behind, project=self.project, **values,
            )
        )  # fmt: skip
