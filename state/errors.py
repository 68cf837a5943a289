"""The one exception tree of this room: what happened, where, what to do next.

Raised by every module of `state`; shown by the command line (`cli.errors`), logged by the daemon.
`StateError` has `message` (with its subject) and `hint` (the next step, or None).
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Sequence
from pathlib import Path


class StateError(Exception):
    """Base of all. `str()` is the message, without the hint."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DatabaseError(StateError):
    """Raised when the database file as a whole cannot be used. `path` is the file."""

    def __init__(self, path: Path, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}", hint=hint)
        self.path = path


class NoDatabase(DatabaseError):
    """Raised when a reader finds no database: no daemon ever ran on this home."""


class NewerSchema(DatabaseError):
    """Raised when a newer jobsctl wrote the file. It is left as it is."""


class OlderSchema(DatabaseError):
    """Raised when a reader finds a file that a daemon of this version has not migrated yet."""


class NotADatabase(DatabaseError):
    """Raised when the file is not SQLite's, or SQLite's but not ours. It is left as it is."""


class CorruptDatabase(DatabaseError):
    """Raised when SQLite finds the file damaged. It is left as it is."""


class Busy(DatabaseError):
    """Raised when another connection held the write lock for longer than the busy timeout. Worth a retry."""


class DiskFull(DatabaseError):
    """Raised when the file system has no room; the transaction was rolled back. Worth a retry."""


class Unwritable(DatabaseError):
    """Raised when file or directory cannot be opened, created or written: permissions, read-only mount, I/O error."""


class Conflict(StateError):
    """Base of refusals: the data is sound, the change is not allowed now."""


class SlotTaken(Conflict):
    """Raised when a run of this job, slot and attempt exists already. Nothing of the call was stored."""


class RequestTaken(SlotTaken):
    """Raised when a run was already made for this request. Nothing of the call was stored."""


class InvalidRunTransition(Conflict):
    """Raised when a run cannot go from `current` to `requested` (`invalid_run_transition` of the API)."""

    def __init__(self, run_id: str, current: str, requested: str) -> None:
        super().__init__(
            f"run {run_id}: cannot become {requested}, it is {current}",
            hint=f"`jobsctl run {run_id}` shows how it ended",
        )
        self.run_id = run_id
        self.current = current
        self.requested = requested


class JobHasActiveRuns(Conflict):
    """Raised when a job is purged while it has active runs."""


class NotFound(StateError):
    """Raised when no job or run has this name."""


class Ambiguous(StateError):
    """Raised when a name or prefix fits several; `candidates` lists them (at most 10)."""

    def __init__(self, message: str, candidates: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.candidates = tuple(candidates)


class InvalidQuery(StateError):
    """Raised when a filter cannot be understood (a label selector, a pattern, a limit)."""


class InvalidRequest(StateError):
    """Raised when a request file does not hold a request."""


_CORRUPT_HINT = (
    "stop the daemon, copy the file away, then restore a backup (jobsctl.db.v*.bak beside it), "
    "try `sqlite3 FILE .recover`, or move it away to start with an empty history"
)


def from_sqlite(error: sqlite3.Error, path: Path) -> DatabaseError:
    """The error of this tree for one of sqlite3's, by its primary result code."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    text = str(error)
    match primary:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy(path, f"locked by another process ({text})", hint="is a second daemon or sqlite3 shell open?")
        case sqlite3.SQLITE_FULL:
            return DiskFull(path, "no space left on its file system", hint="free some space; work goes on by itself")
        case sqlite3.SQLITE_CORRUPT:
            return CorruptDatabase(path, f"damaged ({text})", hint=_CORRUPT_HINT)
        case sqlite3.SQLITE_NOTADB:
            return NotADatabase(path, "not an SQLite database", hint="move the file away; a new one will be made")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return Unwritable(path, text, hint="the daemon's user needs write access to the file and its folder")
        case sqlite3.SQLITE_IOERR:
            return Unwritable(path, f"input/output error ({text})", hint="look at the disk and the kernel's log")
    return DatabaseError(path, text)


def from_os(error: OSError, path: Path) -> DatabaseError:
    """The error of this tree for a file of the state directory that cannot be made, opened or written."""
    where = Path(error.filename) if isinstance(error.filename, str) else path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(where, "no space left on its file system", hint="free some space (or inodes: df -i)")
    hint = "the daemon's user needs write access to it"
    if error.errno == errno.EROFS:
        hint = "mount it for writing; if the kernel made it read-only, its log (dmesg) says what is wrong with the disk"
    elif error.errno in (errno.EMFILE, errno.ENFILE):
        hint = "raise the limit of open files (ulimit -n, LimitNOFILE=)"
    return Unwritable(where, error.strerror or str(error), hint=hint)


def corrupt(path: Path, finding: str) -> CorruptDatabase:
    """The error for what `PRAGMA quick_check` found."""
    return CorruptDatabase(path, f"damaged ({finding})", hint=_CORRUPT_HINT)
