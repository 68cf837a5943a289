"""The database file: can it be read, is it sound, what lies beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from cli.health.finding import Check, Finding, Patient, ok, problem, warning
from state.database import connect_read_only, file_system, journal_mode, own_errors, sqlite_warning
from state.errors import NoDatabase, OlderSchema
from state.schema import VERSION
from status.words.times import size

LARGE_WAL = 256 << 20
"""Bytes. The daemon writes it back at 4 MiB; it grows while somebody reads all the time."""


def check_soundness(patient: Patient) -> Iterator[Finding]:
    """Whether it opens, is of a known schema, and SQLite finds no damage."""
    path = patient.home.database
    match patient.database_error:
        case NoDatabase() as error:
            yield warning(f"{error}", error.hint or "start the daemon")
            return
        case OlderSchema() as error:
            yield warning(f"{error}", error.hint or "restart the daemon with this version")
        case None:
            pass
        case error:
            yield problem(f"{error}", error.hint or "restore a backup: jobsctl restore FILE")
            return
    with own_errors(path), closing(connect_read_only(path, timeout=5.0)) as connection:
        findings = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    if findings != ["ok"]:
        yield problem(
            f"{path} is damaged: {'; '.join(findings)[:500]}",
            "stop the daemon, then `jobsctl restore FILE` from a backup, or `sqlite3 FILE .recover`",
        )
    else:
        yield ok(f"{path}: {size(path.stat().st_size)}, schema {VERSION}, no damage found")
    if old := sqlite_warning():
        yield ok(old)


def check_journal(patient: Patient) -> Iterator[Finding]:
    """What SQLite keeps beside the file."""
    database = patient.home.database
    wal = database.with_name(f"{database.name}-wal")
    if not database.exists():
        return
    if wal.exists() and wal.stat().st_size > LARGE_WAL:
        yield warning(
            f"{wal} has {size(wal.stat().st_size)}: it cannot be written back while a reader never lets go",
            f"find the program that keeps it open (fuser {database}) and end it",
        )
    if not patient.alive and wal.exists() and wal.stat().st_size:
        yield ok(f"{wal} is not empty: the last daemon was ended hard; the next one takes it in by itself")
    kind = file_system(database)
    if journal_mode(database) == "delete":
        yield warning(
            f"{database} is on {kind}: locks of network file systems are not to be relied on",
            "put the home on a local disk",
        )


CHECKS = (
    Check(
        "database", "whether the database opens, has a known schema and no damage (PRAGMA quick_check)", check_soundness
    ),
    Check("database-files", "the write-ahead log beside it, and the file system under it", check_journal),
)
