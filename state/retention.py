"""What history may go: chosen and deleted in small transactions, so that no start waits for it.

Called by `state.store.Store.prune`, which the daemon calls when it is idle. What goes from the disk is noted in the
same transaction (`doomed_directory`) and deleted later, by `reconciler.housekeeping`.

Each job has the limits of its spec (`retention`), or those of `jobsctl.yaml`. Never deleted: an active run, a job's
latest run, its last success (unless `keep_last_success: false`). When a job was archived longer ago than its age limit,
its latest and last success go as well, and with the last of them the job. Counters are kept elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from state.ids import first_id
from state.records import ACTIVE_STATES
from state.rows import to_json

LOOKED_AT = 200
"""Runs that stay, or jobs, looked at in one bite at most: half a millisecond."""
SUMMED = 500
"""Runs whose output is summed up in one bite at most."""

_ENDED = "run.state NOT IN ({})".format(", ".join(f"'{state}'" for state in ACTIVE_STATES))
_FREE = (
    f"{_ENDED} AND coalesce(job.archived_at < :cutoff, 0) OR {_ENDED} AND NOT (run.id = job.newest_row_id "
    "OR run.id IS job.last_run_id OR run.id IS job.last_success_id AND job.keep_success)"
)
_RUN = "SELECT run.id, run.job_id, job.project, job.name, run.filed_under"
_FROM = "FROM run CROSS JOIN job ON job.id = run.job_id"
_OLD = "coalesce(run.finished_at, run.created_at) < :cutoff"
_IN_ORDER = (
    f"{_RUN}, {_OLD} AND job.retention_age_us IS NULL AND ({_FREE}) {_FROM} "
    "WHERE run.id > :after AND run.id < :bound ORDER BY run.id LIMIT :limit"
)
_OF_JOB = f"{_RUN} {_FROM} WHERE run.job_id = :job AND ({_FREE}) {{}} ORDER BY run.id LIMIT :limit"
_OLD_OF_JOB = _OF_JOB.format(f"AND run.id < :bound AND {_OLD}")
_OLDEST_OF_JOB = _OF_JOB.format("")
_END_OF_CHUNK = "SELECT max(id) FROM (SELECT id FROM job WHERE id > ? ORDER BY id LIMIT ?)"
_JOBS = (
    "SELECT id, project, name, kept_runs, archived_at, coalesce(retention_runs, :max_runs), retention_age_us, "
    "output_max FROM job WHERE id > :after AND id <= :last AND (kept_runs > coalesce(retention_runs, :max_runs) "
    "OR retention_age_us IS NOT NULL OR output_max IS NOT NULL "
    "OR kept_runs = 0 AND archived_at < :now - coalesce(retention_age_us, :max_age)) ORDER BY id LIMIT :limit"
)
_OUTPUTS = (
    f"{_RUN}, run.output_bytes, {_ENDED} AND run.id IS NOT job.last_run_id {_FROM} WHERE run.job_id = ? "
    "AND run.id < ? AND run.output_bytes > 0 AND run.output_pruned IS NULL ORDER BY run.id DESC LIMIT ?"
)
_OLD_EVENTS = "SELECT id FROM event WHERE run_id IS NULL AND at < ? ORDER BY at LIMIT ?"
_OLD_REQUESTS = "SELECT id FROM request WHERE id < ? AND handled_at < ? ORDER BY id LIMIT ?"
_DOOM = "INSERT INTO doomed_directory (project, job, run_id) VALUES (?, ?, ?)"
_DOOM_OUTPUT = "INSERT INTO doomed_directory (project, job, run_id, output_only) VALUES (?, ?, ?, 1)"
_OUTPUT_EVENT = (
    "INSERT INTO event (at, job_id, run_id, type, reason, message) VALUES (?, ?, ?, 'Normal', 'output_pruned', "
    "'Output removed: that of later runs fills what the job may keep (retention.output_max)')"
)
_BEHIND_ALL = "~"
"""Behind every id."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A run to delete, or whose output is."""

    run_id: str
    job_id: int
    project: str
    """This and `job` name the folder its files are in."""
    job: str
    moved: bool
    """It is the folder of a name the job had before."""


@dataclass(slots=True)
class Bite:
    """What goes in one transaction."""

    runs: list[Doomed] = field(default_factory=list)
    outputs: list[Doomed] = field(default_factory=list)
    jobs: list[tuple[int, str, str]] = field(default_factory=list)
    """(id, project, name) of archived jobs that have no history left."""
    events: list[int] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.runs) + len(self.outputs) + len(self.jobs) + len(self.events) + len(self.requests)


@dataclass(frozen=True, slots=True)
class _Job:
    """What a job's limits are held against."""

    id: int
    project: str
    name: str
    kept_runs: int
    archived_at: int | None
    max_runs: int
    age: int | None
    output_max: int | None


class Round:
    """One look at all history, a bite at a time. What a bite holds is true now: it is to be deleted at once."""

    def __init__(self, connection: sqlite3.Connection, *, now: int, max_age_us: int, max_runs: int) -> None:
        self._connection = connection
        self._now = now
        self._max_age = max_age_us
        self._max_runs = max_runs
        self._after_run = ""
        self._after_job: int | None = 0
        self._summed: tuple[int, str, int] = (0, "", 0)
        """Where the sum of a job's outputs has got to when a bite was not enough: job, last run counted, bytes."""

    def bite(self, limit: int) -> Bite | None:
        """At most `limit` things to delete; empty when the look goes on; None when it is over."""
        if self._after_run != _BEHIND_ALL:
            return self._old_runs(limit)
        if self._after_job is not None:
            return self._of_jobs(self._after_job, limit)
        return self._old_notes(limit) or None

    def _old_runs(self, limit: int) -> Bite:
        """Runs of all jobs that have no age limit of their own, the oldest first: they lie side by side."""
        cutoff = self._now - self._max_age
        bite, looked = Bite(), 0
        rows = self._connection.execute(
            _IN_ORDER,
            {"cutoff": cutoff, "after": self._after_run, "bound": first_id(max(cutoff, 0)), "limit": LOOKED_AT},
        )
        for *run, goes in rows:
            looked += 1
            self._after_run = run[0]
            if goes:
                bite.runs.append(_doomed(*run))
                if len(bite) == limit:
                    break
        rows.close()
        if looked < LOOKED_AT and len(bite) < limit:
            self._after_run = _BEHIND_ALL
        return bite

    def _of_jobs(self, after: int, limit: int) -> Bite:
        bite = Bite()
        (last,) = self._connection.execute(_END_OF_CHUNK, (after, LOOKED_AT)).fetchone()
        if last is None:
            self._after_job = None
            return bite
        jobs = self._connection.execute(
            _JOBS, {"after": after, "last": last, "now": self._now, "max_age": self._max_age,
                    "max_runs": self._max_runs, "limit": limit},
        ).fetchall()  # fmt: skip
        for row in jobs:
            job = _Job(*row)
            if not self._of_job(job, bite, limit) or len(bite) >= limit:
                return bite
            self._after_job = job.id
            if job.output_max is not None:
                return bite
        if len(jobs) < limit:
            self._after_job = last
        return bite

    def _of_job(self, job: _Job, bite: Bite, limit: int) -> bool:
        """Add what goes of a job. True when that was all of it."""
        cutoff = self._now - (self._max_age if job.age is None else job.age)
        values: dict[str, object] = {"job": job.id, "cutoff": cutoff, "bound": first_id(max(cutoff, 0))}
        kept = job.kept_runs
        if job.age is not None:
            kept -= self._take(_OLD_OF_JOB, values, bite, limit - len(bite))
            if len(bite) >= limit:
                return False
        kept -= self._take(_OLDEST_OF_JOB, values, bite, min(kept - job.max_runs, limit - len(bite)))
        if len(bite) >= limit:
            return False
        if kept == 0 and job.archived_at is not None and job.archived_at < cutoff:
            bite.jobs.append((job.id, job.project, job.name))
        return job.output_max is None or self._outputs(job, job.output_max, bite, limit)

    def _take(self, sql: str, values: dict[str, object], bite: Bite, room: int) -> int:
        """Add at most `room` runs to the bite that are not in it yet; how many."""
        if room <= 0:
            return 0
        rows = self._connection.execute(sql, {**values, "limit": room + len(bite.runs)})
        new = [run for run in (_doomed(*row) for row in rows) if run not in bite.runs][:room]
        bite.runs += new
        return len(new)

    def _outputs(self, job: _Job, most: int, bite: Bite, limit: int) -> bool:
        """Add runs whose output is too much, summed up from the newest run on. True when all were looked at."""
        before, total = self._summed[1:] if self._summed[0] == job.id else (_BEHIND_ALL, 0)
        cut = _most_kept(self._connection, job.id)
        going = {run.run_id for run in bite.runs}
        rows = self._connection.execute(_OUTPUTS, (job.id, before, SUMMED))
        looked = 0
        for *run, size, may_go in rows:
            looked += 1
            before = run[0]
            total += min(size, cut)
            if total > most and may_go and before not in going:
                bite.outputs.append(_doomed(*run))
                if len(bite) >= limit:
                    break
        rows.close()
        done = looked < SUMMED and len(bite) < limit
        self._summed = (0, "", 0) if done else (job.id, before, total)
        return done

    def _old_notes(self, limit: int) -> Bite:
        """Events without a run and handled requests."""
        cutoff = self._now - self._max_age
        events = [id for (id,) in self._connection.execute(_OLD_EVENTS, (cutoff, limit))]
        room = limit - len(events)
        requests = [id for (id,) in self._connection.execute(_OLD_REQUESTS, (first_id(max(cutoff, 0)), cutoff, room))]
        return Bite(events=events, requests=requests)


def _doomed(run_id: str, job_id: int, project: str, job: str, filed_under: str | None) -> Doomed:
    if filed_under is None:
        return Doomed(run_id, job_id, project, job, False)
    project, _, job = filed_under.partition("/")
    return Doomed(run_id, job_id, project, job, True)


def _most_kept(connection: sqlite3.Connection, job_id: int) -> int:
    """Bytes of output that are kept of a run at most: `output_bytes` also counts what its limit has cut."""
    (text,) = connection.execute("SELECT canonical FROM spec WHERE job_id = ?", (job_id,)).fetchone()
    spec = orjson.loads(text or b"{}")
    files = 2 if (spec.get("capture") or {}).get("streams") == "separate" else 1
    limit = ((spec.get("run") or {}).get("limits") or {}).get("output")
    return (1 << 62) if limit is None else limit * files


def delete(connection: sqlite3.Connection, bite: Bite, *, now: int) -> None:
    """Delete what the bite holds, the jobs excepted, and note what goes from the disk. In the caller's transaction."""
    if bite.runs:
        _delete_runs(connection, bite.runs)
    many = connection.executemany
    many("UPDATE run SET output_pruned = ? WHERE id = ?", [(now, run.run_id) for run in bite.outputs])
    many(_DOOM_OUTPUT, [(run.project, run.job, run.run_id) for run in bite.outputs])
    many(_OUTPUT_EVENT, [(now, run.job_id, run.run_id) for run in bite.outputs])
    many("DELETE FROM event WHERE id = ?", [(id,) for id in bite.events])
    many("DELETE FROM request WHERE id = ?", [(id,) for id in bite.requests])


def _delete_runs(connection: sqlite3.Connection, runs: list[Doomed]) -> None:
    doom(connection, [(run.project, run.job, run.run_id) for run in runs])
    ids = to_json([run.run_id for run in runs])
    connection.execute("DELETE FROM event WHERE run_id IN (SELECT value FROM json_each(?))", (ids,))
    connection.execute("DELETE FROM run WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    gone = Counter(run.job_id for run in runs)
    connection.executemany(
        "UPDATE job SET kept_runs = kept_runs - ? WHERE id = ?", [(number, job_id) for job_id, number in gone.items()]
    )
    # A folder of an earlier name goes with the last run in it; the job's own stays as long as the job.
    doom(connection, [(*folder, None) for folder in {(run.project, run.job) for run in runs if run.moved}])


def doom(connection: sqlite3.Connection, directories: Iterable[tuple[str, str, str | None]]) -> None:
    """Note directories to delete: (project, job, run id), None for the folder of a job. In the caller's transaction."""
    connection.executemany(_DOOM, directories)


def trim_removals(connection: sqlite3.Connection) -> None:
    """Keep the newest 1000 removals: a reader that missed more than these reads everything anew."""
    connection.execute(
        "DELETE FROM removal WHERE seq <= (SELECT seq FROM removal ORDER BY seq DESC LIMIT 1 OFFSET 1000)"
    )


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
    # The job's own folders last: they can go when those of its runs are gone.
    folders = dict.fromkeys([(project, name), *((one, other) for _, one, other in filed)])
    doom(connection, [(one, other, run_id) for run_id, one, other in filed])
    doom(connection, [(*folder, None) for folder in folders])
    connection.execute("INSERT INTO removal VALUES (?, ?, ?)", (seq, project, name))
    return ids
