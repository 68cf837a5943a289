"""What the daemon tells the store about runs and schedules: arguments of `Store`, plain frozen data.

Made by the reconciler. Instants are microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from state.records import Reason, RunState, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Where a job's schedule stands now."""

    job_id: int
    cursor_at: int | None
    """None: unchanged."""
    next_at: int | None
    """None: nothing more to come."""
    boot_id: str | None = None
    """None: unchanged."""
    completed_at: int | None = None
    """None: unchanged (a new spec clears it, through `put_job`)."""
    repeat_done: int | None = None
    """None: unchanged."""
    consumed: Mapping[str, int] | None = None
    """None: unchanged; else what is added to or replaced in the record's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a blocked run waits for now."""

    run_id: str
    at: int
    reason: Reason
    """One of `WAIT_REASONS`."""
    not_before: int | None = None
    message: str | None = None
    """One line for people: which job, which pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The program of a run is running."""

    run_id: str
    at: int
    pid: int | None = None
    pid_start: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ended. `state` is a terminal one."""

    run_id: str
    at: int
    state: RunState
    reason: Reason
    error: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    output_bytes: int | None = None
    started_at: int | None = None
    """For a run whose start was never told; a start that is stored stays."""
    pid: int | None = None
    pid_start: int | None = None
    progress: Any = None
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Slots that did not run: `count` of them, from `first` to `last`."""

    job_id: int
    first: int
    last: int
    count: int
    reason: Reason
    at: int
    generation: int
    digest: str = ""
    revision: str | None = None
    trigger: Trigger = Trigger.SCHEDULE
    error: str | None = None
    """One line for people, when the reason alone does not say it."""


@dataclass(frozen=True, slots=True)
class DoomedDirectory:
    """What lies on the disk of rows that were deleted, or of output that was too much."""

    id: int
    project: str
    job: str
    run_id: str | None
    """None: the folder of the job itself."""
    output_only: bool
    """The run is still stored: what is not output stays."""
    job_lives: bool
    """A job of this identity is stored (made anew), or runs of a renamed one are filed there: the folder stays."""
    project_lives: bool
