"""What can happen to a job that somebody may want to know of, and the notice that tells it: plain data.

Made by the notify process from events and by its looks at the clock; judged in `status.notify.judge`, told in words by
`status.notify.wording`. Pure, without clock and database. Instants and durations are integer microseconds, UTC.
Everything becomes plain JSON and back: notices wait in the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from specs.stored import StoredNotifyRule
from state.records import Run

What = Literal["failure", "recovery", "missed", "still_failing", "slow", "skipped", "success"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A stretch in which nobody is notified of a job."""

    since: int
    until: int
    """The first instant after it; when it was ended by somebody, that one."""

    def holds(self, at: int) -> bool:
        """Whether this instant is inside."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What judging needs to know of a job, as it is now."""

    job_id: int
    identity: str
    """`project/name`, as it is called now."""
    rules: Sequence[StoredNotifyRule]
    idle: bool
    """Suspended or archived: nothing is told of it."""
    silences: Sequence[Silence] = ()
    """Those of this job and of all jobs, past ones too: an event is judged by its own time."""
    watched_since: int = 0
    """What was due before is history: a deadline not after it is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run reached a terminal state: any but that of slots that never were a run."""

    run_id: str
    at: int
    """When it ended."""
    state: str
    """Of `RunState`."""
    reason: str | None = None
    """Of `Reason`."""
    error: str | None = None
    """One line for people."""
    attempt: int = 1
    retried: bool = False
    """Another attempt follows: this end is not told."""
    started_at: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    scheduled_for: int | None = None
    revision: str | None = None

    @classmethod
    def of(cls, run: Run, *, retried: bool) -> RunEnded:
        """Of a run as stored. `retried`: its job has a run of the same slot with the next attempt."""
        return cls(
            run_id=run.id,
            at=run.finished_at if run.finished_at is not None else run.created_at,
            state=run.state.value,
            reason=None if run.reason is None else run.reason.value,
            error=run.error,
            attempt=run.attempt,
            retried=retried,
            started_at=run.started_at,
            exit_code=run.exit_code,
            signal=run.signal,
            scheduled_for=run.scheduled_for,
            revision=run.revision,
        )

    @property
    def lasted(self) -> int | None:
        """How long it ran; None when it was never started."""
        return None if self.started_at is None else max(0, self.at - self.started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsSkipped:
    """Slots that have no run. Told with the first of them; a record that only gets longer is no new occurrence."""

    run_id: str
    """Of their record."""
    at: int
    """When it was recorded."""
    reason: str
    """Of `SKIP_REASONS`."""
    first: int
    last: int
    count: int

    @classmethod
    def of(cls, run: Run) -> SlotsSkipped:
        """Of a stored record of skipped slots."""
        last = run.scheduled_for if run.scheduled_for is not None else run.created_at
        return cls(
            run_id=run.id,
            at=run.created_at,
            reason="" if run.reason is None else run.reason.value,
            first=run.skipped_first if run.skipped_first is not None else last,
            last=last,
            count=run.skipped_count or 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A run that is not over."""

    run_id: str
    started_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A look at the clock: what time alone brings. Comes after the events up to then."""

    at: int
    deadline: int | None = None
    """`status.deadline.success_deadline` of the job, as it is now."""
    running: Sequence[Running] = ()


Occurrence = RunEnded | SlotsSkipped | Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told by one notifier."""

    id: str
    """Made from what it is about, so that judging anew makes the same."""
    notifier: str
    what: What
    job_id: int
    identity: str
    at: int
    """When it happened."""
    run_id: str | None = None
    since: int | None = None
    """When the trouble began: of failures the end of the first, of a recovery the same, of `missed` the deadline."""
    failures: int = 0
    """Runs that failed in a row, this one too; of a recovery those before it."""
    missed: bool = False
    """Of a recovery: a missed deadline was told, and no failure."""
    state: str | None = None
    reason: str | None = None
    error: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    attempt: int = 1
    started_at: int | None = None
    scheduled_for: int | None = None
    revision: str | None = None
    lasted: int | None = None
    """How long the run took; of `slow`, so far."""
    slower_than: int | None = None
    first: int | None = None
    """Of `skipped`: the first slot, the last, and how many."""
    last: int | None = None
    count: int = 0

    def as_data(self) -> dict[str, Any]:
        """For JSON; without what is at its default."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Notice:
        """What `as_data` wrote. Keys of a later version are passed over."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})


def failure_facts(ended: RunEnded) -> dict[str, Any]:
    """What a notice says of a run, under the names of `Notice`."""
    said = asdict(ended)
    return {name: said[name] for name in _OF_A_RUN} | {"lasted": ended.lasted}


_OF_A_RUN = (
    "run_id", "state", "reason", "error", "exit_code", "signal", "attempt", "started_at", "scheduled_for", "revision",
)  # fmt: skip
