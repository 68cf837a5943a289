"""Silences: stretches in which nobody is notified of a job. Read by whoever tells people, written by the daemon.

Kept by `state.store_silences`; a silence is over by time alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from state.records import SilenceRecord

_SELECT = "SELECT id, identity, since, until, reason, silenced_by, ended_at, ended_by FROM silence"

Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Answers a query with its values."""


def read_silences(rows: Rows, *, after: int) -> list[SilenceRecord]:
    """Those that held after this instant (microseconds) or will, the first to begin first."""
    sql = f"{_SELECT} WHERE until > ? AND (ended_at IS NULL OR ended_at > ?) ORDER BY since, id"
    return [_record(row) for row in rows(sql, (after, after))]


def _record(row: tuple[Any, ...]) -> SilenceRecord:
    id, identity, since, until, reason, by, ended_at, ended_by = row
    return SilenceRecord(
        id=id, identity=identity, since=since, until=until, reason=reason, silenced_by=by, ended_at=ended_at,
        ended_by=ended_by,
    )  # fmt: skip
