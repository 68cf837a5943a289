"""Faults at a place in the daemon: it dies there, or the database (or the supervisor's socket) refuses.

Places are the names of `reconciler.crashpoint`, `line` (any of them), `begin`, `statement`, `commit` (before it),
`committed` (right after it) and `launch`.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reconciler import crashpoint
from state.store import Store

ERRORS = {
    "full": (sqlite3.SQLITE_FULL, "database or disk is full"),
    "busy": (sqlite3.SQLITE_BUSY, "database is locked"),
    "broken": (sqlite3.SQLITE_IOERR, "disk I/O error"),
    "readonly": (sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
}


class Death(BaseException):
    """Raised where the daemon's process ends at once, as by SIGKILL. No product code may catch it."""


@dataclass(slots=True)
class Armed:
    """Waits at a place: lets `after` visits pass, then strikes `times` times."""

    place: str
    after: int
    error: str | None
    """One of `ERRORS`; None: the process dies."""
    times: int = 1


class Faults:
    """What is armed now."""

    def __init__(self) -> None:
        self.armed: list[Armed] = []
        self.struck = 0

    def reached(self, *places: str) -> None:
        """The daemon is at a place that has these names."""
        for armed in self.armed:
            if armed.place not in places:
                continue
            if armed.after > 0:
                armed.after -= 1
                continue
            armed.times -= 1
            if armed.times == 0:
                self.armed.remove(armed)
            self.struck += 1
            if armed.error is None:
                raise Death(places[0])
            if "launch" in places:
                raise OSError(errno.EAGAIN, "no supervisor takes it")
            raise sqlite_error(armed.error)

    def at_line(self, name: str) -> None:
        """Stands in for `reconciler.crashpoint.crashpoint`."""
        if self.armed:
            self.reached(name, "line")


def sqlite_error(kind: str) -> sqlite3.OperationalError:
    code, text = ERRORS[kind]
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


class FaultyConnection:
    """The store's connection, each statement of which may be the last."""

    def __init__(self, connection: sqlite3.Connection, faults: Faults, began: Callable[[], None]) -> None:
        """`began` is called right after each transaction has begun."""
        self._real = connection
        self._faults = faults
        self._began = began

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if sql.startswith("BEGIN"):
            if self._faults.armed:
                self._faults.reached("begin")
            cursor = self._real.execute(sql)
            self._began()
            return cursor
        if self._faults.armed:
            if sql == "COMMIT":
                self._faults.reached("commit")
                cursor = self._real.execute(sql)
                self._faults.reached("committed")
                return cursor
            if sql != "ROLLBACK":
                self._strike()
        return self._real.execute(sql, *arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        if self._faults.armed:
            self._strike()
        return self._real.executemany(*arguments)

    @property
    def total_changes(self) -> int:
        # The notes of `tests.simulation.rows` are counted, too: more than there are rows, never fewer.
        return self._real.total_changes

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def _strike(self) -> None:
        # A read does not fail for want of room, and there is no harm in dying at one.
        if not self._real.in_transaction:
            return
        try:
            self._faults.reached("statement")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL and self._faults.struck % 2:
                self._real.rollback()  # SQLite may undo the transaction by itself (lang_transaction.html)
            raise


def make_faulty(store: Store, faults: Faults, began: Callable[[], None]) -> None:
    """Every transaction of this store passes the places `begin`, `statement`, `commit` and `committed`."""
    store._connection = FaultyConnection(store._connection, faults, began)  # type: ignore[assignment]


@contextmanager
def lines_watched(faults: Faults) -> Iterator[None]:
    """Every marked line of the reconciler asks `faults` whether the process dies there."""
    real = crashpoint.crashpoint
    rooms = [
        module
        for name, module in sorted(sys.modules.items())
        if name.startswith("reconciler.") and getattr(module, "crashpoint", None) is real
    ]
    for module in rooms:
        vars(module)["crashpoint"] = faults.at_line
    try:
        yield
    finally:
        for module in rooms:
            vars(module)["crashpoint"] = real
