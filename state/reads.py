"""Reading the database without being able to change it: for the command line, the status process, tests.

Never waits long and never makes the daemon wait: a read-only connection with a short busy timeout.
Plain sqlite3: importing peewee would cost every command 30 ms. Raises the errors of `state.errors`.

Pages: `before` and `after` are ids, exclusive: the last one of the page that was read. Rows come newest first
(`order="desc"`) or oldest first (`"asc"`). Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import orjson

from state.errors import Ambiguous, NotFound
from state.eventlog import event_conditions
from state.ids import is_prefix
from state.reads_jobs import JobReader, page_limit
from state.records import (
    ACTIVE_STATES,
    DocumentRecord,
    Event,
    Reason,
    RequestRecord,
    Run,
    RunState,
    SilenceRecord,
    SourceState,
    Trigger,
)
from state.rows import (
    SELECT_DOCUMENT,
    SELECT_EVENT,
    SELECT_REQUEST,
    SELECT_RUN,
    SELECT_SOURCE,
    document_of,
    event_of,
    one_row,
    request_of,
    runs_of,
    source_of,
)
from state.runwalks import id_bounds, run_conditions, walks_of

if TYPE_CHECKING:
    from state.totals import Counter, Totals

Order = Literal["asc", "desc"]
_run_id = attrgetter("id")


class Reader(JobReader):
    """Questions to the database. Opens at once, so a missing or newer file is told here.

    Any thread may ask: they take turns (the interpreter lock lets one decode rows at a time anyway).
    """

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # runs

    def run(self, prefix: str) -> Run:
        """By id, or by the beginning of exactly one. Raises NotFound, Ambiguous with the candidates."""
        prefix = prefix.lower()
        if not is_prefix(prefix):
            raise NotFound(f"{prefix!r} is not a run id", hint="`jobsctl runs` lists them")
        sql = f"{SELECT_RUN} WHERE run.id >= ? AND run.id < ? ORDER BY run.id LIMIT 11"
        found = self._runs(sql, (prefix, f"{prefix}~"))
        if not found:
            raise NotFound(f"no run {prefix}", hint="`jobsctl runs` lists them; old ones are pruned")
        if len(found) > 1:
            raise Ambiguous(
                f"several runs begin with {prefix}", [run.id for run in found[:10]], hint="give more characters"
            )
        return found[0]

    def runs_of_ids(self, ids: Iterable[str]) -> dict[str, Run]:
        """Runs by their whole ids; those that are not stored (any more) are left out."""
        sql = f"{SELECT_RUN} WHERE run.id IN (SELECT value FROM json_each(?))"
        return {run.id: run for run in self._runs(sql, (orjson.dumps(list(ids)).decode(),))}

    def runs(
        self,
        *,
        job_id: int | None = None,
        project: str | None = None,
        labels: Iterable[str] = (),
        job_ids: Collection[int] | None = None,
        states: Collection[RunState] | None = None,
        active: bool | None = None,
        reasons: Collection[Reason] | None = None,
        triggers: Collection[Trigger] | None = None,
        attempt: int | None = None,
        longer_than: int | None = None,
        now: int | None = None,
        since: int | None = None,
        until: int | None = None,
        before: str | None = None,
        after: str | None = None,
        limit: int = 50,
        order: Order = "desc",
    ) -> list[Run]:
        """A page of runs. `since` (inclusive) and `until` (exclusive) are about when the run was made.

        Args:
            job_ids: of these jobs (beside `job_id`, `project` and `labels`, of which one at most is given).
            active: True for those not over, False for those over; together with `states`: both must hold.
            longer_than: that took this long (µs) or longer; those that still run count until `now`, if given.
        """
        wanted = set(RunState if states is None else states)
        if active is not None:
            wanted = {state for state in wanted if (state in ACTIVE_STATES) is active}
        if not wanted:
            return []
        bounds = id_bounds(since, until, before, after)
        limit = page_limit(limit)
        labels = list(labels)
        jobs = list(job_ids) if job_ids is not None else None if job_id is None else [job_id]
        if jobs is None and (project is not None or labels):
            where, values = self._job_filter(project, labels, None)
            jobs = [row[0] for row in self._rows(f"SELECT id FROM job WHERE {' AND '.join(where)}", values)]
        conditions, given = run_conditions(reasons, triggers, attempt, longer_than, now)
        walks = [
            (" AND ".join([place, *conditions]), [*bound, *given])
            for place, bound in walks_of(jobs, None if len(wanted) == len(RunState) else wanted, bounds)
        ]
        direction = "DESC" if order == "desc" else "ASC"
        if len(walks) == 1:
            place, bound = walks[0]
            sql = f"{SELECT_RUN} WHERE {place} ORDER BY run.id {direction} LIMIT ?"
            return self._runs(sql, (*bound, limit), newest_first=order == "desc")
        ids: list[str] = []
        for place, bound in walks:
            sql = f"SELECT run.id FROM run WHERE {place} ORDER BY run.id {direction} LIMIT ?"
            ids += [row[0] for row in self._rows(sql, (*bound, limit))]
        ids.sort(reverse=order == "desc")
        sql = f"{SELECT_RUN} WHERE run.id IN (SELECT value FROM json_each(?)) ORDER BY run.id {direction}"
        return self._runs(sql, (orjson.dumps(ids[:limit]).decode(),), newest_first=order == "desc")

    def slot(self, job_id: int, at: int) -> list[Run]:
        """What became of the slot at `at` (µs): its attempts in order, or the one record of skipped slots around it.

        [] when nothing is known of it. A record tells of slots from `skipped_first` to `scheduled_for`: whether `at` is
        one of them, the schedule says.
        """
        sql = f"{SELECT_RUN} WHERE run.job_id = ? AND run.scheduled_for = ?"
        found = self._runs(sql, (job_id, at))
        if not found:
            sql = (
                f"{SELECT_RUN} WHERE run.job_id = ? AND run.scheduled_for > ? AND run.skipped_first <= ? "
                "ORDER BY run.scheduled_for LIMIT 1"
            )
            found = self._runs(sql, (job_id, at, at))
        return sorted(found, key=attrgetter("attempt"))

    def _runs(self, sql: str, values: Sequence[Any], *, newest_first: bool = False) -> list[Run]:
        """The runs that a `SELECT_RUN` finds, by id; SQLite promises no order inside a group."""
        found = runs_of(self._rows(one_row(sql), values)[0])
        found.sort(key=_run_id, reverse=newest_first)
        return found

    # the rest

    def events(
        self,
        *,
        job_id: int | None = None,
        run_id: str | None = None,
        project: str | None = None,
        labels: Iterable[str] = (),
        types: Collection[str] | None = None,
        reasons: Collection[str] | None = None,
        since: int | None = None,
        until: int | None = None,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        order: Order = "asc",
    ) -> list[Event]:
        """Events of a job (its runs' too), of a run, or all; `after` and `before` are event ids, exclusive.

        Args:
            project, labels: only of jobs like this, archived ones too; what is about no job is left out then.
            types, reasons: any of them.
            since, until: µs, the first inclusive, the second not.
        """
        of_jobs = self._job_filter(project, labels, None)
        condition, values = event_conditions(
            job_id=job_id, run_id=run_id, after=after, before=before, types=types, reasons=reasons, since=since,
            until=until, jobs=of_jobs if of_jobs[0] else None,
        )  # fmt: skip
        direction = "DESC" if order == "desc" else "ASC"
        sql = f"{SELECT_EVENT} WHERE {condition} ORDER BY id {direction} LIMIT ?"
        return [event_of(row) for row in self._rows(sql, (*values, page_limit(limit)))]

    def request(self, id: str) -> RequestRecord | None:
        """What became of a request; None when it was not handled yet (or long ago)."""
        rows = self._rows(f"{SELECT_REQUEST} WHERE id = ?", (id,))
        return request_of(rows[0]) if rows else None

    def requests(self, *, before: str | None = None, limit: int = 50) -> list[RequestRecord]:
        """Handled requests, newest first."""
        where, values = ("id < ?", [before]) if before else ("1", [])
        sql = f"{SELECT_REQUEST} WHERE {where} ORDER BY id DESC LIMIT ?"
        return [request_of(row) for row in self._rows(sql, (*values, page_limit(limit)))]

    def source(self) -> SourceState | None:
        """The last look at the specs; None before the first."""
        rows = self._rows(SELECT_SOURCE)
        return source_of(rows[0]) if rows else None

    def documents(self, kind: str | None = None) -> list[DocumentRecord]:
        """What is applied besides jobs, by kind and name."""
        where, values = ("WHERE kind = ?", (kind,)) if kind else ("", ())
        return [document_of(row) for row in self._rows(f"{SELECT_DOCUMENT} {where} ORDER BY kind, name", values)]

    def silences(self, *, after: int) -> list[SilenceRecord]:
        """Those that held after this instant (microseconds) or will, the first to begin first."""
        from state.silences import read_silences

        return read_silences(self._rows, after=after)

    def occupancy(self) -> list[tuple[str | None, RunState, Reason | None, int]]:
        """How many active runs there are, by the pool of their job (None: it names none), state and reason."""
        states = ", ".join(f"'{state}'" for state in ACTIVE_STATES)
        rows = self._rows(
            "SELECT json_extract(CAST(spec.canonical AS TEXT), '$.pool') AS pool, run.state, run.reason, count(*) "
            f"FROM run CROSS JOIN spec ON spec.job_id = run.job_id WHERE run.state IN ({states}) GROUP BY 1, 2, 3"
        )
        return [(pool, RunState(state), reason and Reason(reason), count) for pool, state, reason, count in rows]

    def totals(self) -> Totals:
        """The house in numbers, from the jobs alone: no walk through history."""
        from state.totals import totals

        return totals(self._rows)

    def counters(self, name: str | None = None) -> list[Counter]:
        """Numbers that only grow (`run_duration_bucket`, `run_duration_sum` and the daemon's own)."""
        from state.totals import counters

        return counters(self._rows, name)
