"""Reading jobs: the part of `state.reads.Reader` that asks for them. No other module makes one of these.

Rules as in `state.reads`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from state.census import doubtful, groups
from state.database import open_reader, own_errors
from state.errors import Ambiguous, InvalidQuery, NotFound
from state.links import LINKED, RELATED
from state.listing import CALLED, in_order, of_phases
from state.records import JobRecord
from state.rows import SELECT_JOB, job_of
from state.selectors import label_conditions
from state.timetable import awake, quiet

MAX_LIMIT = 10_001
"""What people may ask for is 10,000: one more tells whether there are more."""


class JobReader:
    """The connection, and questions about jobs."""

    def __init__(self, path: Path, *, timeout: float = 0.5) -> None:
        self.path = path
        self._connection = open_reader(path, timeout=timeout)
        self._lock = threading.Lock()

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, own_errors(self.path):
            return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def job(self, name: str, *, project: str | None = None) -> JobRecord:
        """By `project/name`, or by `name` (in `project`, or where only one project has it; live before archived).

        Raises NotFound, Ambiguous with the candidates.
        """
        if "/" in name:
            project, _, name = name.partition("/")
        where, values = ("job.project = ? AND job.name = ?", [project, name]) if project else ("job.name = ?", [name])
        found = [job_of(row) for row in self._rows(f"{SELECT_JOB} WHERE {where} ORDER BY job.project LIMIT 11", values)]
        live = [job for job in found if job.archived_at is None] or found
        if not live:
            shown = f"{project}/{name}" if project else name
            raise NotFound(f"no job {shown}", hint="`jobsctl list` shows the jobs, `-p PROJECT` another project's")
        if len(live) > 1:
            names = [job.identity for job in live[:10]]
            raise Ambiguous(f"job {name} is in several projects", names, hint=f"say which: {', '.join(names)}")
        return live[0]

    def job_by_id(self, job_id: int) -> JobRecord | None:
        """By number."""
        rows = self._rows(f"{SELECT_JOB} WHERE job.id = ?", (job_id,))
        return job_of(rows[0]) if rows else None

    def jobs(
        self,
        *,
        project: str | None = None,
        labels: Iterable[str] = (),
        archived: bool | None = False,
        phases: Collection[str] = (),
        after: str | None = None,
        limit: int | None = None,
    ) -> list[JobRecord]:
        """By project and name. `archived`: None for both kinds. `after`: the identity that ended the page before.

        Args:
            phases: any of these of `status.phase`; none: whatever the phase.
        """
        where, values = self._job_filter(project, labels, archived, phases)
        if after is not None:
            where.append("(job.project, job.name) > (?, ?)")
            values += after.partition("/")[::2]
        sql = f"{SELECT_JOB} WHERE {' AND '.join(where) or '1'} ORDER BY job.project, job.name LIMIT ?"
        return [job_of(row) for row in self._rows(sql, (*values, -1 if limit is None else page_limit(limit)))]

    def called(self, identities: Iterable[str]) -> list[JobRecord]:
        """The jobs of these `project/name`, archived ones too, in no order: of the others nothing is read."""
        return self._jobs_of(self._rows(CALLED, (orjson.dumps(list(identities)).decode(),)))

    def specs(
        self, *, project: str | None = None, labels: Iterable[str] = (), archived: bool | None = False
    ) -> list[tuple[str, bytes]]:
        """Identity and canonical spec of jobs selected as by `jobs`, in no order."""
        where, values = self._job_filter(project, labels, archived)
        sql = (
            "SELECT job.project || '/' || job.name, spec.canonical FROM job JOIN spec ON spec.job_id = job.id "
            f"WHERE {' AND '.join(where) or '1'}"
        )
        return [(identity, canonical) for identity, canonical in self._rows(sql, values)]

    def numbers(
        self,
        order: str,
        *,
        project: str | None = None,
        labels: Iterable[str] = (),
        archived: bool | None = False,
        phases: Collection[str] = (),
    ) -> list[int]:
        """The numbers of jobs selected as by `jobs`, in one of `state.listing.ORDERS`: `numbered` reads them."""
        where, values = self._job_filter(project, labels, archived, phases)
        return [number for (number,) in self._rows(in_order(order, where), values)]

    def numbered(self, numbers: Iterable[int]) -> list[JobRecord]:
        """The jobs of these numbers that are still there, in their order."""
        return self._jobs_of([(number,) for number in numbers])

    def identities(
        self,
        *,
        project: str | None = None,
        labels: Iterable[str] = (),
        archived: bool | None = None,
        phases: Collection[str] = (),
    ) -> list[str]:
        """`project/name` of jobs selected as by `jobs`, in order; by default of all, archived ones too."""
        where, values = self._job_filter(project, labels, archived, phases)
        sql = f"SELECT project, name FROM job WHERE {' AND '.join(where) or '1'} ORDER BY 1, 2"
        return [f"{project}/{name}" for project, name in self._rows(sql, values)]

    def longest_identity(
        self, *, project: str | None = None, labels: Iterable[str] = (), archived: bool | None = False
    ) -> int:
        """Characters of the longest `project/name` of jobs selected as by `jobs`; 0 when there are none."""
        where, values = self._job_filter(project, labels, archived)
        sql = f"SELECT max(length(project) + 1 + length(name)) FROM job WHERE {' AND '.join(where) or '1'}"
        return self._rows(sql, values)[0][0] or 0

    def data_version(self) -> int:
        """A number that is another one after any other connection committed: whether asking again can be worth it."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def _job_filter(
        self, project: str | None, labels: Iterable[str], archived: bool | None, phases: Collection[str] = ()
    ) -> tuple[list[str], list[Any]]:
        where, values = label_conditions(labels)
        bound: list[Any] = [*values]
        if project is not None:
            where.append("job.project = ?")
            bound.append(project)
        if archived is not None:
            where.append(f"job.archived_at IS {'NOT ' if archived else ''}NULL")
        if phases:
            where.append(of_phases(list(phases)))
            bound += phases
        return where, bound

    def timetable(
        self, *, project: str | None = None, labels: Iterable[str] = (), scheduled: bool = True, limit: int = 100
    ) -> list[JobRecord]:
        """Jobs by their next start, the soonest first; those that start nothing by themselves last, by identity.

        `scheduled`: only those with a schedule.
        """
        where, values = self._job_filter(project, labels, False)
        ids = self._rows(awake(where), (*values, limit))
        if len(ids) < limit:
            ids += self._rows(quiet(where, scheduled=scheduled), (*values, limit - len(ids)))
        return self._jobs_of(ids)

    def groups(self, *, project: str | None = None) -> list[tuple[JobRecord, int]]:
        """One of each group of live jobs that are in the same phase for the same cause, and how many these are."""
        where, values = self._job_filter(project, (), False)
        counts = dict(self._rows(groups(where), values))
        return [(job, counts[job.id]) for job in self._jobs_of([(id,) for id in counts])]

    def doubtful(self, now: int, *, project: str | None = None) -> list[JobRecord]:
        """Live jobs that fail, stall, have a wrong file or may be overdue, by identity: all others are well."""
        where, values = self._job_filter(project, (), False)
        found = self._jobs_of(self._rows(doubtful(where), (*values, now)))
        return sorted(found, key=lambda job: (job.project, job.name))

    def linked(self, identity: str | None = None) -> list[JobRecord]:
        """Live jobs that depend on others, and those they depend on, by identity.

        `identity`: only whom this one follows, directly or not, who follows it, and what else those depend on.
        """
        rows = self._rows(LINKED) if identity is None else self._rows(RELATED, (identity,))
        return sorted(self._jobs_of(rows), key=lambda job: (job.project, job.name))

    def _jobs_of(self, rows: Iterable[Sequence[int]]) -> list[JobRecord]:
        """The jobs of these rows of one number each, in their order."""
        ids = [row[0] for row in rows]
        sql = f"{SELECT_JOB} WHERE job.id IN (SELECT value FROM json_each(?))"
        found = {job.id: job for job in map(job_of, self._rows(sql, (orjson.dumps(ids).decode(),)))}
        return [found[id] for id in ids if id in found]

    def seq(self) -> int:
        """The number of the last change of any job: ask `changed_since` with it later."""
        return int(self._rows("SELECT value FROM meta WHERE key = 'seq'")[0][0])

    def changed_since(self, seq: int, *, limit: int | None = None) -> list[JobRecord]:
        """Jobs that changed after `seq`, in the order of their last change; go on from the `seq` of the last one."""
        sql = f"{SELECT_JOB} WHERE job.seq > ? ORDER BY job.seq LIMIT ?"
        return [job_of(row) for row in self._rows(sql, (seq, -1 if limit is None else limit))]

    def removed_since(self, seq: int) -> list[str]:
        """Identities of jobs that were deleted with their history after `seq` (and may exist anew)."""
        rows = self._rows("SELECT project, name FROM removal WHERE seq > ? ORDER BY seq", (seq,))
        return [f"{project}/{name}" for project, name in rows]


def page_limit(limit: int) -> int:
    """Raises InvalidQuery for one that is out of bounds."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidQuery(f"limit {limit} is not between 1 and {MAX_LIMIT}")
    return limit
