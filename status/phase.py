"""What a job's record amounts to: its phase for people, its conditions for machines. Pure.

Called by `status.views`, `status.metrics.exposition` and the command line. Reads records, never the clock: nothing
here changes by time passing, so what is made of a record is good until the record's `seq` changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import orjson

from specs.frozen import frozen
from state.records import Health, JobRecord, Reason, Run, RunState
from status.words.reasons import wait_words


class Phase(StrEnum):
    """One word for people. See `phase_of` for the rules."""

    PENDING = "pending"
    ACTIVE = "active"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


WORST_FIRST = (
    Phase.FAILED, Phase.BLOCKED, Phase.IN_PROGRESS, Phase.ACTIVE, Phase.PENDING, Phase.SUSPENDED, Phase.COMPLETED,
    Phase.CANCELLED, Phase.ARCHIVED,
)  # fmt: skip
"""The order in which people are shown them."""


@frozen(kw_only=True)
class Suspension:
    """Why nothing starts by itself. `declared` and `override` may both hold; then the override's words are shown."""

    declared: bool
    override: bool
    reason: str | None
    by: str | None
    """Who suspended it; None for a declared suspend: the file's history knows."""
    at: int | None


@frozen(kw_only=True)
class Condition:
    """Kubernetes' condition: one observation, with when it last flipped (None: not known)."""

    type: str
    status: str
    """`True`, `False` or `Unknown`."""
    reason: str
    message: str
    since: int | None


def suspension_of(record: JobRecord) -> Suspension | None:
    """Who or what suspended the job; None when it is not suspended."""
    declared = _declared_reason(record.spec)
    if record.suspended_at is not None:
        return Suspension(
            declared=declared is not None,
            override=True,
            reason=record.suspended_reason,
            by=record.suspended_by,
            at=record.suspended_at,
        )
    if declared is not None:
        return Suspension(declared=True, override=False, reason=declared or None, by=None, at=record.applied_at)
    return None


def _declared_reason(spec: bytes) -> str | None:
    """The reason in the file, "" when it gives none; None when the file does not suspend."""
    # Nearly every job, at 1/20 of the price of parsing. Canonical JSON has no blanks, and inside a text the quotes
    # would be escaped, so these bytes are the field.
    if b'"suspend":false' in spec:
        return None
    try:
        value = orjson.loads(spec).get("suspend", False)
    except orjson.JSONDecodeError:  # damaged; the daemon says so
        return None
    if isinstance(value, dict):
        return str(value.get("reason", ""))
    return "" if value else None


def has_run(record: JobRecord) -> bool:
    """Whether any run ever ended; slots that were skipped are not runs."""
    return sum(record.counts.values()) > record.counts.get(RunState.SKIPPED, 0)


def phase_of(record: JobRecord) -> Phase:
    """The phase. The first row that holds:

    ============  ==========================================================================
    phase         when
    ============  ==========================================================================
    archived      no file names the job any more, and it was pruned or deleted
    blocked       its only active run waits: for the run before, a pool, another job, its next attempt
    in_progress   a run is pending or running (also when suspended: the run goes on)
    suspended     the file or `jobsctl suspend` keeps it from starting
    failed        the last run that ended failed or expired
    cancelled     the job is complete, and the last run was cancelled
    completed     the job is complete: `repeat`, `end_at`, `until`, or no further instants
    pending       nothing has run yet
    active        it has run, and waits for the next instant or trigger
    ============  ==========================================================================
    """
    if record.archived_at is not None:
        return Phase.ARCHIVED
    if record.active_runs:
        only = record.active_runs == 1  # beside another, the newest waits for that one, as a rule, which is running
        return Phase.BLOCKED if only and record.last_run_state == RunState.BLOCKED else Phase.IN_PROGRESS
    if suspension_of(record) is not None:
        return Phase.SUSPENDED
    if record.health == Health.FAILING:
        return Phase.FAILED
    if record.completed_at is not None:
        return Phase.CANCELLED if record.last_run_state == RunState.CANCELLED else Phase.COMPLETED
    return Phase.ACTIVE if has_run(record) else Phase.PENDING


def first_problem(record: JobRecord) -> str | None:
    """`jobs/report.yaml:7:13: message` of the first finding that keeps the file from being applied."""
    if not record.problem:
        return None
    finding: dict[str, Any] = dict(record.problem[0])
    more = len(record.problem) - 1
    where = f"{finding.get('path', record.path)}:{finding.get('line', 1)}:{finding.get('column', 1)}"
    return f"{where}: {finding.get('message', 'invalid')}" + (f" (and {more} more)" if more else "")


def sync_of(record: JobRecord, *, source_problem: str | None = None) -> str:
    """`Synced` when what runs is what the files say, `OutOfSync` when not, `Unknown` when the files cannot be read."""
    if source_problem is not None:
        return "Unknown"
    return "OutOfSync" if record.problem or record.missing_since is not None else "Synced"


WAITING: Mapping[Reason, str] = {
    Reason.OVERLAP: "WaitingForRun",
    Reason.POOL: "WaitingForPool",
    Reason.DEPENDENCY: "WaitingForDependency",
    Reason.BACKOFF: "BackingOff",
    Reason.CALENDAR: "WaitingForCalendar",
}
"""What a blocked run waits for, as reason of the condition `Ready`: all of `WAIT_REASONS`."""


def blocked_by(record: JobRecord, last_run: Run | None) -> Run | None:
    """The run that is why the job is in phase `blocked`; None when it is not, or the run is not at hand."""
    if last_run is None or last_run.state is not RunState.BLOCKED or last_run.id != record.last_run_id:
        return None
    return last_run if phase_of(record) is Phase.BLOCKED else None


def conditions_of(record: JobRecord, *, last_run: Run | None = None) -> tuple[Condition, ...]:
    """`Ready Reconciling Stalled Healthy Complete`, always all five, in this order.

    =========== ======= ================================================================================
    type        status  reasons
    =========== ======= ================================================================================
    Ready       True    Applied, Suspended; while its only run is blocked, what for: WaitingForRun,
                        WaitingForPool, WaitingForDependency, WaitingForCalendar, BackingOff
    Ready       False   InvalidSpec, DecisionFailing, Archived
    Reconciling True    FileMissing
    Reconciling False   UpToDate; Kept, by `prune: false`, though its file is gone
    Stalled     True    InvalidSpec, DecisionFailing
    Healthy     True    Succeeded
    Healthy     False   RunFailed
    Healthy     Unknown NoRunYet
    Complete    True    RepeatDone, EndReached, UntilTrue, NoFurtherInstants
    Complete    False   InstantsRemain
    =========== ======= ================================================================================

    Args:
        last_run: the run `record.last_run_id` names; without it, what is waited for is not told.
    """
    return (_ready(record, last_run), _reconciling(record), _stalled(record), _healthy(record), _complete(record))


def is_ready(record: JobRecord) -> bool:
    """Whether its file is applied and the daemon can act on it. A suspended job is ready: it does as it was told."""
    return record.archived_at is None and not record.problem and record.stalled is None


def _ready(record: JobRecord, last_run: Run | None) -> Condition:
    if record.archived_at is not None:
        return _condition("Ready", False, "Archived", "No file names this job any more.", record.archived_at)
    problem = first_problem(record)
    if problem is not None:
        message = f"{problem}; generation {record.generation} goes on"
        return _condition("Ready", False, "InvalidSpec", message, record.problem_since)
    if record.stalled is not None:
        return _condition("Ready", False, "DecisionFailing", record.stalled, None)
    if suspension_of(record) is not None:
        return _condition("Ready", True, "Suspended", "Applied; suspended.", record.applied_at)
    run = blocked_by(record, last_run)
    if run is not None and run.reason is not None and run.reason in WAITING:
        message = f"Run {run.id} waits for {wait_words(run.reason)}."
        return _condition("Ready", True, WAITING[run.reason], message, run.created_at)
    return _condition("Ready", True, "Applied", f"Generation {record.generation} is applied.", record.applied_at)


def _reconciling(record: JobRecord) -> Condition:
    if record.missing_since is not None and b'"prune":false' in record.spec:  # canonical; it may be damaged
        message = f"{record.path} does not name this job any more; `prune: false` keeps it, `jobsctl delete` ends it."
        return _condition("Reconciling", False, "Kept", message, record.missing_since)
    if record.missing_since is not None:
        message = f"{record.path} does not name this job any more; a later look decides whether it is archived."
        return _condition("Reconciling", True, "FileMissing", message, record.missing_since)
    return _condition("Reconciling", False, "UpToDate", "", record.applied_at)


def _stalled(record: JobRecord) -> Condition:
    problem = first_problem(record)
    if problem is not None:
        return _condition("Stalled", True, "InvalidSpec", problem, record.problem_since)
    if record.stalled is not None:
        return _condition("Stalled", True, "DecisionFailing", record.stalled, None)
    return _condition("Stalled", False, "UpToDate", "", record.applied_at)


def _healthy(record: JobRecord) -> Condition:
    if record.health == Health.UNKNOWN:
        return Condition(
            type="Healthy",
            status="Unknown",
            reason="NoRunYet",
            message="No run has ended yet.",
            since=record.created_at,
        )
    if record.health == Health.HEALTHY:
        return _condition("Healthy", True, "Succeeded", "The last run succeeded.", record.health_since)
    failures = record.consecutive_failures
    message = "The last run failed." if failures <= 1 else f"The last {failures} runs failed."
    return _condition("Healthy", False, "RunFailed", message, record.health_since)


def _complete(record: JobRecord) -> Condition:
    if record.completed_at is None:
        return _condition("Complete", False, "InstantsRemain", "", record.applied_at)
    reason, message = completion_of(record)
    return _condition("Complete", True, reason, message, record.completed_at)


def completion_of(record: JobRecord) -> tuple[str, str]:
    """Why a complete job is complete: reason and sentence. From what its present spec says, which decided it."""
    from specs.policy import policy_of  # it reads schedules: 150 ms that most commands need not pay

    fields = orjson.loads(record.spec)
    if fields.get("repeat") is not None and record.repeat_done >= fields["repeat"]:
        return "RepeatDone", f"All {fields['repeat']} runs are done."
    end_at = policy_of(fields).end_at if fields.get("end_at") is not None else None
    if end_at is not None and (record.completed_at or 0) >= end_at:
        return "EndReached", f"`end_at` has passed: {fields['end_at']}."
    if fields.get("until") is not None:
        return "UntilTrue", f"This was true after a run: {fields['until']}"
    if end_at is not None:
        return "EndReached", f"No instant is left before `end_at`: {fields['end_at']}."
    return "NoFurtherInstants", "The schedule has no further instants."


def _condition(kind: str, status: bool, reason: str, message: str, since: int | None) -> Condition:
    return Condition(type=kind, status=str(status), reason=reason, message=message, since=since)
