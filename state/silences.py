"""Silences: stretches in which nobody is notified of a job. Read by whoever tells people, written by the daemon.

`SilenceStore` is a base of `state.store.Store`; `read_silences` asks any connection. A silence is over by time alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from state.records import SilenceRecord
from state.rows import printable
from state.writer import Writer

KEPT = 90 * 86_400 * 1_000_000
"""Microseconds for which a silence that is over is kept: events are judged by the silences of their own time."""
_SELECT = "SELECT id, identity, since, until, reason, silenced_by, ended_at, ended_by FROM silence"
_PUT = "INSERT OR IGNORE INTO silence VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_END = "UPDATE silence SET ended_at = ?, ended_by = ? WHERE identity IS ? AND ended_at IS NULL AND until > ?"

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


class SilenceStore(Writer):
    """The part of the store that keeps silences."""

    def add_silence(self, silence: SilenceRecord, *, now: int) -> None:
        """Store one; the same id again changes nothing. Those long over go."""
        with self.transaction():
            self._connection.execute("DELETE FROM silence WHERE until < ?", (now - KEPT,))
            self._connection.execute(
                _PUT,
                (silence.id, silence.identity, silence.since, silence.until, printable(silence.reason),
                 printable(silence.silenced_by), silence.ended_at, silence.ended_by),
            )  # fmt: skip

    def end_silences(self, identity: str | None, by: str, now: int) -> int:
        """End those of a job (None: those of all jobs together) that still hold; how many."""
        with self.transaction():
            return self._connection.execute(_END, (now, printable(by), identity, now)).rowcount

    def silences(self, *, after: int) -> list[SilenceRecord]:
        """As `read_silences`."""
        with self._reading():
            return read_silences(lambda sql, values: self._connection.execute(sql, values).fetchall(), after=after)
