"""The part of the store that keeps jobs: definitions, schedules, overrides. Base of `state.store.Store`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import orjson

from state.changes import Advance
from state.errors import Conflict, NotFound
from state.records import JobRecord
from state.rows import JOB_DEFINITION, SELECT_JOB, as_stored, job_definition, job_of
from state.writer import Writer

_INSERT = (
    f"INSERT INTO job ({', '.join(JOB_DEFINITION)}, seq) VALUES ({', '.join('?' * len(JOB_DEFINITION))}, ?) "
    "ON CONFLICT (project, name) DO NOTHING"
)
_UPDATE = f"UPDATE job SET {', '.join(f'{name} = ?' for name in JOB_DEFINITION)}, seq = ? WHERE id = ?"
_INSERT_SPEC = "INSERT INTO spec (job_id, canonical) VALUES (?, ?)"
_PUT_SPEC = (
    "INSERT INTO spec (job_id, canonical) VALUES (?, ?) "
    "ON CONFLICT (job_id) DO UPDATE SET canonical = excluded.canonical WHERE canonical <> excluded.canonical"
)
_ADVANCE = (
    "UPDATE job SET cursor_at = coalesce(?, cursor_at), next_at = ?, boot_id = coalesce(?, boot_id), "
    "completed_at = coalesce(?, completed_at), seq = ? WHERE id = ?"
)


class JobStore(Writer):
    """Jobs and their schedules."""

    def jobs(self) -> list[JobRecord]:
        """All, archived ones too, by project and name."""
        return list(self.each_job())

    def each_job(self) -> Iterator[JobRecord]:
        """As `jobs`, one at a time: 10,000 records at once take 20 MB. Nothing may be written meanwhile."""
        with self._passing_through():
            for row in self._connection.execute(f"{SELECT_JOB} ORDER BY job.project, job.name"):
                yield job_of(row)

    @contextmanager
    def _passing_through(self) -> Iterator[None]:
        """For reading a whole table once: SQLite keeps 1 MB of it instead of filling its page cache, 16 MB."""
        with self._reading():
            (usual,) = self._connection.execute("PRAGMA cache_size").fetchone()
            self._connection.execute("PRAGMA cache_size = -1000")
            try:
                yield
            finally:
                self._connection.execute(f"PRAGMA cache_size = {usual}")

    def spec(self, job_id: int) -> bytes:
        """The canonical spec of a job. Raises NotFound."""
        with self._reading():
            row = self._connection.execute("SELECT canonical FROM spec WHERE job_id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"no job with id {job_id}")
        return bytes(row[0])

    def job(self, job_id: int) -> JobRecord | None:
        """By id."""
        with self._reading():
            row = self._connection.execute(f"{SELECT_JOB} WHERE job.id = ?", (job_id,)).fetchone()
        return None if row is None else job_of(row)

    def job_by_identity(self, identity: str) -> JobRecord | None:
        """By `project/name`."""
        project, _, name = identity.partition("/")
        with self._reading():
            sql = f"{SELECT_JOB} WHERE job.project = ? AND job.name = ?"
            row = self._connection.execute(sql, (project, name)).fetchone()
        return None if row is None else job_of(row)

    def put_job(self, job: JobRecord) -> JobRecord:
        """Insert (`id` None), or update definition, schedule and override of the row `id`. The record as stored.

        What runs wrote (active_runs, last_*, health, consecutive_failures, counts) is never changed by it: the
        returned record holds what is stored. Raises Conflict when another row has this identity, NotFound when
        there is no row `id`.
        """
        with self.transaction():
            seq = self._next_seq()
            execute = self._connection.execute
            if job.id is None:
                inserted = execute(_INSERT, (*job_definition(job), seq))
                job_id = inserted.lastrowid
                if inserted.rowcount != 1 or job_id is None:
                    raise Conflict(f"job {job.identity} is stored already", hint="read it, and put it under its own id")
                execute(_INSERT_SPEC, (job_id, job.spec))
                self._add_labels(job, job_id)
                if job.counts or job.active_runs or job.last_run_id:
                    return self._fresh(job_id)
                # A new job has no statistics to read back: 10,000 of them are stored at a first start.
                return as_stored(job, job_id, seq)
            if execute(_UPDATE, (*job_definition(job), seq, job.id)).rowcount != 1:
                raise NotFound(f"no job with id {job.id} ({job.identity})")
            self._put_spec(job, job.id)
            return self._fresh(job.id)

    def _fresh(self, job_id: int) -> JobRecord:
        row = self._connection.execute(f"{SELECT_JOB} WHERE job.id = ?", (job_id,)).fetchone()
        return job_of(row)

    def _put_spec(self, job: JobRecord, job_id: int) -> None:
        if self._connection.execute(_PUT_SPEC, (job_id, job.spec)).rowcount == 0:
            return
        self._connection.execute("DELETE FROM label WHERE job_id = ?", (job_id,))
        self._add_labels(job, job_id)

    def _add_labels(self, job: JobRecord, job_id: int) -> None:
        labels = orjson.loads(job.spec).get("labels") if job.spec else None
        if labels:
            rows = [(job_id, key, value) for key, value in labels.items()]
            self._connection.executemany("INSERT INTO label (job_id, key, value) VALUES (?, ?, ?)", rows)

    def advance(self, moves: Sequence[Advance]) -> None:
        """Store where schedules stand."""
        with self.transaction():
            self._connection.executemany(
                _ADVANCE,
                [
                    (move.cursor_at, move.next_at, move.boot_id, move.completed_at, self._next_seq(), move.job_id)
                    for move in moves
                ],
            )
