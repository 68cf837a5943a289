"""From any older schema to the newest: ordered SQL steps, each in one transaction, a backup of the file first.

Called when the store or the outbox is opened. Raises nothing of its own; SQLite's errors pass through.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from state.schema import APPLICATION_ID, STEPS


def migrate(
    connection: sqlite3.Connection, path: Path, *, steps: tuple[str, ...] = STEPS, application_id: int = APPLICATION_ID
) -> Path | None:
    """Bring the database to version `len(steps)`. The backup's path, or None when there was nothing to back up.

    A process that dies here leaves the version it had reached; the next start goes on from there.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    backup = None
    if 0 < version < len(steps):
        backup = path.with_name(f"{path.name}.v{version}.bak")
        _back_up(connection, backup)
    for target in range(version + 1, len(steps) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(steps[target - 1]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {target}")
            connection.execute(f"PRAGMA application_id = {application_id}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return backup


def _back_up(connection: sqlite3.Connection, backup: Path) -> None:
    """A consistent copy under its final name only when it is complete."""
    partial = backup.with_name(f"{backup.name}.tmp")
    with suppress(FileNotFoundError):
        partial.unlink()
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection.execute("VACUUM INTO ?", (str(partial),))
    partial.replace(backup)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script (`executescript` would commit the transaction first)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
