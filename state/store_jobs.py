"""The part of the store that keeps jobs: definitions, schedules, overrides. Base of `state.store.Store`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from state.changes import Advance
from state.errors import Conflict, NotFound
from state.records import JobRecord
from state.retention import doom
from state.rows import (
    JOB_DEFINITION,
    SELECT_JOB,
    as_stored,
    as_updated,
    job_definition,
    job_of,
    spec_meaning,
    to_json,
)
from state.writer import Writer

_INSERT = (
    f"INSERT INTO job ({', '.join(JOB_DEFINITION)}, suspends, scheduled, follows, seq) "
    f"VALUES ({', '.join('?' * len(JOB_DEFINITION))}, ?, ?, ?, ?) "
    "ON CONFLICT (project, name) DO NOTHING"
)
_UPDATE = f"UPDATE job SET {', '.join(f'{name} = ?' for name in JOB_DEFINITION)}, seq = ? WHERE id = ?"
_INSERT_SPEC = "INSERT INTO spec (job_id, canonical) VALUES (?, ?)"
_UPDATE_SPEC = "UPDATE spec SET canonical = ? WHERE job_id = ?"
_UPDATE_MEANING = "UPDATE job SET suspends = ?, scheduled = ?, follows = ? WHERE id = ?"
_RETENTION = "UPDATE job SET retention_runs = ?, retention_age_us = ?, keep_success = ?, output_max = ? WHERE id = ?"
_ADVANCE = (
    "UPDATE job SET cursor_at = coalesce(?, cursor_at), next_at = ?, boot_id = coalesce(?, boot_id), "
    "completed_at = coalesce(?, completed_at), repeat_done = coalesce(?, repeat_done), "
    "consumed = coalesce(json_patch(coalesce(consumed, '{}'), ?), consumed), seq = ? WHERE id = ?"
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
        """For reading a whole table once: SQLite keeps 1 MB of it instead of filling its page cache, 4 MB."""
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

    def put_job(self, job: JobRecord, *, before: JobRecord | None = None) -> JobRecord:
        """Insert (`id` None), or update definition, schedule and override of the row `id`. The record as stored.

        `before`: what `job` gave in this very transaction, so that it is not read again.

        What runs wrote (active_runs, last_*, health, consecutive_failures, counts) is never changed by it: the
        returned record holds what is stored. Another project or name under an `id` renames the job: its history
        follows, and readers are told that the old identity is gone. Raises Conflict when another row has this
        identity, NotFound when there is no row `id`.
        """
        with self.transaction():
            seq = self._next_seq()
            execute = self._connection.execute
            if job.id is None:
                inserted = execute(_INSERT, (*job_definition(job), *spec_meaning(job.spec, job.project), seq))
                job_id = inserted.lastrowid
                if inserted.rowcount != 1 or job_id is None:
                    raise Conflict(f"job {job.identity} is stored already", hint="read it, and put it under its own id")
                execute(_INSERT_SPEC, (job_id, job.spec))
                self._index(job.spec, job_id)
                if job.counts or job.active_runs or job.last_run_id or job.last_success_id or job.last_end_id:
                    return self._fresh(job_id)
                # A new job has no statistics to read back: 10,000 of them are stored at a first start.
                return as_stored(job, job_id, seq)
            if before is None and (before := self.job(job.id)) is None:
                raise NotFound(f"no job with id {job.id} ({job.identity})")
            if before.identity != job.identity:
                self._rename(job, job.id, before.project, before.name)
            execute(_UPDATE, (*job_definition(job), seq, job.id))
            if before.spec != job.spec or before.project != job.project:
                execute(_UPDATE_MEANING, (*spec_meaning(job.spec, job.project), job.id))
            if before.spec != job.spec:
                self._put_spec(job.spec, before.spec, job.id)
            return as_updated(job, before, seq)

    def _rename(self, job: JobRecord, job_id: int, project: str, name: str) -> None:
        """Let the row `job_id`, until now `project/name`, have the identity of `job`. What its runs left on the disk
        stays where it is: a run may be writing there."""
        execute = self._connection.execute
        if execute("SELECT 1 FROM job WHERE project = ? AND name = ?", (job.project, job.name)).fetchone():
            raise Conflict(f"job {job.identity} is stored already", hint=f"{project}/{name} cannot take its name")
        execute(
            "UPDATE run SET filed_under = ? WHERE job_id = ? AND filed_under IS NULL", (f"{project}/{name}", job_id)
        )
        execute("UPDATE silence SET identity = ? WHERE identity = ?", (job.identity, f"{project}/{name}"))
        execute("INSERT INTO removal VALUES (?, ?, ?)", (self._next_seq(), project, name))
        doom(self._connection, [(project, name, None)])
        self._renamed()

    def _fresh(self, job_id: int) -> JobRecord:
        row = self._connection.execute(f"{SELECT_JOB} WHERE job.id = ?", (job_id,)).fetchone()
        return job_of(row)

    def _put_spec(self, spec: bytes, before: bytes, job_id: int) -> None:
        self._connection.execute(_UPDATE_SPEC, (spec, job_id))
        try:
            same = _indexed(spec) == _indexed(before)
        except (ValueError, AttributeError):  # what was stored is damaged
            same = False
        if not same:
            self._connection.execute("DELETE FROM label WHERE job_id = ?", (job_id,))
            self._connection.execute(_RETENTION, (None, None, 1, None, job_id))
            self._index(spec, job_id)

    def _index(self, spec: bytes, job_id: int) -> None:
        """Repeat in columns what is asked of all specs at once."""
        retention, labels = _indexed(spec)
        if retention:
            age = retention.get("max_age")
            self._connection.execute(
                _RETENTION,
                (retention.get("max_runs"), None if age is None else round(age * 1_000_000),
                 int(retention.get("keep_last_success", True)), retention.get("output_max"), job_id),
            )  # fmt: skip
        if labels:
            rows = [(job_id, key, value) for key, value in labels.items()]
            self._connection.executemany("INSERT INTO label (job_id, key, value) VALUES (?, ?, ?)", rows)

    def advance(self, moves: Sequence[Advance]) -> None:
        """Store where schedules stand."""
        with self.transaction():
            self._connection.executemany(
                _ADVANCE,
                [
                    (move.cursor_at, move.next_at, move.boot_id, move.completed_at, move.repeat_done,
                     to_json(dict(move.consumed)) if move.consumed else None, self._next_seq(), move.job_id)
                    for move in moves
                ],
            )  # fmt: skip


def _indexed(spec: bytes) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
    """The retention and the labels that a spec names."""
    fields = orjson.loads(spec) if spec else {}
    return fields.get("retention"), fields.get("labels")
