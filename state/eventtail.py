"""Events in the order in which they came, for those that follow them: pages of bounded work, forward only.

Called by `status.streams`. A connection of its own: followers and questions do not wait for each other. Raises the
errors of `state.errors`. Rows appear in the order of their ids, because there is one writer: what has a smaller id than
a row that was read will not come any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from state.database import open_reader, own_errors
from state.eventlog import event_conditions
from state.records import Event
from state.rows import SELECT_EVENT, event_of
from state.selectors import label_conditions

WINDOW = 10_000
"""Rows that one page looks at, at most: 2 to 5 ms, however few of them are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted; None and () want all."""

    job_id: int | None = None
    run_id: str | None = None
    project: str | None = None
    """Of jobs of this project; what is about no job is left out."""
    labels: tuple[str, ...] = ()
    """Selectors, all of which must hold."""
    types: frozenset[str] | None = None
    reasons: frozenset[str] | None = None
    since: int | None = None
    """µs, inclusive."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The job that an event is about."""

    project: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


class EventTail:
    """Opens the database with the first question, and again after an error. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def newest(self) -> int:
        """The id of the newest event there ever was; 0 before the first."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'event'", ())
        return int(rows[0][0]) if rows else 0

    def page(self, wanted: EventFilter, *, after: int, through: int, limit: int) -> tuple[list[Event], int]:
        """Events with ids in (after, through], oldest first, at most `limit`; and up to which id they are all of them.

        That is `through` when there are no more; it may also be less, with few events or none: ask on from there.
        """
        near = {"job_id": wanted.job_id, "run_id": wanted.run_id}
        where = [f"{column} = ?" for column, value in near.items() if value is not None]
        values = [value for value in near.values() if value is not None]
        first = self._rows(f"SELECT min(id) FROM event WHERE {' AND '.join(['id > ?', *where])}", (after, *values))
        if first[0][0] is None or first[0][0] > through:
            return [], through
        last = min(through, first[0][0] + WINDOW - 1)
        of_jobs, bound = label_conditions(wanted.labels)
        if wanted.project is not None:
            of_jobs.append("job.project = ?")
            bound.append(wanted.project)
        condition, given = event_conditions(
            job_id=wanted.job_id, run_id=wanted.run_id, after=after, before=last + 1, types=wanted.types,
            reasons=wanted.reasons, since=wanted.since, until=None, jobs=(of_jobs, bound) if of_jobs else None,
        )  # fmt: skip
        rows = self._rows(f"{SELECT_EVENT} WHERE {condition} ORDER BY id LIMIT ?", (*given, limit))
        return [event_of(row) for row in rows], rows[-1][0] if len(rows) == limit else last

    def subjects(self, job_ids: Collection[int]) -> dict[int, Subject]:
        """The jobs of these numbers, those that are left, as they are called and labelled now."""
        wanted = (orjson.dumps(list(job_ids)).decode(),)
        labels: dict[int, dict[str, str]] = {}
        sql = "SELECT job_id, key, value FROM label WHERE job_id IN (SELECT value FROM json_each(?))"
        for job_id, key, value in self._rows(sql, wanted):
            labels.setdefault(job_id, {})[key] = value
        sql = "SELECT id, project, name FROM job WHERE id IN (SELECT value FROM json_each(?))"
        return {id: Subject(project, name, labels.get(id, {})) for id, project, name in self._rows(sql, wanted)}

    def close(self) -> None:
        """Let go of the database; the next question opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, sql: str, values: Collection[Any]) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                self._connection = open_reader(self._path, timeout=0.5)
            with own_errors(self._path):
                return self._connection.execute(sql, tuple(values)).fetchall()
        except BaseException:
            self.close()
            raise
