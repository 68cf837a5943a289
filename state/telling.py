"""What the notify process asks of the daemon's database: which jobs tell somebody of themselves, what became of runs.

Called by `status.notify` alone. Rules as in `state.reads`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from state.database import own_errors
from state.ids import first_id
from state.reads import Reader
from state.records import JobRecord, Run
from state.rows import SELECT_JOB, job_of
from state.timetable import SUSPENDED

_TELLS = " OR ".join(f"instr(spec.canonical, CAST('{field}' AS BLOB)) > 0" for field in ('"notify":[', '"callback":{'))
"""Canonical JSON has no blanks, and quotes inside a text are escaped: the bytes are the field, or a variable that is
called so, which costs a look at the job and nothing else."""


@dataclass(frozen=True, slots=True)
class Change:
    """A job that changed."""

    seq: int
    job_id: int
    tells: bool
    """Whether its spec may hold `notify` or `callback`."""


class TellingReader(Reader):
    """`Reader` with these questions. One thread."""

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All answers inside the block are of one moment."""
        with own_errors(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    def changes(self, seq: int, *, limit: int) -> list[Change]:
        """Jobs that changed after `seq`, in the order of their last change."""
        sql = (
            f"SELECT job.seq, job.id, {_TELLS} FROM job JOIN spec ON spec.job_id = job.id "
            "WHERE job.seq > ? ORDER BY job.seq LIMIT ?"
        )
        return [Change(seq, job_id, bool(tells)) for seq, job_id, tells in self._rows(sql, (seq, limit))]

    def jobs_of_ids(self, ids: Iterable[int]) -> list[JobRecord]:
        """By number; those that are gone are left out."""
        sql = f"{SELECT_JOB} WHERE job.id IN (SELECT value FROM json_each(?))"
        return [job_of(row) for row in self._rows(sql, (orjson.dumps(list(ids)).decode(),))]

    def newest_event(self) -> tuple[int, int]:
        """Number and instant of the newest event there is; (the newest there ever was, 0) when none is; (0, 0)."""
        rows = self._rows("SELECT id, at FROM event ORDER BY id DESC LIMIT 1")
        if rows:
            return rows[0][0], rows[0][1]
        ever = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return (ever[0][0] if ever else 0), 0

    def wished_since(self) -> int | None:
        """When the first of those who want to be told was applied (µs); None when nobody does."""
        sql = (
            f"SELECT min(job.applied_at) FROM job JOIN spec ON spec.job_id = job.id WHERE {_TELLS} "
            "UNION ALL SELECT min(applied_at) FROM document WHERE kind = 'Notifier'"
        )
        return min((at for (at,) in self._rows(sql) if at is not None), default=None)

    def event_at(self, id: int) -> int | None:
        """When the event of this number was; None when there is none (any more)."""
        rows = self._rows("SELECT at FROM event WHERE id = ?", (id,))
        return rows[0][0] if rows else None

    def last_event_until(self, at: int) -> int:
        """The number of the newest event not after this instant; 0 when there is none."""
        rows = self._rows("SELECT id FROM event WHERE +at <= ? ORDER BY id DESC LIMIT 1", (at,))
        return rows[0][0] if rows else 0

    def is_retried(self, run: Run) -> bool:
        """Whether another attempt follows this one: it is stored with the end of this one.

        Attempts of a slot are numbered. A run that somebody asked for has no slot: then it is a later retry of the job
        with the next number, made since this one ended.
        """
        if run.scheduled_for is not None:
            sql = "SELECT 1 FROM run WHERE job_id = ? AND scheduled_for = ? AND attempt = ?"
            return bool(self._rows(sql, (run.job_id, run.scheduled_for, run.attempt + 1)))
        sql = (
            "SELECT 1 FROM run WHERE job_id = ? AND id > ? AND scheduled_for IS NULL AND trigger = 'retry' "
            "AND attempt = ? AND created_at >= ? AND requested_by IS ? LIMIT 1"
        )
        ended = run.finished_at or run.created_at
        return bool(self._rows(sql, (run.job_id, run.id, run.attempt + 1, ended, run.requested_by)))

    def running(self, job_ids: Collection[int]) -> dict[int, list[tuple[str, int]]]:
        """Of these jobs, the runs that run: id and start, by job."""
        found: dict[int, list[tuple[str, int]]] = {}
        sql = (
            "SELECT job_id, id, started_at FROM run WHERE state = 'running' AND started_at IS NOT NULL "
            "AND job_id IN (SELECT value FROM json_each(?))"
        )
        for job_id, id, started_at in self._rows(sql, (orjson.dumps(list(job_ids)).decode(),)):
            found.setdefault(job_id, []).append((id, started_at))
        return found

    # What a digest sums up; `job_ids`: of these jobs, None of all

    def living(self, job_ids: Collection[int] | None) -> int:
        """How many jobs there are."""
        where, values = _among("job.id", job_ids)
        return int(self._rows(f"SELECT count(*) FROM job WHERE archived_at IS NULL {where}", values)[0][0])

    def ended_between(self, job_ids: Collection[int] | None, since: int, until: int) -> dict[str, int]:
        """How many runs ended in [since, until), by state; of skipped ones the slots."""
        where, values = _among("job_id", job_ids)
        sql = (
            "SELECT state, sum(coalesce(skipped_count, 1)) FROM run "
            f"WHERE id >= ? AND finished_at >= ? AND finished_at < ? {where} GROUP BY state"
        )
        return dict(self._rows(sql, (_long_before(since), since, until, *values)))

    def slowest_between(
        self, job_ids: Collection[int] | None, since: int, until: int, *, limit: int
    ) -> list[tuple[str, str, int]]:
        """The runs that ended in [since, until) and took longest: job, id and how long (µs)."""
        where, values = _among("run.job_id", job_ids)
        sql = (
            "SELECT job.project || '/' || job.name, run.id, run.finished_at - run.started_at AS lasted "
            "FROM run JOIN job ON job.id = run.job_id WHERE run.id >= ? AND run.finished_at >= ? "
            f"AND run.finished_at < ? AND run.started_at IS NOT NULL {where} ORDER BY lasted DESC LIMIT ?"
        )
        return self._rows(sql, (_long_before(since), since, until, *values, limit))

    def failing(self, job_ids: Collection[int] | None) -> list[tuple[str, int | None, int]]:
        """Living jobs whose last run did not succeed: job, since when (µs), failures in a row; the longest first."""
        where, values = _among("id", job_ids)
        sql = (
            "SELECT project || '/' || name, health_since, consecutive_failures FROM job "
            f"WHERE health = 'failing' AND archived_at IS NULL {where} ORDER BY health_since LIMIT 1000"
        )
        return self._rows(sql, values)

    def coming(self, job_ids: Collection[int] | None, since: int, until: int, *, limit: int) -> list[tuple[str, int]]:
        """The next starts in [since, until), by time: job and instant."""
        where, values = _among("id", job_ids)
        sql = (
            "SELECT project || '/' || name, next_at FROM job WHERE next_at >= ? AND next_at < ? "
            f"AND archived_at IS NULL AND NOT {SUSPENDED} {where} ORDER BY next_at LIMIT ?"
        )
        return self._rows(sql, (since, until, *values, limit))


def _long_before(since: int) -> str:
    """An id such that what ended since then was made after it, but for runs that took more than a week."""
    return first_id(max(since - 7 * 86_400_000_000, 0))


def _among(column: str, ids: Collection[int] | None) -> tuple[str, list[str]]:
    if ids is None:
        return "", []
    return f"AND {column} IN (SELECT value FROM json_each(?))", [orjson.dumps(list(ids)).decode()]
