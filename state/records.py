"""What is known about jobs, runs and events, as frozen plain data.

Made by `state.store` (the writer) and `state.reads` (readers); passed to everyone above. No peewee here.
All instants are integer microseconds since the epoch, UTC; None means "never" or "not yet".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from specs.frozen import frozen


class RunState(StrEnum):
    """`pending` -> (`blocked`) -> `running` -> a terminal one. Terminal states never change."""

    PENDING = "pending"
    BLOCKED = "blocked"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SKIPPED = "skipped"


ACTIVE_STATES = (RunState.PENDING, RunState.BLOCKED, RunState.RUNNING)
TERMINAL_STATES = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED, RunState.SKIPPED)


class Trigger(StrEnum):
    """Why a run exists."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    RETRY = "retry"
    DEPENDENCY = "dependency"
    CATCH_UP = "catch_up"
    BOOT = "boot"
    API = "api"


class Reason(StrEnum):
    """Why a run ended as it did, or why a slot has no run. The same word in log, event, metric label and test id."""

    # ends
    SUCCEEDED = "succeeded"
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    LOST = "lost"
    START_ERROR = "start_error"
    OOM = "oom"
    REPLACED = "replaced"
    """Cancelled because the next slot came: `overlap: replace`."""
    SUPERSEDED = "superseded"
    """An attempt that waited and never started: the next slot's run took its place."""
    # slots without a run; of those, some are also what a blocked run waits for
    OVERLAP = "overlap"
    """The job's run before is still active."""
    POOL = "pool"
    """No slot of its pool is free."""
    DEPENDENCY = "dependency"
    """A job it depends on has not succeeded since; as an end: it has failed."""
    MISSED = "missed"
    """Nothing could run then: the machine slept, the clock jumped, or the daemon could not get on."""
    DAEMON_DOWN = "daemon_down"
    """As `missed`: no daemon was running."""
    GRACE = "grace"
    """Too late to be caught up."""
    SUSPENDED = "suspended"
    PAST = "past"
    """A one-shot whose instant had passed when it was first applied."""
    CALENDAR = "calendar"
    HORIZON = "horizon"
    """After `end_at`, or after the job was complete."""
    DST_GAP = "dst_gap"
    # what a blocked run waits for, besides
    BACKOFF = "backoff"
    """The delay before the next attempt."""
    # decisions without a slot
    DUE = "due"
    NOT_DUE = "not_due"
    WAITING = "waiting"
    """What is due waits, as its run says."""
    STAGGER = "stagger"
    """A catch-up that waits a little, so that not all start at once."""
    COMPLETE = "complete"
    CLOCK = "clock"
    """The clock was set back by hours: the watermark follows it."""
    ARCHIVED = "archived"
    MANUAL = "manual"


SKIP_REASONS = (
    Reason.OVERLAP, Reason.MISSED, Reason.SUSPENDED, Reason.PAST, Reason.POOL, Reason.DEPENDENCY, Reason.DAEMON_DOWN,
    Reason.GRACE, Reason.CALENDAR, Reason.HORIZON, Reason.DST_GAP,
)  # fmt: skip
"""Why slots may be without a run: all that `reconciler.decide` gives; each is a column `job.skipped_<reason>`."""
WAIT_REASONS = (Reason.OVERLAP, Reason.POOL, Reason.DEPENDENCY, Reason.BACKOFF, Reason.CALENDAR)
"""What a `blocked` run waits for: its `reason`."""


class Health(StrEnum):
    """How the last finished run ended. `unknown` before the first."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    FAILING = "failing"


@frozen(kw_only=True)
class Run:
    """One attempt of one job, or one record of slots that did not run (`state == skipped`)."""

    id: str
    """Sortable by creation, unique: 26 characters, `state.ids`."""
    job_id: int
    project: str
    job: str
    generation: int
    digest: str
    revision: str | None
    trigger: Trigger
    scheduled_for: int | None
    """The slot. None for a run somebody asked for. Unique with job and attempt: that is the lock."""
    attempt: int = 1
    state: RunState
    reason: Reason | None = None
    error: str | None = None
    """One line for people; None when nothing went wrong."""
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    """Bytes."""
    output_bytes: int | None = None
    """Bytes the job wrote, also those cut by the limit."""
    progress: Any = None
    result: Any = None
    requested_by: str | None = None
    request_id: str | None = None
    cancel_requested_at: int | None = None
    cancel_requested_by: str | None = None
    supervisor: str | None = None
    """Which supervisor it was handed to; None while it was not handed to any."""
    boot_id: str | None = None
    """Machine boot under which it was handed over: another boot means it cannot be running."""
    pid: int | None = None
    pid_start: int | None = None
    """Start time of `pid` in clock ticks since boot (/proc/PID/stat field 22)."""
    skipped_first: int | None = None
    skipped_count: int | None = None
    """For `skipped`: the first slot of the gap and how many; `scheduled_for` is the last."""
    not_before: int | None = None
    """For `blocked`: it does not start earlier (backoff, or a deferred slot)."""
    params: Mapping[str, str] | None = None
    """What was given with `jobsctl trigger --param`; defaults of the spec are not in it."""
    upstream: Mapping[str, str] | None = None
    """Identity to run id of the successes this run follows; None when the job depends on nothing."""
    filed_under: str | None = None
    """`project/name` of the folder its files are in, when that is not the job's present identity (it was renamed)."""

    @property
    def identity(self) -> str:
        return f"{self.project}/{self.job}"


@frozen(kw_only=True)
class JobRecord:
    """Everything known about a job, the applied spec included."""

    id: int | None = None
    """None until stored."""
    project: str
    name: str
    spec: bytes
    """The last good canonical JSON: what runs."""
    digest: str
    generation: int = 1
    """Counts distinct digests applied, from 1."""
    path: str
    line: int
    revision: str | None = None
    """Of the look that applied this generation."""
    created_at: int
    applied_at: int
    """When this generation was applied."""
    archived_at: int | None = None
    missing_since: int | None = None
    """Since when no file names it, while it is not archived yet."""
    problem: tuple[Mapping[str, Any], ...] = ()
    """The findings that keep its file from being applied (fields of `Diagnostic`); empty when the file is sound."""
    problem_since: int | None = None
    schedule_digest: str = ""
    """What `anchor_at`, `cursor_at` and `next_at` were computed for."""
    anchor_at: int
    """Grid origin of intervals: when this schedule was first applied."""
    cursor_at: int
    """Every slot at or before it is accounted for."""
    next_at: int | None = None
    boot_id: str | None = None
    """The boot for which `@reboot` is accounted for."""
    suspended_at: int | None = None
    """The override of `jobsctl suspend`; None when there is none. A declared suspend is in `spec`."""
    suspended_by: str | None = None
    suspended_reason: str | None = None
    resumed_at: int | None = None
    """When it was last taken up again (the override lifted, `suspend` gone from its file, its file back); success is
    expected anew from then on."""
    completed_at: int | None = None
    """When a schedule without further instants was done."""
    active_runs: int = 0
    last_run_id: str | None = None
    last_run_state: RunState | None = None
    last_scheduled_for: int | None = None
    last_started_at: int | None = None
    last_finished_at: int | None = None
    last_success_at: int | None = None
    health: Health = Health.UNKNOWN
    health_since: int | None = None
    consecutive_failures: int = 0
    counts: Mapping[RunState, int] = field(default_factory=dict)
    """Terminal runs ever, by state; never goes down, also when history is pruned (skipped counts slots)."""
    skips: Mapping[Reason, int] = field(default_factory=dict)
    """Slots ever without a run, by reason (all of `SKIP_REASONS` when stored); never goes down either."""
    last_success_id: str | None = None
    last_end_id: str | None = None
    """The run that `health` tells of: the last that succeeded, failed or expired."""
    repeat_done: int = 0
    """Scheduled runs since what says when the job is complete was last changed: counts up to `repeat`."""
    completion_digest: str = ""
    """`specs.policy.Policy.completion` that `repeat_done` and `completed_at` belong to."""
    consumed: Mapping[str, int] = field(default_factory=dict)
    """Of each upstream job, when the last run ended that a run of this one followed."""
    stalled: str | None = None
    """Why deciding on this job keeps failing, when it does."""
    seq: int = 0
    """Position in the one sequence of changes of all jobs: readers ask for what is newer."""

    @property
    def identity(self) -> str:
        return f"{self.project}/{self.name}"


@frozen(kw_only=True)
class DocumentRecord:
    """A document that is not a job, as last applied: a pool or a calendar."""

    kind: str
    """`Pool`, `Calendar` or `Notifier`."""
    name: str
    spec: bytes
    """Canonical JSON."""
    digest: str
    path: str
    line: int
    revision: str | None = None
    applied_at: int = 0


@frozen(kw_only=True)
class SilenceRecord:
    """A stretch in which nobody is notified of a job, or of any."""

    id: str
    """Of the request that asked for it."""
    identity: str | None
    """`project/name`; None: all jobs."""
    since: int
    until: int
    reason: str
    silenced_by: str
    ended_at: int | None = None
    """When somebody ended it before its time."""
    ended_by: str | None = None

    @property
    def over_at(self) -> int:
        """The first instant at which it does not hold any more."""
        return self.until if self.ended_at is None else max(self.since, min(self.ended_at, self.until))

    def holds(self, at: int) -> bool:
        """Whether it does at this instant."""
        return self.since <= at < self.over_at


@frozen(kw_only=True)
class Event:
    """One change, so that the whole story of a run or job can be told."""

    id: int | None = None
    at: int
    job_id: int | None
    run_id: str | None
    type: str
    """`Normal` or `Warning`, as Kubernetes."""
    reason: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@frozen(kw_only=True)
class RequestRecord:
    """What became of a file in the inbox: the audit."""

    id: str
    kind: str
    identity: str | None
    run_id: str | None
    requested_by: str
    requested_at: int
    handled_at: int
    outcome: str
    """`done` or `refused`."""
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@frozen(kw_only=True)
class SourceState:
    """The last look at the specs directory, as readers see it. One row; written only when something in it changed."""

    root: str
    revision: str | None
    scanned_at: int
    """Of the look that changed something last."""
    files: int
    jobs: int
    invalid: int
    problem: str | None = None
    """Why the directory could not be looked at; None when it could."""
    prune_blocked: tuple[str, ...] = ()
    """Identities that would be archived, were the prune guard not holding them."""
    diagnostics: tuple[Mapping[str, Any], ...] = ()
    """Findings (fields of `Diagnostic`), at most 200."""
