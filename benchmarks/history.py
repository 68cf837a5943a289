"""A database with a long history, made straight in SQLite: a million runs through the store would take minutes.

The rows are as the store would have written them for runs that succeeded; the schema is the store's own.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import corpus
from specs.load import load_bytes
from state.ids import first_id
from state.records import JobRecord
from state.store import Store

SPAN = 10 * 86_400_000_000
"""Microseconds that the history covers: less than retention, so that nothing of it is pruned while we measure."""
_COLUMNS = (
    "id, job_id, generation, digest, trigger, scheduled_for, attempt, state, reason, created_at, started_at, "
    "finished_at, exit_code, cpu_seconds, peak_memory, output_bytes, supervisor, boot_id, pid, pid_start"
)


def make_jobs(path: Path, count: int, *, more: Callable[[int], bytes] = lambda number: b"") -> None:
    """A new database with `count` jobs, as applied from the corpus.

    Args:
        more: lines of the spec of job `number`, besides those of the corpus.
    """
    now = time.time_ns() // 1000
    store = Store.open(path, now=now)
    with store.transaction():
        for number in range(count):
            (job,) = load_bytes(corpus.spec(number) + more(number), corpus.place(number)).jobs
            store.put_job(
                JobRecord(
                    project=job.project, name=job.name, spec=job.spec, digest=job.digest, path=job.path, line=job.line,
                    created_at=now, applied_at=now, anchor_at=now, cursor_at=now, next_at=now + SPAN,
                )
            )  # fmt: skip
    store.close()


def add_runs(path: Path, count: int) -> None:
    """`count` runs that succeeded, spread over the jobs of the database and over the last days; three events each."""
    database = sqlite3.connect(path, isolation_level=None)
    jobs = [row[0] for row in database.execute("SELECT id FROM job WHERE archived_at IS NULL ORDER BY id")]
    first = time.time_ns() // 1000 - SPAN
    step = (SPAN - 60_000_000) // count
    indexes = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('run', 'event') AND sql IS NOT NULL"
    ).fetchall()
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN IMMEDIATE")
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    database.executemany(
        f"INSERT INTO run ({_COLUMNS}) VALUES ({', '.join('?' * 20)})", _runs(count, jobs, first, step)
    )
    database.executemany(
        "INSERT INTO event (at, job_id, run_id, type, reason, message) VALUES (?, ?, ?, 'Normal', ?, ?)",
        _events(count, jobs, first, step),
    )
    for _, sql in indexes:
        database.execute(sql)
    each = count // len(jobs)
    database.executemany(
        "UPDATE job SET last_run_id = ?1, newest_row_id = ?1, last_success_id = ?1, last_run_state = 'succeeded', "
        "last_started_at = ?2, last_finished_at = ?2 + 2000, last_success_at = ?2 + 2000, health = 'healthy', "
        "succeeded = succeeded + ?3, kept_runs = kept_runs + ?3 WHERE id = ?4",
        [
            (_id(number, first, step), first + number * step, each, jobs[number % len(jobs)])
            for number in range(count - len(jobs), count)
        ],
    )
    database.execute("COMMIT")
    database.close()


def _id(number: int, first: int, step: int) -> str:
    return first_id(first + number * step)[:20] + f"{number:06d}"[-6:]


def _runs(count: int, jobs: list[int], first: int, step: int) -> Iterator[tuple[Any, ...]]:
    for number in range(count):
        at = first + number * step
        yield (_id(number, first, step), jobs[number % len(jobs)], 1, "d" * 64, "schedule", at, 1, "succeeded",
               "succeeded", at, at + 900, at + 2000, 0, 0.01, 4_000_000, 120, "bench-0", "boot", 4000,
               77)  # fmt: skip


def _events(count: int, jobs: list[int], first: int, step: int) -> Iterator[tuple[Any, ...]]:
    for number in range(count):
        at, job, run = first + number * step, jobs[number % len(jobs)], _id(number, first, step)
        yield at, job, run, "created", "Created (schedule)"
        yield at + 900, job, run, "started", "Started"
        yield at + 2000, job, run, "succeeded", "Succeeded"
