"""What a job's row says of its runs, made anew from the changes of the rows, and the phase that follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from state.records import JobRecord
from status.phase import conditions_of, phase_of
from tests.simulation.ledger import Violation
from tests.simulation.policy import suspended
from tests.simulation.rows import RunRow

ACTIVE = frozenset({"pending", "blocked", "running"})
BAD = frozenset({"failed", "expired"})


@dataclass(slots=True)
class Statistics:
    """Of one job."""

    active: dict[str, RunRow] = field(default_factory=dict)
    """The runs that are not over, by id, oldest first."""
    ended: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    last_run: str | None = None
    last_state: str | None = None
    last_slot: int | None = None
    last_success: int | None = None
    last_finished: int | None = None
    health: str = "unknown"
    failures: int = 0

    def made(self, run: RunRow) -> None:
        if run.state == "skipped":
            self.skipped[run.reason or ""] += run.skipped_count or 0
            return
        self.active[run.id] = run
        self.last_run, self.last_state = run.id, run.state
        if run.scheduled_for is not None:
            self.last_slot = run.scheduled_for

    def changed(self, run: RunRow, before: RunRow, others: Iterable[RunRow]) -> None:
        """`others`: all rows of the job."""
        if before.state == "skipped":
            self.skipped[run.reason or ""] += (run.skipped_count or 0) - (before.skipped_count or 0)
            return
        if run.id == self.last_run:
            self.last_state = run.state
        if run.state in ACTIVE:
            self.active[run.id] = run
        elif run.id in self.active:
            del self.active[run.id]
            if run.state == "skipped":
                self._never_was(run, others)
            else:
                self._ended(run)

    def _never_was(self, run: RunRow, others: Iterable[RunRow]) -> None:
        """A run that waited became the record of a slot that was skipped: the last run is the one before."""
        self.skipped[run.reason or ""] += 1
        runs = sorted((row for row in others if row.state != "skipped" and row.id != run.id), key=lambda row: row.id)
        last = runs[-1] if runs else None
        self.last_run, self.last_state = (None, None) if last is None else (last.id, last.state)
        slots = [row.scheduled_for for row in runs if row.scheduled_for is not None]
        self.last_slot = slots[-1] if slots else None

    def handed(self) -> int:
        """How many of its runs are with the runner."""
        return sum(run.state != "blocked" for run in self.active.values())

    def _ended(self, run: RunRow) -> None:
        self.ended[run.state] += 1
        self.last_finished = run.finished_at
        if run.state == "succeeded":
            self.health, self.failures, self.last_success = "healthy", 0, run.finished_at
        elif run.state in BAD:
            self.health, self.failures = "failing", self.failures + 1

    def compare(self, record: JobRecord) -> None:
        """Hold the stored row against what was counted."""
        ended = Counter({str(state): count for state, count in record.counts.items() if count and state != "skipped"})
        skipped = Counter({str(reason): count for reason, count in record.skips.items() if count})
        said = {
            "active_runs": (record.active_runs, len(self.active)),
            "counts": (dict(ended), dict(+self.ended)),
            "skips": (dict(skipped), dict(+self.skipped)),
            "skipped": (record.counts.get("skipped", 0), self.skipped.total()),  # type: ignore[call-overload]
            "last_run_id": (record.last_run_id, self.last_run),
            "last_run_state": (record.last_run_state, self.last_state),
            "last_scheduled_for": (record.last_scheduled_for, self.last_slot),
            "last_success_at": (record.last_success_at, self.last_success),
            "last_finished_at": (record.last_finished_at, self.last_finished),
            "health": (record.health, self.health),
            "consecutive_failures": (record.consecutive_failures, self.failures),
        }
        for name, (stored, counted) in said.items():
            if stored != counted:
                raise Violation(
                    "a job's row tells of its runs", f"{record.identity}: {name} is {stored}, the rows say {counted}"
                )
        self._compare_phase(record)

    def _compare_phase(self, record: JobRecord) -> None:
        phase, conditions = phase_of(record), {each.type: each.status for each in conditions_of(record)}
        healthy = {"unknown": "Unknown", "healthy": "True", "failing": "False"}[self.health]
        ready = str(record.archived_at is None and not record.problem and record.stalled is None)
        # Beside a newer run that has ended, a run that waits counts as in progress.
        waits = phase == "in_progress" and self._phase(record) == "blocked" and self.last_state != "blocked"
        if phase != self._phase(record) and not waits:
            raise Violation("the phase follows from the rows", f"{record.identity} is {phase}, {self._phase(record)}")
        wanted = {"Healthy": healthy, "Ready": ready, "Complete": str(record.completed_at is not None)}
        for name, status in wanted.items():
            if conditions[name] != status:
                raise Violation(
                    "conditions follow from the rows", f"{record.identity}: {name} is {conditions[name]}, not {status}"
                )

    def _phase(self, record: JobRecord) -> str:
        if record.archived_at is not None:
            return "archived"
        if self.active:
            return "blocked" if [run.state for run in self.active.values()] == ["blocked"] else "in_progress"
        if suspended(record.spec, record.suspended_at is not None):
            return "suspended"
        if self.health == "failing":
            return "failed"
        if record.completed_at is not None:
            return "cancelled" if self.last_state == "cancelled" else "completed"
        return "active" if self.ended.total() else "pending"
