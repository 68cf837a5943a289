"""The judge of a simulation: holds what the database says, after every transaction, against an independent model.

Knows the rows (`tests.simulation.rows`), what really runs (`tests.simulation.supervisor`) and the true time; asks no
decision of the reconciler. What must hold when the daemon has nothing to do is in `tests.simulation.rest`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from tests.simulation.calendars import shut_by
from tests.simulation.clock import DAY, SECOND, SimClock
from tests.simulation.ledger import CORRECTION, Ledger, Moment, Violation, shown
from tests.simulation.policy import BY_HAND, SCHEDULED, fields_of, limit_of, next_attempt, suspended, upstreams
from tests.simulation.rows import CalendarRow, JobRow, Journal, Noted, PoolRow, RunRow
from tests.simulation.statistics import ACTIVE, Statistics

__all__ = ["Judge", "Violation"]

STEPS = {
    "pending": frozenset({"pending", "running", "succeeded", "failed", "cancelled", "expired"}),
    "blocked": frozenset({"blocked", "pending", "failed", "cancelled", "skipped"}),
    "running": frozenset({"running", "succeeded", "failed", "cancelled", "expired"}),
}
"""From an active state to another one. Terminal states have no way out."""


class Judge:
    """Of one house."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.up_since = 0
        """When the present daemon began to decide, by the wall clock."""
        self.boots: dict[str, int] = {}
        self.runs: dict[str, RunRow] = {}
        self.ledgers: dict[int, Ledger] = {}
        self.statistics: dict[int, Statistics] = {}
        self.limits: dict[str, int] = {}
        """How many runs of the job could run at once when this run was handed over."""
        self.pools: dict[str, int] = {}
        self.calendars: dict[str, str] = {}
        """Canonical documents by name, as stored."""
        self.pool_of: dict[str, str] = {}
        """The pool of a run that was handed over."""
        self.ends: dict[str, tuple[str, int]] = {}
        """State and instant of every end of a run that is no skip, ever."""
        self.followed: dict[tuple[int, str], int] = {}
        """When the last run of an upstream job ended that a run of this job followed."""
        self.changed: set[int] = set()
        """Jobs with changes since this was last emptied."""
        self.troubled_until = 0
        """What is due is tried again by then (`SimClock.elapsed`): the database refused."""
        self._taken: dict[tuple[int, int, int], str] = {}
        self._specs: dict[str, bytes] = {}
        self._audit_at = 0
        self._hash = hashlib.sha256()
        self._before: dict[int, tuple[RunRow, ...]] = {}
        self._ended: list[RunRow] = []
        self._attempts: list[RunRow] = []

    def active_ids(self) -> list[str]:
        """Runs that are not over, by id."""
        return sorted(run for each in self.statistics.values() for run in each.active)

    def handed_ids(self) -> list[str]:
        """Those of them that are with the runner."""
        return [run_id for run_id in self.active_ids() if self.runs[run_id].state != "blocked"]

    def digest(self) -> str:
        """Of every change so far: two plays of one story have the same."""
        return self._hash.hexdigest()

    def troubled(self) -> None:
        """The database refused: what is due is tried again within two seconds."""
        self.troubled_until = self.clock.elapsed + 2 * SECOND

    def rows(self, journal: Journal) -> None:
        """Take in what changed, in order."""
        transactions = journal.take()
        if not transactions:
            return
        for spec in journal.take_specs():
            self._specs[hashlib.sha256(spec).hexdigest()] = spec
        for notes in transactions:
            self._hash.update(repr(notes).encode())
            self._transaction(notes)
        if self.clock.elapsed >= self._audit_at:
            self._audit_at = self.clock.elapsed + DAY
            if {row.id: row for row in journal.all_runs()} != self.runs:
                raise Violation("rows change only where it shows", "the table `run` is not what its changes make")

    def _transaction(self, notes: list[Noted]) -> None:
        self._before.clear()
        self._ended, self._attempts = [], []
        touched = set()
        gone = {note.row.id for note in notes if note.what == "gone"}
        undone = {note.row.id for note in notes if note.what == "made" and note.row.id in gone}
        for note in notes:
            row = note.row
            if row.id in undone and isinstance(row, RunRow):
                continue  # a refused claim was taken back, and the transaction went on
            if isinstance(row, PoolRow):
                self.pools[row.id] = 0 if note.what == "gone" else row.slots
                continue
            if isinstance(row, CalendarRow):
                self.calendars.pop(row.id, None)
                if note.what != "gone":
                    self.calendars[row.id] = row.canonical
                continue
            job_id = row.job_id if isinstance(row, RunRow) else row.id
            touched.add(job_id)
            if job_id not in self._before:
                known = self.statistics.get(job_id)
                self._before[job_id] = () if known is None else tuple(known.active.values())
            if isinstance(row, RunRow):
                self._run(note.what, row)
            else:
                self._job(note.what, row)
        for job_id in touched:
            if job_id in self.ledgers:
                self.ledgers[job_id].settled()
        self.changed |= touched
        self._check_attempts()

    # -- runs

    def _run(self, what: str, row: RunRow) -> None:
        if what == "made":
            self._made(row)
        elif what == "changed":
            self._changed(row)
        elif row.state in ACTIVE and row.job_id in self.ledgers:
            raise Violation("no active run is deleted", f"run {row.id} was {row.state}")
        else:
            del self.runs[row.id]
            if row.job_id in self.ledgers:
                self.ledgers[row.job_id].forget(row)

    def _made(self, row: RunRow) -> None:
        if row.id in self.runs:
            raise Violation("an id is given once", row.id)
        ledger, statistics = self.ledgers[row.job_id], self.statistics[row.job_id]
        if row.scheduled_for is not None:
            key = (row.job_id, row.scheduled_for, row.attempt)
            other = self.runs.get(self._taken.get(key, ""))
            if other is not None and other.scheduled_for == row.scheduled_for:
                raise Violation("a slot at most once", f"{ledger.name} at {shown(row.scheduled_for)}: two rows")
            self._taken[key] = row.id
        if row.state == "skipped":
            ledger.skipped(row, None)
        elif row.state not in ACTIVE:
            raise Violation("a run begins active", f"{row.id} began {row.state}")
        elif row.trigger == "retry":
            self._attempts.append(row)
        elif row.trigger in SCHEDULED:
            ledger.ran(row)
        if row.state == "pending":
            self._handed_over(row)
        elif row.trigger == "dependency" and row.upstream is not None:
            self._follows(row)
        self.runs[row.id] = row
        statistics.made(row)

    def _changed(self, row: RunRow) -> None:
        before, statistics = self.runs[row.id], self.statistics[row.job_id]
        if before == row:
            return
        if before.state == "skipped" and (row.state, row.reason) == ("skipped", before.reason):
            if (row.skipped_first, row.skipped_count) != (before.scheduled_for, 1) or before.skipped_count is not None:
                self.ledgers[row.job_id].skipped(row, before)
            else:
                before = row  # a run that waited and was skipped: the record of its one slot
        elif row.state not in STEPS.get(before.state, ()):
            raise Violation("terminal states are final", f"run {row.id} went from {before.state} to {row.state}")
        elif before.cancel_requested_at is not None and row.state in ("succeeded", "expired"):
            raise Violation("an accepted cancel stays", f"run {row.id} was cancelled, and is {row.state}")
        elif (before.state, row.state) == ("blocked", "pending"):
            self._handed_over(row)
        elif before.state in ACTIVE and row.state not in ACTIVE and row.state != "skipped":
            self._ended.append(row)
            assert row.finished_at is not None
            self.ends[row.id] = (row.state, row.finished_at)
        self.runs[row.id] = row
        if row is not before:
            statistics.changed(row, before, (run for run in self.runs.values() if run.job_id == row.job_id))

    def _handed_over(self, row: RunRow) -> None:
        """From now on the runner may start it."""
        ledger, handed = self.ledgers[row.job_id], self.statistics[row.job_id].handed()
        limit = self.limits[row.id] = limit_of(ledger.spec)
        if handed >= limit:
            raise Violation("the overlap limit holds", f"{ledger.name}: {handed} handed over, and another run begins")
        not_before = self.runs[row.id].not_before if row.id in self.runs else None
        set_back = row.created_at > self.clock.wall + CORRECTION
        deferred = row.id in self.runs and self.runs[row.id].reason == "calendar"
        if deferred:
            if shut_by(ledger.together, self.clock.wall) and not set_back:
                raise Violation("a deferred run waits for its calendars", f"{ledger.name} starts run {row.id}")
        elif not_before is not None and not_before > self.clock.wall and not set_back:
            raise Violation(
                "no run starts before its time", f"{ledger.name}: run {row.id} waits for {shown(not_before)}"
            )
        if row.trigger in BY_HAND | {"retry"}:
            pass  # what people ask for waits for no other job; an attempt follows what the first one did
        elif row.trigger == "dependency":
            if row.id not in self.runs:
                self._follows(row)
        elif suspended(ledger.spec, ledger.row.suspended_at is not None):
            raise Violation("a suspended job starts nothing", f"{ledger.name} starts run {row.id}")
        else:
            self._follows(row)
        if row.id not in self.runs:
            ledger.check_open(row)
        if (pool := fields_of(ledger.spec).get("pool")) is not None:
            self._takes_slot(row, pool)

    def _takes_slot(self, row: RunRow, pool: str) -> None:
        taken = self.in_pool(pool)
        if taken >= self.pools.get(pool, 0):
            size = self.pools.get(pool, 0)
            raise Violation("the limit of a pool holds", f"{pool} has {size} slots, {taken} taken, and a run begins")
        self.pool_of[row.id] = pool

    def in_pool(self, pool: str) -> int:
        """Runs that were handed over as members of a pool and are not over."""
        return sum(
            self.pool_of.get(run.id) == pool
            for each in self.statistics.values()
            for run in each.active.values()
            if run.state != "blocked"
        )

    def _follows(self, row: RunRow) -> None:
        """Every job that it depends on has succeeded anew."""
        ledger = self.ledgers[row.job_id]
        given = json.loads(row.upstream or "{}")
        for upstream in upstreams(ledger.spec):
            run_id, key = given.get(upstream.identity), (row.job_id, upstream.identity)
            if run_id is None or run_id not in self.ends:
                raise Violation("dependencies are respected", f"{ledger.name} starts, {upstream.identity} has not run")
            state, at = self.ends[run_id]
            if state != "succeeded" and fields_of(ledger.spec).get("on_dependency_failure") != "run":
                raise Violation("dependencies are respected", f"{ledger.name} starts, {upstream.identity} has {state}")
            young = upstream.max_age is not None and self.clock.wall - at <= upstream.max_age
            if not young and not self._is_after(at, self.followed.get(key, -1)):
                raise Violation("dependencies are respected", f"{ledger.name} follows {run_id} for a second time")
            self.followed[key] = at

    def _is_after(self, at: int, since: int) -> bool:
        """Whether an end is new beside the last that was followed. A clock that was set back by hours is forgiven."""
        return at > since or (since > self.clock.wall + CORRECTION and at <= self.clock.wall)

    def upstream_ready(self, ledger: Ledger) -> bool:
        """Every job that it depends on has a success that a run of it may follow."""
        identities = {other.name: job_id for job_id, other in self.ledgers.items()}
        for upstream in upstreams(ledger.spec):
            job_id = identities.get(upstream.identity)
            at = None if job_id is None else self.statistics[job_id].last_success
            young = at is not None and upstream.max_age is not None and self.clock.wall - at <= upstream.max_age
            since = self.followed.get((ledger.row.id, upstream.identity), -1)
            if at is None or not (young or self._is_after(at, since)):
                return False
        return True

    def _check_attempts(self) -> None:
        """Whatever is to be tried again is, in the transaction of its end, and nothing else."""
        made = Counter((run.job_id, run.scheduled_for, run.attempt) for run in self._attempts)
        wanted: Counter[tuple[int, int | None, int]] = Counter()
        for run in self._ended:
            ledger = self.ledgers[run.job_id]
            given_up = ledger.row.archived_at is not None or (
                run.scheduled_for is not None and suspended(ledger.spec, ledger.row.suspended_at is not None)
            )
            between = None if given_up else next_attempt(ledger.spec, run)
            key = (run.job_id, run.scheduled_for, run.attempt + 1)
            if between is None:
                continue
            wanted[key] += 1
            for attempt in self._attempts:
                same = (attempt.job_id, attempt.scheduled_for, attempt.attempt) == key
                if same and not between[0] <= (attempt.not_before or 0) <= between[1]:
                    raise Violation("attempts keep their delay", f"{ledger.name}: {shown(attempt.not_before)}")
        if made != wanted:
            raise Violation("a run is tried again as its policy says", f"{dict(wanted)} expected, {dict(made)} stored")

    # -- jobs

    def _job(self, what: str, row: JobRow) -> None:
        if what == "made":
            self.ledgers[row.id] = Ledger(row, self._specs[row.digest], self.calendars)
            self.statistics[row.id] = Statistics()
            self.ledgers[row.id].created()
        elif what == "changed":
            moment = Moment(self._before[row.id], self.up_since, self.boots)
            self.ledgers[row.id].moved(row, self._specs[row.digest], moment)
        else:
            if self.statistics[row.id].active:
                raise Violation("no active run is deleted", f"job {row.name} went with active runs")
            del self.ledgers[row.id], self.statistics[row.id]
