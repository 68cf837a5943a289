"""The part of the store that keeps silences. Base of `state.store.Store`."""

from __future__ import annotations

from state.records import SilenceRecord
from state.rows import printable
from state.silences import read_silences
from state.writer import Writer

KEPT = 90 * 86_400 * 1_000_000
"""Microseconds for which a silence that is over is kept: events are judged by the silences of their own time."""
_PUT = "INSERT OR IGNORE INTO silence VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_END = "UPDATE silence SET ended_at = ?, ended_by = ? WHERE identity IS ? AND ended_at IS NULL AND until > ?"


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
