"""What history may go: chosen and deleted in small transactions, so that no start waits for it.

Called by `state.store.Store.prune`, which the daemon calls when it is idle. Directories of what goes are noted in the
same transaction (`doomed_directory`) and deleted later, by `reconciler.housekeeping`.

Never deleted: an active run, a job's latest run, its last success. When a job was archived longer ago than the age
limit, its latest and last success go as well, and with the last of them the job. Counters are kept elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from state.ids import first_id
from state.records import ACTIVE_STATES
from state.rows import to_json

_ENDED = "run.state NOT IN ({})".format(", ".join(f"'{state}'" for state in ACTIVE_STATES))
_FREE = (
    f"{_ENDED} AND (job.archived_at < :cutoff OR NOT (run.id = job.newest_row_id OR run.id IS job.last_run_id "
    "OR run.id IS job.last_success_id))"
)
_TOO_OLD = (
    "SELECT run.id, run.job_id, job.project, job.name, run.filed_under FROM run CROSS JOIN job ON job.id = run.job_id "
    "WHERE run.id > :after AND run.id < :bound AND coalesce(run.finished_at, run.created_at) < :cutoff "
    f"AND {_FREE} ORDER BY run.id LIMIT :limit"
)
_FULL_JOBS = "SELECT id, kept_runs FROM job WHERE kept_runs > ? ORDER BY id"
_TOO_MANY = (
    "SELECT run.id, run.job_id, job.project, job.name, run.filed_under FROM run CROSS JOIN job ON job.id = run.job_id "
    f"WHERE run.job_id = :job AND {_FREE} ORDER BY run.id LIMIT :limit"
)
_DOOM = "INSERT INTO doomed_directory (project, job, run_id) VALUES (?, ?, ?)"
_EMPTY_JOBS = "SELECT id, project, name FROM job WHERE kept_runs = 0 AND archived_at < ? LIMIT ?"


JOBS_PER_ROUND = 100
"""Archived jobs without history that go at the end of one round; the rest wait for the next."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A run to delete."""

    run_id: str
    job_id: int
    project: str
    """This and `job` name the folder its files are in."""
    job: str
    moved: bool
    """It is the folder of a name the job had before."""


_AGES_DONE = "~"
"""Behind every id."""


def _doomed(run_id: str, job_id: int, project: str, job: str, filed_under: str | None) -> Doomed:
    if filed_under is None:
        return Doomed(run_id, job_id, project, job, False)
    project, _, job = filed_under.partition("/")
    return Doomed(run_id, job_id, project, job, True)


def choose(
    connection: sqlite3.Connection, *, cutoff: int, max_runs: int, limit: int, after: str
) -> tuple[list[Doomed], str]:
    """At most `limit` runs to delete, and `after` for the next call; fewer than `limit`: these are the last.

    `after` ("" at first) keeps a round from walking again and again over old runs that stay.
    """
    values = {"cutoff": cutoff, "bound": first_id(cutoff), "after": after, "limit": limit}
    found = [] if after == _AGES_DONE else [_doomed(*row) for row in connection.execute(_TOO_OLD, values)]
    if len(found) == limit:
        return found, found[-1].run_id
    too_old = {run.run_id for run in found}
    for job_id, kept in connection.execute(_FULL_JOBS, (max_runs,)).fetchall():
        room = min(kept - max_runs, limit - len(found))
        if room <= 0:
            break
        rows = connection.execute(_TOO_MANY, {"job": job_id, "cutoff": cutoff, "limit": room})
        found += [run for run in (_doomed(*row) for row in rows) if run.run_id not in too_old]
    return found, _AGES_DONE if len(found) == limit else ""


def delete(connection: sqlite3.Connection, doomed: list[Doomed]) -> None:
    """Delete these runs with their events, and note their directories. Inside the caller's transaction."""
    doom(connection, [(run.project, run.job, run.run_id) for run in doomed])
    ids = to_json([run.run_id for run in doomed])
    connection.execute("DELETE FROM event WHERE run_id IN (SELECT value FROM json_each(?))", (ids,))
    connection.execute("DELETE FROM run WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    gone = Counter(run.job_id for run in doomed)
    connection.executemany(
        "UPDATE job SET kept_runs = kept_runs - ? WHERE id = ?", [(number, job_id) for job_id, number in gone.items()]
    )
    # A folder of an earlier name goes with the last run in it; the job's own stays as long as the job.
    doom(connection, [(*folder, None) for folder in {(run.project, run.job) for run in doomed if run.moved}])


def doom(connection: sqlite3.Connection, directories: Iterable[tuple[str, str, str | None]]) -> None:
    """Note directories to delete: (project, job, run id), None for the folder of a job. In the caller's transaction."""
    connection.executemany(_DOOM, directories)


def delete_old_notes(connection: sqlite3.Connection, cutoff: int, limit: int) -> None:
    """Delete events without a run and handled requests older than `cutoff`, at most `limit` of each.

    Of removals the newest 1000 stay: a reader that missed more than these reads everything anew.
    """
    connection.execute(
        "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE run_id IS NULL AND at < ? ORDER BY at LIMIT ?)",
        (cutoff, limit),
    )
    connection.execute(
        "DELETE FROM request WHERE id IN (SELECT id FROM request WHERE id < ? AND handled_at < ? ORDER BY id LIMIT ?)",
        (first_id(cutoff), cutoff, limit),
    )
    connection.execute(
        "DELETE FROM removal WHERE seq <= (SELECT seq FROM removal ORDER BY seq DESC LIMIT 1 OFFSET 1000)"
    )


def empty_archived_jobs(connection: sqlite3.Connection, cutoff: int) -> list[tuple[int, str, str]]:
    """(id, project, name) of jobs archived before `cutoff` that have no history left."""
    return connection.execute(_EMPTY_JOBS, (cutoff, JOBS_PER_ROUND)).fetchall()


def delete_job(connection: sqlite3.Connection, job_id: int, project: str, name: str, *, seq: int) -> list[str]:
    """Delete a job with all that belongs to it, and note its directories. The ids of its runs.

    Inside the caller's transaction.
    """
    sql = "SELECT id, filed_under FROM run WHERE job_id = ? ORDER BY id"
    filed = [
        (run_id, *(under.split("/") if under else (project, name)))
        for run_id, under in connection.execute(sql, (job_id,))
    ]
    ids = [run_id for run_id, _, _ in filed]
    connection.execute("DELETE FROM event WHERE job_id = ?", (job_id,))
    connection.execute("DELETE FROM run WHERE job_id = ?", (job_id,))
    connection.execute("DELETE FROM job WHERE id = ?", (job_id,))
    # The job's own folders last: it can go when those of its runs are gone.
    folders = dict.fromkeys([(project, name), *((one, other) for _, one, other in filed)])
    doom(connection, [(one, other, run_id) for run_id, one, other in filed])
    doom(connection, [(*folder, None) for folder in folders])
    connection.execute("INSERT INTO removal VALUES (?, ?, ?)", (seq, project, name))
    return ids
