"""Between rows and records: the column lists of every SELECT, and the functions that turn one row into a record.

Used by `state.store*` and `state.reads`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from state.records import Event, Health, JobRecord, Reason, RequestRecord, Run, RunState, SourceState, Trigger

JOB_DEFINITION = (
    "project", "name", "digest", "generation", "path", "line", "revision", "created_at", "applied_at", "archived_at",
    "missing_since", "problem", "problem_since", "schedule_digest", "anchor_at", "cursor_at", "next_at", "boot_id",
    "suspended_at", "suspended_by", "suspended_reason", "completed_at", "stalled",
)  # fmt: skip
"""What `put_job` writes."""

_JOB_STATISTICS = (
    "active_runs", "last_run_id", "last_run_state", "last_scheduled_for", "last_started_at", "last_finished_at",
    "last_success_at", "health", "health_since", "consecutive_failures",
)  # fmt: skip
COUNTED_STATES = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED, RunState.SKIPPED)
_JOB = ("id", *JOB_DEFINITION, *_JOB_STATISTICS, *COUNTED_STATES, "seq")
SELECT_JOB = (
    f"SELECT {', '.join(f'job.{name}' for name in _JOB)}, spec.canonical "
    "FROM job CROSS JOIN spec ON spec.job_id = job.id"
)

RUN_COLUMNS = (
    "id", "job_id", "generation", "digest", "revision", "trigger", "scheduled_for", "attempt", "state", "reason",
    "error", "created_at", "started_at", "finished_at", "exit_code", "signal", "cpu_seconds", "peak_memory",
    "output_bytes", "requested_by", "request_id", "cancel_requested_at", "cancel_requested_by", "supervisor",
    "boot_id", "pid",
    "pid_start", "skipped_first", "skipped_count", "progress", "result",
)  # fmt: skip
SELECT_RUN = (
    f"SELECT job.project, job.name, {', '.join(f'run.{name}' for name in RUN_COLUMNS)} "
    "FROM run JOIN job ON job.id = run.job_id"
)
SELECT_EVENT = "SELECT id, at, job_id, run_id, type, reason, message, data FROM event"
SELECT_REQUEST = (
    "SELECT id, kind, identity, run_id, requested_by, requested_at, handled_at, outcome, message, data FROM request"
)
SELECT_SOURCE = (
    "SELECT root, revision, scanned_at, files, jobs, invalid, problem, prune_blocked, diagnostics "
    "FROM source WHERE id = 1"
)


def to_json(value: object) -> str:
    """Compact JSON, keys sorted."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def json_or_none(value: object) -> str | None:
    """None stays NULL."""
    return None if value is None else to_json(value)


def printable(text: str) -> str:
    """The text with lone surrogates written out: file names and output may hold bytes that are no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def job_of(row: Sequence[Any]) -> JobRecord:
    """A `SELECT_JOB` row."""
    return JobRecord(
        id=row[0], project=row[1], name=row[2], digest=row[3], generation=row[4], path=row[5], line=row[6],
        revision=row[7], created_at=row[8], applied_at=row[9], archived_at=row[10], missing_since=row[11],
        problem=() if row[12] == "[]" else tuple(orjson.loads(row[12])), problem_since=row[13],
        schedule_digest=row[14], anchor_at=row[15], cursor_at=row[16], next_at=row[17], boot_id=row[18],
        suspended_at=row[19], suspended_by=row[20], suspended_reason=row[21], completed_at=row[22], stalled=row[23],
        active_runs=row[24], last_run_id=row[25], last_run_state=None if row[26] is None else RunState(row[26]),
        last_scheduled_for=row[27], last_started_at=row[28], last_finished_at=row[29], last_success_at=row[30],
        health=Health(row[31]), health_since=row[32], consecutive_failures=row[33],
        counts=dict(zip(COUNTED_STATES, row[34:39], strict=True)), seq=row[39], spec=row[40],
    )  # fmt: skip


def job_definition(job: JobRecord) -> tuple[Any, ...]:
    """The values of `JOB_DEFINITION`, in its order."""
    return (
        job.project, job.name, job.digest, job.generation, printable(job.path), job.line, job.revision, job.created_at,
        job.applied_at, job.archived_at, job.missing_since, to_json([dict(found) for found in job.problem]),
        job.problem_since, job.schedule_digest, job.anchor_at, job.cursor_at, job.next_at, job.boot_id,
        job.suspended_at, job.suspended_by, job.suspended_reason, job.completed_at, job.stalled,
    )  # fmt: skip


def run_of(row: Sequence[Any]) -> Run:
    """A `SELECT_RUN` row."""
    return Run(
        project=row[0], job=row[1], id=row[2], job_id=row[3], generation=row[4], digest=row[5], revision=row[6],
        trigger=Trigger(row[7]), scheduled_for=row[8], attempt=row[9], state=RunState(row[10]),
        reason=None if row[11] is None else Reason(row[11]), error=row[12], created_at=row[13], started_at=row[14],
        finished_at=row[15], exit_code=row[16], signal=row[17], cpu_seconds=row[18], peak_memory=row[19],
        output_bytes=row[20], requested_by=row[21], request_id=row[22], cancel_requested_at=row[23],
        cancel_requested_by=row[24], supervisor=row[25], boot_id=row[26], pid=row[27], pid_start=row[28],
        skipped_first=row[29], skipped_count=row[30],
        progress=None if row[31] is None else orjson.loads(row[31]),
        result=None if row[32] is None else orjson.loads(row[32]),
    )  # fmt: skip


def run_values(run: Run) -> tuple[Any, ...]:
    """The values of `RUN_COLUMNS`, in its order."""
    return (
        run.id, run.job_id, run.generation, run.digest, run.revision, run.trigger, run.scheduled_for, run.attempt,
        run.state, run.reason, None if run.error is None else printable(run.error), run.created_at, run.started_at,
        run.finished_at, run.exit_code, run.signal, run.cpu_seconds, run.peak_memory, run.output_bytes,
        run.requested_by, run.request_id, run.cancel_requested_at, run.cancel_requested_by, run.supervisor,
        run.boot_id, run.pid, run.pid_start, run.skipped_first, run.skipped_count,
        json_or_none(run.progress), json_or_none(run.result),
    )  # fmt: skip


def event_of(row: Sequence[Any]) -> Event:
    """A `SELECT_EVENT` row."""
    return Event(
        id=row[0], at=row[1], job_id=row[2], run_id=row[3], type=row[4], reason=row[5], message=row[6],
        data={} if row[7] is None else orjson.loads(row[7]),
    )  # fmt: skip


def event_values(
    at: int, job_id: int | None, run_id: str | None, type: str, reason: str, message: str, data: Mapping[str, Any] = {}
) -> tuple[Any, ...]:
    """The values of an event row, the id left out."""
    return (at, job_id, run_id, type, reason, printable(message), to_json(dict(data)) if data else None)


def request_of(row: Sequence[Any]) -> RequestRecord:
    """A `SELECT_REQUEST` row."""
    return RequestRecord(
        id=row[0], kind=row[1], identity=row[2], run_id=row[3], requested_by=row[4], requested_at=row[5],
        handled_at=row[6], outcome=row[7], message=row[8], data=orjson.loads(row[9]),
    )  # fmt: skip


def source_of(row: Sequence[Any]) -> SourceState:
    """A `SELECT_SOURCE` row."""
    return SourceState(
        root=row[0], revision=row[1], scanned_at=row[2], files=row[3], jobs=row[4], invalid=row[5], problem=row[6],
        prune_blocked=tuple(orjson.loads(row[7])), diagnostics=tuple(orjson.loads(row[8])),
    )  # fmt: skip
