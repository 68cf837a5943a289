"""The store: the only writer of the database. Owned by the daemon's loop; one process, one thread.

Jobs come from `state.store_jobs`, runs from `state.store_runs` (those that wait from `state.store_waits`, slots without
one from `state.store_skips`), silences from `state.store_silences`, transactions from `state.writer`; here are opening,
closing, events, requests, other documents, the source, the file cache and pruning. Readers use `state.reads`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from specs.desired import CachedFile
from state import retention
from state.changes import Advance, DoomedDirectory, RunEnd, RunStarted, Skip, Wait
from state.database import JOURNAL_LIMIT, examine, journal_mode, prepare, sqlite_warning
from state.errors import JobHasActiveRuns, NotFound
from state.migrations import migrate
from state.records import DocumentRecord, Event, RequestRecord, SourceState
from state.rows import (
    SELECT_DOCUMENT,
    SELECT_REQUEST,
    document_of,
    event_values,
    printable,
    request_of,
    to_json,
)
from state.store_jobs import JobStore
from state.store_silences import SilenceStore
from state.store_skips import SkipStore
from state.store_waits import WaitStore
from state.writer import writer_errors

__all__ = ["Advance", "RunEnd", "RunStarted", "Skip", "Store", "Wait"]

BUSY_SECONDS = 5.0
_PUT_REQUEST = f"INSERT OR REPLACE INTO request VALUES ({', '.join('?' * 10)})"
_PUT_SOURCE = f"INSERT OR REPLACE INTO source VALUES (1, {', '.join('?' * 9)})"
_PUT_DOCUMENT = f"INSERT OR REPLACE INTO document VALUES ({', '.join('?' * 8)})"
_PUT_FILE = f"INSERT OR REPLACE INTO spec_file VALUES ({', '.join('?' * 8)})"


class Store(JobStore, SkipStore, WaitStore, SilenceStore):
    """The writer. Every method is one transaction, or part of the one that `transaction()` opened."""

    backup: Path | None = None
    """The copy made before migrating, when this open migrated."""
    _round: retention.Round | None = None
    _logs: bool = False
    """Whether the journal is a write-ahead log."""
    was_clean: bool = True
    """False when the last daemon did not close the store: then the file was checked whole."""

    @classmethod
    def open(cls, path: Path, *, now: int) -> Store:
        """Open, make or migrate the database. `now` in microseconds.

        Raises NewerSchema, NotADatabase, CorruptDatabase (the file is left as it is), Unwritable, DiskFull, Busy.
        """
        exists = examine(path)
        prepare(path)
        mode = journal_mode(path)
        database = peewee.SqliteDatabase(
            str(path),
            lock_type="IMMEDIATE",
            timeout=BUSY_SECONDS,
            thread_safe=False,
            pragmas={
                "journal_mode": mode,
                "journal_size_limit": JOURNAL_LIMIT,
                "synchronous": "full",
                "foreign_keys": 1,
                "cache_size": -4_000,
            },
        )
        with writer_errors(path):
            try:
                database.connect()
                backup = migrate(database.connection(), path)  # type: ignore[no-untyped-call]
            except BaseException:
                database.close()
                raise
        store = cls(path, database)
        store.backup = backup
        store._logs = mode == "wal"
        with store.transaction():
            (clean,) = store._connection.execute("SELECT value FROM meta WHERE key = 'clean'").fetchone()
            store._connection.execute("UPDATE meta SET value = 0 WHERE key = 'clean'")
            store._connection.execute("INSERT OR REPLACE INTO meta VALUES ('opened_at', ?)", (now,))
        store.was_clean = bool(clean) or not exists
        return store

    @property
    def warning(self) -> str | None:
        """What is wrong with this machine's SQLite; None when nothing is."""
        return sqlite_warning()

    def close(self) -> None:
        """Mark the stop as clean, write the journal back into the file, close. Again: nothing."""
        if self._database.is_closed():
            return
        try:
            with self.transaction():
                self._connection.execute("UPDATE meta SET value = 1 WHERE key = 'clean'")
        finally:
            self._database.close()

    def add_events(self, events: Iterable[Event]) -> None:
        """Store events; their `id` is given here."""
        rows = [event_values(e.at, e.job_id, e.run_id, e.type, e.reason, e.message, e.data) for e in events]
        with self.transaction():
            self._add_event_rows(rows)

    def record_request(self, request: RequestRecord) -> None:
        """Store what became of a request; a later word on the same id replaces the earlier."""
        with self.transaction():
            self._connection.execute(
                _PUT_REQUEST,
                (request.id, request.kind, request.identity, request.run_id, printable(request.requested_by),
                 request.requested_at, request.handled_at, request.outcome, printable(request.message),
                 to_json(dict(request.data))),
            )  # fmt: skip

    def request(self, id: str) -> RequestRecord | None:
        """What became of a request; None when it was not handled (or long ago)."""
        with self._reading():
            row = self._connection.execute(f"{SELECT_REQUEST} WHERE id = ?", (id,)).fetchone()
        return None if row is None else request_of(row)

    def set_source(self, source: SourceState) -> None:
        """Store the last look at the specs."""
        with self.transaction():
            self._connection.execute(
                _PUT_SOURCE,
                (printable(source.root), source.revision, source.scanned_at, source.files, source.jobs, source.invalid,
                 None if source.problem is None else printable(source.problem), to_json(source.prune_blocked),
                 to_json([dict(found) for found in source.diagnostics])),
            )  # fmt: skip

    def documents(self) -> list[DocumentRecord]:
        """What is applied besides jobs, by kind and name."""
        with self._reading():
            rows = self._connection.execute(f"{SELECT_DOCUMENT} ORDER BY kind, name")
            return [document_of(row) for row in rows]

    def put_documents(self, changed: Iterable[DocumentRecord], removed: Iterable[tuple[str, str]]) -> None:
        """Keep `changed` (new, or in the place of the one with its kind and name), forget `removed`: (kind, name)."""
        with self.transaction():
            self._connection.executemany("DELETE FROM document WHERE kind = ? AND name = ?", list(removed))
            self._connection.executemany(
                _PUT_DOCUMENT,
                [
                    (one.kind, one.name, one.spec, one.digest, printable(one.path), one.line, one.revision,
                     one.applied_at)
                    for one in changed
                ],
            )  # fmt: skip

    def file_cache(self, version: str) -> list[CachedFile]:
        """What spec files said when they were last read by the loader `version`."""
        return list(self.each_cached_file(version))

    def each_cached_file(self, version: str) -> Iterator[CachedFile]:
        """As `file_cache`, one at a time: 10,000 rows at once take 25 MB. Nothing may be written meanwhile."""
        with self._passing_through():
            rows = self._connection.execute(
                "SELECT path, inode, size, mtime_ns, ctime_ns, sha256, documents FROM spec_file "
                "WHERE version = ? ORDER BY path",
                (version,),
            )
            for row in rows:
                yield CachedFile(
                    path=os.fsdecode(row[0]), inode=int(row[1]), size=row[2], mtime_ns=row[3], ctime_ns=row[4],
                    sha256=row[5], documents=row[6],
                )  # fmt: skip

    def save_cache(self, version: str, changed: Iterable[CachedFile], removed: Iterable[str]) -> None:
        """Keep `changed`, forget `removed` and everything of other loader versions."""
        with self.transaction():
            self._connection.execute("DELETE FROM spec_file WHERE version <> ?", (version,))
            self._connection.executemany("DELETE FROM spec_file WHERE path = ?", [(os.fsencode(p),) for p in removed])
            # An inode number may need 64 bits without sign, more than SQLite's integer has: text.
            self._connection.executemany(
                _PUT_FILE,
                (
                    (os.fsencode(file.path), version, str(file.inode), file.size, file.mtime_ns, file.ctime_ns,
                     file.sha256, file.documents)
                    for file in changed
                ),
            )  # fmt: skip

    def purge_job(self, job_id: int) -> list[str]:
        """Delete a job with its whole history. The ids of its runs; their directories are doomed.

        Raises NotFound, JobHasActiveRuns.
        """
        with self.transaction():
            job = self.job(job_id)
            if job is None:
                raise NotFound(f"no job with id {job_id}")
            if job.active_runs:
                raise JobHasActiveRuns(f"job {job.identity} has active runs", hint="cancel them first")
            return retention.delete_job(self._connection, job_id, job.project, job.name, seq=self._next_seq())

    def prune(
        self, now: int, *, max_age_us: int = 30 * 86_400_000_000, max_runs: int = 1000, limit: int = 12
    ) -> list[tuple[str, str, str]] | None:
        """Delete at most `limit` runs that are too old or too many, in one transaction; the limits hold for jobs whose
        spec sets none.

        (project, job, run id) of what went, by the names of the folder; the directories are doomed, those of outputs
        that are too much as well. [] when nothing went yet: call again, until None tells that all was looked at.
        """
        if self._round is None:
            self._round = retention.Round(self._connection, now=now, max_age_us=max_age_us, max_runs=max_runs)
        try:
            with self._reading():
                bite = self._round.bite(limit)
            if bite:
                with self._unhurried(), self.transaction():
                    retention.delete(self._connection, bite, now=now)
                    for job_id, project, name in bite.jobs:
                        retention.delete_job(self._connection, job_id, project, name, seq=self._next_seq())
            elif bite is None:
                self._round = None
                with self.transaction():
                    retention.trim_removals(self._connection)
        except BaseException:
            # What the round has passed may not be gone: the next one begins anew.
            self._round = None
            raise
        return None if bite is None else [(run.project, run.job, run.run_id) for run in bite.runs]

    def doomed_directories(self, *, after: int = 0, limit: int = 50) -> list[DoomedDirectory]:
        """Directories whose rows are gone, in the order they can go; `after`: the id of the last one seen."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT doomed.id, doomed.project, doomed.job, doomed.run_id, doomed.output_only, "
                "EXISTS (SELECT 1 FROM job WHERE job.project = doomed.project AND job.name = doomed.job) "
                "OR EXISTS (SELECT 1 FROM run WHERE filed_under = doomed.project || '/' || doomed.job), "
                "EXISTS (SELECT 1 FROM job WHERE job.project = doomed.project) OR EXISTS (SELECT 1 FROM run "
                "WHERE filed_under > doomed.project || '/' AND filed_under < doomed.project || '0') "
                "FROM doomed_directory AS doomed WHERE doomed.id > ? ORDER BY doomed.id LIMIT ?",
                (after, limit),
            )
            return [
                DoomedDirectory(id, project, job, run_id, bool(output_only), bool(job_lives), bool(project_lives))
                for id, project, job, run_id, output_only, job_lives, project_lives in rows
            ]

    def directories_removed(self, ids: Iterable[int]) -> None:
        """Forget directories of `doomed_directories`: they are gone."""
        with self._unhurried(), self.transaction():
            self._connection.executemany("DELETE FROM doomed_directory WHERE id = ?", [(each,) for each in ids])

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        """What is committed in here reaches the disk with the next commit that is forced: its own wait would be a third
        of a bite. If power fails before, what was deleted is there again, and is deleted again.

        With a rollback journal (network file systems) it is forced all the same: there, that keeps the file whole.
        """
        if self._depth or not self._logs:
            yield
            return
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._connection.execute("PRAGMA synchronous = FULL")
