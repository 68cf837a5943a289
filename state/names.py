"""What jobs, projects, labels and runs are called, for a shell's TAB: `state.reads` would cost each 25 ms of imports.

Used by the command line. Read-only, with a short timeout. Raises the errors of `state.errors`.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from state.database import open_reader, own_errors

TIMEOUT = 0.1
"""Seconds: who waits at a prompt would rather type."""


def job_names(database: Path, *, project: str | None, prefix: str) -> list[tuple[str, str]]:
    """(project, name) of jobs, archived ones too, whose name or identity begins with `prefix`."""
    return _rows(
        database,
        "SELECT project, name FROM job WHERE (:project IS NULL OR project = :project) AND "
        "(substr(name, 1, :length) = :prefix OR substr(project || '/' || name, 1, :length) = :prefix)",
        {"project": project, "prefix": prefix, "length": len(prefix)},
    )


def project_names(database: Path) -> list[str]:
    """In no order."""
    return [name for (name,) in _rows(database, "SELECT DISTINCT project FROM job", {})]


def label_pairs(database: Path) -> list[str]:
    """`key=value` of every job, each once."""
    return [pair for (pair,) in _rows(database, "SELECT DISTINCT key || '=' || value FROM label", {})]


def newest_runs(database: Path, *, project: str | None, limit: int) -> list[tuple[str, str, str]]:
    """(id, `project/name` of its job, state), newest first."""
    return _rows(
        database,
        "SELECT run.id, job.project || '/' || job.name, run.state FROM run JOIN job ON job.id = run.job_id "
        "WHERE :project IS NULL OR job.project = :project ORDER BY run.id DESC LIMIT :limit",
        {"project": project, "limit": limit},
    )


def _rows(database: Path, sql: str, values: dict[str, str | int | None]) -> list[Any]:
    with own_errors(database), closing(open_reader(database, timeout=TIMEOUT)) as connection:
        return connection.execute(sql, values).fetchall()
