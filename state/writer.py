"""The one write connection: transactions, the sequence of job changes, counters that wait for the commit.

Base of `state.store.Store`, which adds what is stored. One process, one thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import peewee

from state.database import own_errors
from state.errors import DatabaseError, from_sqlite
from state.rows import to_json

_ADD_EVENT = "INSERT INTO event (at, job_id, run_id, type, reason, message, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
_ADD_COUNTER = (
    "INSERT INTO counter (name, labels, value) VALUES (?, ?, ?) "
    "ON CONFLICT (name, labels) DO UPDATE SET value = value + excluded.value"
)


@contextmanager
def writer_errors(path: Path) -> Iterator[None]:
    """sqlite3's errors inside the block, also those that peewee wrapped, come out as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error
    except peewee.PeeweeException as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, sqlite3.Error):
            raise from_sqlite(cause, path) from error
        raise DatabaseError(path, str(error)) from error


class Writer:
    """Holds the connection. `database` is peewee's; hot statements go to its connection as SQL text."""

    def __init__(self, path: Path, database: peewee.SqliteDatabase) -> None:
        self.path = path
        self._database = database
        self._connection: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]
        self._depth = 0
        self._seq: int | None = None
        """The last number given out in the open transaction; None: none yet."""
        self._counted: dict[tuple[str, str], float] = {}
        self._labels: dict[tuple[tuple[str, str], ...], str] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE ... COMMIT; nothing of the block is stored when it raises.

        Used inside another one it joins it: then only the outermost commits. Raises Busy, DiskFull and the like.
        """
        if self._depth:
            self._depth += 1
            try:
                with own_errors(self.path):
                    yield
            except BaseException:
                self._rolled_back()
                raise
            finally:
                self._depth -= 1
            return
        with writer_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                self._flush()
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself on a full disk; then there is nothing left to undo.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                self._rolled_back()
                raise
            finally:
                self._depth = 0
                self._seq = None
                self._counted.clear()

    def _rolled_back(self) -> None:
        """The open transaction, or a call within it, came to nothing: what memory holds of it goes too."""

    def _renamed(self) -> None:
        """A job has another identity: what memory holds of its runs is not right any more."""

    def _reading(self) -> AbstractContextManager[None]:
        """sqlite3's errors inside the block come out as ours."""
        return own_errors(self.path)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Inside a transaction: undo the block alone when it raises, so that the caller may go on."""
        self._connection.execute("SAVEPOINT one_call")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO one_call")
                self._connection.execute("RELEASE one_call")
            raise
        self._connection.execute("RELEASE one_call")

    def _next_seq(self) -> int:
        """The next number in the sequence of all job changes."""
        if self._seq is None:
            (self._seq,) = self._connection.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()
        assert self._seq is not None
        self._seq += 1
        return self._seq

    def count(self, name: str, labels: Mapping[str, str], by: float = 1) -> None:
        """Add to a counter that outlives restarts and pruning. Stored at the commit of the open transaction."""
        key = tuple(labels.items())
        text = self._labels.get(key)
        if text is None:
            text = self._labels[key] = to_json(dict(labels))
        self._counted[name, text] = self._counted.get((name, text), 0) + by

    def _flush(self) -> None:
        if self._seq is not None:
            self._connection.execute("UPDATE meta SET value = ? WHERE key = 'seq'", (self._seq,))
        if self._counted:
            rows = [(name, labels, by) for (name, labels), by in self._counted.items()]
            self._connection.executemany(_ADD_COUNTER, rows)

    def _add_event_rows(self, rows: list[tuple[object, ...]]) -> None:
        self._connection.executemany(_ADD_EVENT, rows)
