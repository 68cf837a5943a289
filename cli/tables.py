"""What jobs, runs and events look like in tables: the columns several commands share. Pure.

The shapes of `-o json` are not here: those are `status.views`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cli.output import Cell, Column, Style
from state.records import TERMINAL_STATES, Event, JobRecord, Run, RunState
from status.phase import Phase, phase_of, suspension_of, sync_of
from status.words.runs import duration_text, outcome_detail, short_revision, slot_text, waiting_words
from status.words.times import NEVER, precise, relative, size, span

STATE_STYLE: dict[RunState, Style] = {
    RunState.SUCCEEDED: "green",
    RunState.FAILED: "red",
    RunState.EXPIRED: "red",
    RunState.CANCELLED: "yellow",
    RunState.SKIPPED: "dim",
    RunState.RUNNING: "cyan",
    RunState.PENDING: "cyan",
    RunState.BLOCKED: "yellow",
}
PHASE_STYLE: dict[Phase, Style] = {
    Phase.ACTIVE: "green",
    Phase.COMPLETED: "green",
    Phase.IN_PROGRESS: "cyan",
    Phase.FAILED: "red",
    Phase.SUSPENDED: "yellow",
    Phase.CANCELLED: "yellow",
    Phase.BLOCKED: "yellow",
    Phase.ARCHIVED: "dim",
    Phase.PENDING: "",
}


def job_columns(now: int, words: Callable[[JobRecord], str], described: Callable[[JobRecord], str],
                *, source_problem: str | None,
                last_run: Callable[[JobRecord], Run | None]) -> Sequence[Column[JobRecord]]:  # fmt: skip
    """Of `list`. `words` gives the schedule in words, `described` the description: both read the spec.

    `last_run` is asked only about jobs whose last run is blocked.
    """
    return (
        Column("JOB", lambda job: job.identity),
        Column("SCHEDULE", words, rank=3),
        Column("PHASE", lambda job: phase_cell(job, last_run(job) if waits(job) else None)),
        Column("LAST RUN", lambda job: last_run_cell(job, now), rank=1),
        Column("NEXT", lambda job: next_text(job, now), rank=2),
        Column("SYNC", lambda job: sync_of(job, source_problem=source_problem), wide=True),
        Column("LAST SUCCESS", lambda job: relative(job.last_success_at, now), wide=True),
        Column("FILE", lambda job: f"{job.path}:{job.line}", wide=True),
        Column("GEN", lambda job: str(job.generation), wide=True, right=True),
        Column("REVISION", lambda job: short_revision(job.revision), wide=True),
        Column("DESCRIPTION", described, wide=True),
    )


def sort_jobs(jobs: list[JobRecord], order: str) -> list[JobRecord]:
    """By `name` (as they come), `phase`, `last` (newest start first), `next` (soonest first) or most `failures`.

    What never ran, or has no next run, comes last; equal ones stay by name.
    """
    keys: dict[str, Callable[[JobRecord], tuple[bool, object]]] = {
        "phase": lambda job: (False, phase_of(job).value),
        "last": lambda job: (job.last_started_at is None, -(job.last_started_at or 0)),
        "next": lambda job: (False, job.next_at) if next_text(job, 0) != NEVER else (True, 0),
        "failures": lambda job: (False, -job.consecutive_failures),
    }
    return jobs if order == "name" else sorted(jobs, key=keys[order])


def waits(job: JobRecord) -> bool:
    """Whether its last run is blocked. Only then can the job be; asked of ten thousand, for less than the phase."""
    return job.last_run_state is RunState.BLOCKED


def phase_cell(job: JobRecord, last_run: Run | None = None) -> Cell:
    """The phase; a word when the file or the daemon has a problem with the job, or for what its last run waits."""
    phase = phase_of(job)
    if job.problem:
        return Cell(f"{phase} (invalid)", "red")
    if job.stalled is not None:
        return Cell(f"{phase} (stalled)", "red")
    if phase is Phase.BLOCKED and last_run is not None and last_run.reason is not None:
        return Cell(f"{phase} ({last_run.reason})", PHASE_STYLE[phase])
    return Cell(phase, PHASE_STYLE[phase])


def last_run_cell(job: JobRecord, now: int) -> Cell:
    """`succeeded 3m ago`; while it runs, since when."""
    state = job.last_run_state
    if state is None:
        return Cell(NEVER)
    at = None if state in (RunState.BLOCKED, RunState.PENDING) else job.last_started_at
    at = job.last_finished_at if state in TERMINAL_STATES else at
    return Cell(f"{state} {relative(at, now)}" if at is not None else state, STATE_STYLE[state])


def next_text(job: JobRecord, now: int) -> str:
    """`in 5m`; `-` when nothing is to come, also because of a pause."""
    if job.next_at is None or job.archived_at is not None or suspension_of(job) is not None:
        return NEVER
    return relative(job.next_at, now) if job.next_at > now else "now"


def run_columns(now: int) -> Sequence[Column[Run]]:
    """Of `runs`. On a narrow terminal without ids: `logs` and `run` take a job too."""
    return (
        Column("RUN", lambda run: run.id, rank=2),
        Column("JOB", lambda run: run.identity),
        Column("STATE", state_cell),
        Column("TRIGGER", lambda run: run.trigger, rank=4),
        Column("STARTED", lambda run: relative(run.started_at or run.created_at, now), rank=1),
        Column("DURATION", lambda run: duration_text(run, now), right=True, rank=3),
        Column("SLOT", slot_text, wide=True),
        Column("WAITS FOR", lambda run: waiting_words(run, now) if run.state is RunState.BLOCKED else NEVER, wide=True),
        Column("ATTEMPT", lambda run: str(run.attempt), wide=True, right=True),
        Column("CPU", lambda run: NEVER if run.cpu_seconds is None else span(run.cpu_seconds), wide=True, right=True),
        Column("MEMORY", lambda run: size(run.peak_memory), wide=True, right=True),
        Column("OUTPUT", lambda run: size(run.output_bytes), wide=True, right=True),
        Column("BY", lambda run: run.requested_by or NEVER, wide=True),
        Column("GEN", lambda run: str(run.generation), wide=True, right=True),
    )


def state_cell(run: Run) -> Cell:
    """`failed (exit code 2)`, `skipped (overlap, 3 slots)`, `blocked (pool)`, `running (cancelling)`."""
    detail = outcome_detail(run)
    text = f"{run.state} ({detail})" if detail else run.state
    return Cell(text, STATE_STYLE[run.state])


def event_columns(identity_of: Callable[[int | None], str], *, of_one: bool = False) -> Sequence[Column[Event]]:
    """Of `events`, oldest first. `of_one`: all are of one job."""

    def marked(event: Event, text: str) -> Cell:
        return Cell(text, "yellow" if event.type == "Warning" else "")

    return (
        Column("TIME", lambda event: precise(event.at)),
        Column("TYPE", lambda event: marked(event, event.type), rank=3),
        Column("REASON", lambda event: marked(event, event.reason), rank=1),
        Column("JOB", lambda event: identity_of(event.job_id), rank=2 if of_one else 0),
        Column("MESSAGE", lambda event: event.message),
        Column("RUN", lambda event: event.run_id or NEVER, wide=True),
    )
