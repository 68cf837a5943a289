"""The part of the store that keeps runs: the slot lock and transitions. Base of `state.store.Store`.

Every change of a run, the job's statistics, its event and its counters are one transaction.
`last_run_*` of a job tell of the newest run that is not a skip; `newest_row_id` is the newest of all.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from state.changes import RunEnd, RunStarted
from state.errors import DatabaseError, InvalidRunTransition, NotFound, RequestTaken, SlotTaken
from state.records import ACTIVE_STATES, SKIP_REASONS, TERMINAL_STATES, WAIT_REASONS, Reason, Run, RunState, Trigger
from state.rows import (
    RUN_COLUMNS,
    SELECT_RUN,
    event_values,
    json_or_none,
    printable,
    run_of,
    run_values,
    with_end,
    with_start,
    word,
)
from state.writer import Writer

_ACTIVE = ", ".join(f"'{state}'" for state in ACTIVE_STATES)
_INSERT = f"INSERT INTO run ({', '.join(RUN_COLUMNS)}) VALUES ({', '.join('?' * len(RUN_COLUMNS))})"
_JOB_INSERTED = (
    "UPDATE job SET active_runs = active_runs + 1, kept_runs = kept_runs + 1, newest_row_id = ?, last_run_id = ?, "
    "last_run_state = ?, last_scheduled_for = coalesce(?, last_scheduled_for), seq = ? WHERE id = ?"
)
_HAND_OVER = (
    "UPDATE run SET supervisor = ?, boot_id = ?, generation = ?, digest = ?, revision = ? "
    "WHERE id = ? AND state = 'pending'"
)
_START = "UPDATE run SET state = 'running', started_at = ?, pid = ?, pid_start = ? WHERE id = ? AND state = 'pending'"
_JOB_STARTED = (
    "UPDATE job SET last_started_at = ?, "
    "last_run_state = CASE last_run_id WHEN ? THEN 'running' ELSE last_run_state END, seq = ? WHERE id = ?"
)
_END = (
    "UPDATE run SET state = ?, reason = ?, error = ?, finished_at = ?, exit_code = ?, signal = ?, cpu_seconds = ?, "
    "peak_memory = ?, output_bytes = ?, started_at = ?, pid = ?, pid_start = ?, progress = ?, result = ? "
    # Not IN: for that SQLite fills a table of its own, each time.
    "WHERE id = ? AND ({})".format(" OR ".join(f"state = '{state}'" for state in ACTIVE_STATES))
)
# The usual end, of a running run without error, signal, progress or result: half the time of the general one.
_END_PLAIN = (
    "UPDATE run SET state = ?, reason = ?, finished_at = ?, exit_code = ?, cpu_seconds = ?, peak_memory = ?, "
    "output_bytes = ? WHERE id = ? AND state = 'running'"
)
# Values by name where one is used twice: numbered ones (?1) take no sequence any more from Python 3.12 on.
# Health follows how the job itself ended: a cancel says nothing about it.
_JOB_ENDED = {
    RunState.SUCCEEDED: "succeeded = succeeded + 1, consecutive_failures = 0, last_end_id = :run, "
    "last_success_at = :at, last_success_id = :run, "
    "health_since = CASE health WHEN 'healthy' THEN health_since ELSE :at END, health = 'healthy'",
    RunState.FAILED: "failed = failed + 1, consecutive_failures = consecutive_failures + 1, last_end_id = :run, "
    "health_since = CASE health WHEN 'failing' THEN health_since ELSE :at END, health = 'failing'",
    RunState.EXPIRED: "expired = expired + 1, consecutive_failures = consecutive_failures + 1, last_end_id = :run, "
    "health_since = CASE health WHEN 'failing' THEN health_since ELSE :at END, health = 'failing'",
    RunState.CANCELLED: "cancelled = cancelled + 1",
}
_JOB_ENDED_SQL = {
    state: (
        "UPDATE job SET active_runs = active_runs - 1, last_finished_at = :at, "
        "last_started_at = max(coalesce(last_started_at, :started), coalesce(:started, last_started_at)), "
        f"last_run_state = CASE last_run_id WHEN :run THEN '{state}' ELSE last_run_state END, {change}, "
        "seq = :seq WHERE id = :job"
    )
    for state, change in _JOB_ENDED.items()
}
# A run that waited and was skipped never was one: the job's last run is the one before.
_LAST = "SELECT {} FROM run WHERE job_id = :job AND +state <> 'skipped'{} ORDER BY id DESC LIMIT 1"
_JOB_SKIPPED_SQL = {
    reason: (
        "UPDATE job SET active_runs = active_runs - 1, "
        f"skipped = skipped + 1, skipped_{reason} = skipped_{reason} + 1, "
        f"(last_run_id, last_run_state) = ({_LAST.format('id, state', '')}), "
        f"last_scheduled_for = ({_LAST.format('scheduled_for', ' AND scheduled_for IS NOT NULL')}), "
        "seq = :seq WHERE id = :job"
    )
    for reason in SKIP_REASONS
}
_SKIPPED = "UPDATE run SET skipped_first = scheduled_for, skipped_count = 1 WHERE id = ?"
WAITS_FOR: Mapping[Reason | None, str] = {
    Reason.OVERLAP: "the run before to end",
    Reason.POOL: "a free slot of its pool",
    Reason.DEPENDENCY: "the jobs it depends on",
    Reason.BACKOFF: "the delay before the next attempt",
    Reason.CALENDAR: "its calendar to allow it",
}
"""What a blocked run waits for, for people: all of `WAIT_REASONS`."""
WAIT_BUCKETS = (0.1, 1, 10, 60, 600, 3600, 21600)
"""Upper bounds, seconds, of the counters `run_wait_bucket`: from "at once" to a night behind a full pool."""
DURATION_BUCKETS = (1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
"""Upper bounds, seconds, of the counters `run_duration_bucket`: from a health check to a day's import."""


class RunStore(Writer):
    """Runs and their transitions.

    The active runs are also kept in memory, so that a transition need not read them again. Every UPDATE still names
    the states it may come from, and its count of rows is checked.
    """

    _known: dict[str, Run] | None = None
    """Active runs by id, as stored or about to be; None: to be read again."""

    def _active(self) -> dict[str, Run]:
        if self._known is None:
            self._known = {run.id: run for run in self.active_runs()}
        return self._known

    def _rolled_back(self) -> None:
        self._known = None

    def _renamed(self) -> None:
        self._known = None

    def _change(self, sql: str, rows: list[tuple[object, ...]]) -> None:
        """Change one run per row, or raise: then the transaction is undone and memory read anew."""
        if self._connection.executemany(sql, rows).rowcount != len(rows) and rows:
            raise DatabaseError(self.path, "another program changed runs", hint="leave writing to the daemon")

    def run(self, run_id: str) -> Run | None:
        """By its whole id."""
        with self._reading():
            row = self._connection.execute(f"{SELECT_RUN} WHERE run.id = ?", (run_id,)).fetchone()
        return None if row is None else run_of(row)

    def last_slot_run(self, job_id: int, scheduled_for: int) -> Run | None:
        """The newest attempt of a slot; None when it has no row of its own (a longer gap may hold it)."""
        with self._reading():
            sql = f"{SELECT_RUN} WHERE run.job_id = ? AND run.scheduled_for = ? ORDER BY run.attempt DESC LIMIT 1"
            row = self._connection.execute(sql, (job_id, scheduled_for)).fetchone()
        return None if row is None else run_of(row)

    def active_runs(self) -> list[Run]:
        """All that are not over, oldest first."""
        with self._reading():
            rows = self._connection.execute(f"{SELECT_RUN} WHERE run.state IN ({_ACTIVE}) ORDER BY run.id")
            return [run_of(row) for row in rows]

    def insert_runs(self, runs: Sequence[Run]) -> None:
        """Store new, active runs; the rows are the lock on their slots. A blocked one has the reason it waits for.

        Raises ValueError for another state or reason. Raises SlotTaken (RequestTaken for a request that has its run):
        then nothing of this call is stored, and an open transaction may go on.
        """
        for run in runs:
            if run.state not in ACTIVE_STATES or (run.state is RunState.BLOCKED) != (run.reason in WAIT_REASONS):
                raise ValueError(f"a new run is not {run.state} ({run.reason})")
        with self.transaction():
            active = self._active()
            self._insert(runs)
            self._connection.executemany(
                _JOB_INSERTED,
                [(run.id, run.id, run.state._value_, run.scheduled_for, self._next_seq(), run.job_id) for run in runs],
            )
            self._add_event_rows(
                [(run.created_at, run.job_id, run.id, "Normal", "created", _created(run), None) for run in runs]
            )
            retries = sum(run.trigger is Trigger.RETRY for run in runs)
            if retries:
                self.count("retries", {}, retries)
            active.update((run.id, run) for run in runs)

    def _insert(self, runs: Sequence[Run]) -> None:
        before = self._connection.total_changes
        try:
            self._connection.executemany(_INSERT, map(run_values, runs))
        except sqlite3.IntegrityError as error:
            # What came before it goes again, so that the transaction may go on. A savepoint would copy every page that
            # is written, in every good case too.
            stored = self._connection.total_changes - before
            self._connection.executemany("DELETE FROM run WHERE id = ?", [(run.id,) for run in runs[:stored]])
            text = str(error)
            if "run.scheduled_for" in text:
                raise SlotTaken("a run of this slot and attempt is stored already") from error
            if "run.request_id" in text:
                raise RequestTaken("this request has its run already") from error
            raise

    def hand_over(self, runs: Sequence[Run]) -> None:
        """Name the supervisor that pending runs go to now, and the spec they are to start under. Others stay."""
        with self.transaction():
            self._connection.executemany(
                _HAND_OVER,
                [(run.supervisor, run.boot_id, run.generation, run.digest, run.revision, run.id) for run in runs],
            )
            self._known = None  # rare: after a supervisor died

    def started(self, starts: Sequence[RunStarted]) -> list[Run]:
        """pending -> running. The runs that changed; told twice, or ended since: not in the list."""
        changed: list[Run] = []
        with self.transaction():
            known = self._active()
            for start in starts:
                run = known.get(start.run_id)
                if run is None or run.state is not RunState.PENDING:
                    continue
                run = known[run.id] = with_start(run, start.at, start.pid, start.pid_start)
                changed.append(run)
            self._change(_START, [(run.started_at, run.pid, run.pid_start, run.id) for run in changed])
            self._connection.executemany(
                _JOB_STARTED, [(run.started_at, run.id, self._next_seq(), run.job_id) for run in changed]
            )
            self._add_event_rows(
                [(run.started_at, run.job_id, run.id, "Normal", "started", "Started", None) for run in changed]
            )
        return changed

    def finished(self, ends: Sequence[RunEnd]) -> list[Run]:
        """active -> terminal, with statistics, counters and event. The runs that changed.

        A run that is over already stays as it is and is not in the list. A run that never started may be skipped: it
        becomes the record of its slot. Raises ValueError for a state that is no end, or a skip without its reason;
        InvalidRunTransition when a running one is to be skipped.
        """
        changed: list[Run] = []
        plain: list[Run] = []
        others: list[Run] = []
        with self.transaction():
            known = self._active()
            for end in ends:
                if end.state not in TERMINAL_STATES:
                    raise ValueError(f"{end.state} is not an end")
                run = known.get(end.run_id)
                if run is None:
                    continue
                if end.state is RunState.SKIPPED:
                    if end.reason not in SKIP_REASONS:
                        raise ValueError(f"{end.reason} is no reason to skip")
                    if run.state is RunState.RUNNING:
                        raise InvalidRunTransition(run.id, run.state, end.state)
                ended = _ended(run, end)
                changed.append(ended)
                (plain if _is_plain(run, end) else others).append(ended)
                del known[run.id]
            many = self._connection.executemany
            self._change(_END_PLAIN, [_plain_end_values(run) for run in plain])
            self._change(_END, [_end_values(run) for run in others])
            # In order: a success between two failures counts them anew.
            for (state, reason), same in groupby(changed, key=_counted_as):
                many(
                    _JOB_ENDED_SQL[state] if reason is None else _JOB_SKIPPED_SQL[reason],
                    [
                        {
                            "at": run.finished_at,
                            "run": run.id,
                            "seq": self._next_seq(),
                            "started": run.started_at,
                            "job": run.job_id,
                        }
                        for run in same
                    ],
                )
            many(_SKIPPED, [(run.id,) for run in changed if run.state is RunState.SKIPPED])
            self._add_event_rows([_end_event(run) for run in changed])
            self._count_durations(changed)
        return changed

    def _count_durations(self, runs: Sequence[Run]) -> None:
        """What runs that did start took, and how long they had waited for it since they were made."""
        times = [
            (run.created_at, run.started_at, run.finished_at)
            for run in runs
            if run.started_at is not None and run.finished_at is not None
        ]
        if times:
            self._observe("run_duration", DURATION_BUCKETS, [end - start for _, start, end in times])
            self._observe("run_wait", WAIT_BUCKETS, [start - made for made, start, _ in times])

    def _observe(self, name: str, bounds: Sequence[float], times: Sequence[int]) -> None:
        seconds = [max(time, 0) / 1e6 for time in times]
        for place, number in Tally(bisect_left(bounds, taken) for taken in seconds).items():
            le = str(bounds[place]) if place < len(bounds) else "+Inf"
            self.count(f"{name}_bucket", {"le": le}, number)
        self.count(f"{name}_sum", {}, sum(seconds))

    def request_cancel(self, run_id: str, by: str, at: int) -> Run:
        """Note that a cancel was accepted; the first one stays. The run as it is now.

        Raises NotFound, InvalidRunTransition when it is over.
        """
        with self.transaction():
            run = self.run(run_id)
            if run is None:
                raise NotFound(f"no run {run_id}", hint="`jobsctl runs` lists them")
            if run.state not in ACTIVE_STATES:
                raise InvalidRunTransition(run_id, run.state, RunState.CANCELLED)
            if run.cancel_requested_at is not None:
                return run
            self._connection.execute(
                "UPDATE run SET cancel_requested_at = ?, cancel_requested_by = ? WHERE id = ?", (at, by, run_id)
            )
            self._connection.execute("UPDATE job SET seq = ? WHERE id = ?", (self._next_seq(), run.job_id))
            message = f"Cancel requested by {by}"
            self._add_event_rows([event_values(at, run.job_id, run_id, "Normal", "cancel_requested", message)])
            run = self._active()[run_id] = replace(run, cancel_requested_at=at, cancel_requested_by=by)
            return run


def _ended(run: Run, end: RunEnd) -> Run:
    ended = with_end(
        run,
        end.state,
        end.started_at if run.started_at is None else run.started_at,
        end.pid if run.pid is None else run.pid,
        end.pid_start if run.pid_start is None else run.pid_start,
        end.reason, None if end.error is None else printable(end.error), end.at, end.exit_code, end.signal,
        end.cpu_seconds, end.peak_memory, end.output_bytes, end.progress, end.result,
    )  # fmt: skip
    if end.state is RunState.SKIPPED:
        return replace(ended, skipped_first=run.scheduled_for, skipped_count=1)
    return ended


def _counted_as(run: Run) -> tuple[RunState, Reason | None]:
    return run.state, run.reason if run.state is RunState.SKIPPED else None


def _is_plain(run: Run, end: RunEnd) -> bool:
    return (
        run.state is RunState.RUNNING
        and run.error is None
        and end.error is None
        and end.signal is None
        and end.progress is None
        and end.result is None
    )


def _plain_end_values(run: Run) -> tuple[object, ...]:
    return (
        run.state._value_, word(run.reason), run.finished_at, run.exit_code, run.cpu_seconds, run.peak_memory,
        run.output_bytes, run.id,
    )  # fmt: skip


def _end_values(run: Run) -> tuple[object, ...]:
    return (
        run.state._value_, word(run.reason), run.error, run.finished_at, run.exit_code, run.signal, run.cpu_seconds,
        run.peak_memory, run.output_bytes, run.started_at, run.pid, run.pid_start, json_or_none(run.progress),
        json_or_none(run.result), run.id,
    )  # fmt: skip


def _end_event(run: Run) -> tuple[object, ...]:
    kind = "Normal" if run.state in (RunState.SUCCEEDED, RunState.CANCELLED) else "Warning"
    return (run.finished_at, run.job_id, run.id, kind, word(run.reason), _message(run), None)


def _created(run: Run) -> str:
    who = f" by {run.requested_by}" if run.requested_by else ""
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    waits = f", waiting for {WAITS_FOR[run.reason]}" if run.reason in WAITS_FOR else ""
    return f"Created ({run.trigger}{who}{again}){waits}"


_ENDED_WORDS = {
    RunState.SUCCEEDED: "Succeeded", RunState.FAILED: "Failed", RunState.CANCELLED: "Cancelled",
    RunState.EXPIRED: "Timed out", RunState.SKIPPED: "Skipped",
}  # fmt: skip


def _message(run: Run) -> str:
    what = _ENDED_WORDS[run.state]
    if run.error is not None:
        return f"{what}: {run.error}"
    if run.signal is not None:
        return f"{what}: signal {run.signal}"
    if run.exit_code:
        return f"{what}: exit code {run.exit_code}"
    return what


__all__ = ["DURATION_BUCKETS", "WAITS_FOR", "WAIT_BUCKETS", "RunStore"]
