"""THE shapes: what a job, a run, an event and the source look like in status files, over HTTP and in `-o json` alike.

Called by `status.picture.files`, `status.api` and the command line. Pure: records in, plain data (JSON types only)
out; it must not read a clock, a file or the database. Keys are camelCase as kubectl's; every key is always present,
null when unknown. Instants are RFC 3339 in UTC with three decimals, durations seconds, sizes bytes. Shapes grow, never
shrink; `docs/http.md` documents every key, and a test compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from state.records import TERMINAL_STATES, Event, JobRecord, Run, RunState, SilenceRecord, SourceState
from status.phase import blocked_by, conditions_of, phase_of, suspension_of, sync_of
from status.silences import silence_view
from status.timing import timing_of, words_of
from status.words.instants import SECOND, rfc3339
from status.words.reasons import wait_words

if TYPE_CHECKING:
    # Only `job_view` reads specs, at 150 ms of import that readers of runs and events need not pay.
    from specs.calendar import Calendars
    from specs.policy import Policy
    from specs.schedule import Schedule
    from specs.stored import StoredJob

View = dict[str, Any]
"""JSON types only."""

API_VERSION = "jobsctl/v1"


def job_view(
    record: JobRecord,
    *,
    last_run: Run | None = None,
    source_problem: str | None = None,
    default_timezone: str = "UTC",
    calendars: Calendars | None = None,
    silence: SilenceRecord | None = None,
) -> View:
    """A job. Says instants, not ages, so it stays true until the record, the last run, the source or its silence
    changes.

    Args:
        last_run: the run `record.last_run_id` names: gives `lastRun` its reason, error and exit code.
        source_problem: `SourceState.problem`: while the files cannot be read, `sync` is Unknown.
        default_timezone: of the daemon's config: what a job without `timezone` uses.
        calendars: those the job names; without them it has no `successDeadline`.
        silence: the one that holds, as `status.silences.silence_of` finds it.
    """
    from status.deadline import read_policy, read_spec, success_deadline
    from status.told import callback_view, notify_view

    job = read_spec(record.spec)
    schedule, schedule_problem = _compile(job, default_timezone)
    suspension = suspension_of(record)
    policy = read_policy(record.spec, default_timezone)
    waiting = blocked_by(record, last_run)
    return {
        "apiVersion": API_VERSION,
        "kind": "JobStatus",
        "metadata": {
            "project": record.project,
            "name": record.name,
            "identity": record.identity,
            "description": job.description,
            "labels": dict(job.labels),
            "tags": list(job.tags),
            "annotations": dict(job.annotations),
            "generation": record.generation,
            "digest": record.digest,
            "file": record.path,
            "line": record.line,
            "revision": record.revision,
            "createdAt": rfc3339(record.created_at),
            "appliedAt": rfc3339(record.applied_at),
            "archivedAt": rfc3339(record.archived_at),
        },
        "schedule": {
            "kind": schedule.kind if schedule else None,
            "expression": schedule.expression if schedule else None,
            "timezone": schedule.timezone if schedule else job.timezone,
            "words": words_of(schedule, policy) if schedule else schedule_problem,
        },
        "phase": phase_of(record).value,
        "suspended": None
        if suspension is None
        else {
            "declared": suspension.declared,
            "override": suspension.override,
            "reason": suspension.reason,
            "by": suspension.by,
            "at": rfc3339(suspension.at),
        },
        "sync": sync_of(record, source_problem=source_problem),
        "conditions": [
            {
                "type": condition.type,
                "status": condition.status,
                "reason": condition.reason,
                "message": condition.message,
                "observedGeneration": record.generation,
                "lastTransitionTime": rfc3339(condition.since),
            }
            for condition in conditions_of(record, last_run=last_run)
        ],
        "lastRun": _last_run(record, last_run),
        "lastSuccessAt": rfc3339(record.last_success_at),
        "nextRun": _next_run(record, policy, schedule) if suspension is None and record.archived_at is None else None,
        "blocked": None
        if waiting is None
        else {
            "run": waiting.id,
            "reason": None if waiting.reason is None else waiting.reason.value,
            "message": f"waits for {wait_words(waiting.reason)}",
            "notBefore": rfc3339(waiting.not_before),
        },
        "completedAt": rfc3339(record.completed_at),
        "repeat": None if policy.repeat is None else {"done": record.repeat_done, "of": policy.repeat},
        "dependsOn": [
            {"job": each.identity, "maxAgeSeconds": None if each.max_age is None else each.max_age / SECOND}
            for each in policy.depends_on
        ],
        "pool": policy.pool,
        "priority": policy.priority,
        "calendars": list(policy.calendars),
        "params": {
            name: {
                "default": param.default,
                "allowed": param.allowed,
                "pattern": param.pattern,
                "description": param.description,
            }
            for name, param in job.params.items()
        },
        "notify": notify_view(job),
        "callback": callback_view(job),
        "silence": None if silence is None else silence_view(silence),
        "successDeadline": rfc3339(
            success_deadline(record, job, schedule, calendars=calendars, default_timezone=default_timezone)
        ),
        "timeoutSeconds": job.timeout_seconds(),
        "activeRuns": record.active_runs,
        "consecutiveFailures": record.consecutive_failures,
        "counts": {state.value: record.counts.get(state, 0) for state in TERMINAL_STATES},
        "skips": {reason.value: count for reason, count in record.skips.items() if count},
        "problems": [
            {key: finding.get(key) for key in ("code", "severity", "message", "path", "line", "column", "help")}
            for finding in record.problem
        ],
    }


def _compile(job: StoredJob, default_timezone: str) -> tuple[Schedule | None, str | None]:
    """The schedule, or why a stored one does not compile any more (a zone left the tz database)."""
    from specs.schedule import ScheduleError, compile_schedule

    try:
        return compile_schedule(job, default_timezone=default_timezone), None
    except ScheduleError as error:
        return None, error.message


def _next_run(record: JobRecord, policy: Policy, schedule: Schedule | None) -> View | None:
    """The slot, and when it starts: later by its jitter, or because a catch-up waits its turn."""
    if record.next_at is None:
        return None
    slot: int | None = None
    if schedule is not None and (policy.spread or policy.random):
        slot = timing_of(record, schedule, policy).after(record.cursor_at)
    return {"scheduledFor": rfc3339(record.next_at if slot is None else slot), "startsAt": rfc3339(record.next_at)}


def _last_run(record: JobRecord, run: Run | None) -> View | None:
    if record.last_run_id is None:
        return None
    state = record.last_run_state
    ended = state in TERMINAL_STATES
    if run is not None and run.id == record.last_run_id:
        started, finished = run.started_at, run.finished_at
    else:  # the record keeps the instants of the newest start and the newest end, which may be of two runs
        run = None
        finished = record.last_finished_at if ended else None
        started = record.last_started_at if ended or state == RunState.RUNNING else None
    return {
        "id": record.last_run_id,
        "state": None if state is None else state.value,
        "reason": None if run is None or run.reason is None else run.reason.value,
        "error": None if run is None else run.error,
        "trigger": None if run is None else run.trigger.value,
        "scheduledFor": rfc3339(record.last_scheduled_for if run is None else run.scheduled_for),
        "startedAt": rfc3339(started),
        "finishedAt": rfc3339(finished),
        "durationSeconds": duration(started, finished),
        "exitCode": None if run is None else run.exit_code,
        "signal": None if run is None else run.signal,
    }


def duration(started: int | None, finished: int | None) -> float | None:
    """Seconds from start to end, to the millisecond; None while either is missing. Not below 0: clocks get set back."""
    if started is None or finished is None:
        return None
    return round(max(finished - started, 0) / SECOND, 3)


def run_view(run: Run) -> View:
    """A run, or a record of slots that did not run (`state: skipped`, with `skipped`)."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Run",
        "id": run.id,
        "project": run.project,
        "job": run.job,
        "state": run.state.value,
        "reason": None if run.reason is None else run.reason.value,
        "error": run.error,
        "trigger": run.trigger.value,
        "attempt": run.attempt,
        "scheduledFor": rfc3339(run.scheduled_for),
        "createdAt": rfc3339(run.created_at),
        "startedAt": rfc3339(run.started_at),
        "finishedAt": rfc3339(run.finished_at),
        "durationSeconds": duration(run.started_at, run.finished_at),
        "exitCode": run.exit_code,
        "signal": run.signal,
        "cpuSeconds": run.cpu_seconds,
        "peakMemoryBytes": run.peak_memory,
        "outputBytes": run.output_bytes,
        "progress": run.progress,
        "result": run.result,
        "generation": run.generation,
        "digest": run.digest,
        "revision": run.revision,
        "notBefore": rfc3339(run.not_before),
        "params": None if run.params is None else dict(run.params),
        "upstream": None if run.upstream is None else dict(run.upstream),
        "requestedBy": run.requested_by,
        "requestId": run.request_id,
        "cancelRequestedAt": rfc3339(run.cancel_requested_at),
        "cancelRequestedBy": run.cancel_requested_by,
        "skipped": None
        if run.state != RunState.SKIPPED
        else {
            "first": rfc3339(run.skipped_first),
            "last": rfc3339(run.scheduled_for),
            "count": run.skipped_count,
        },
    }


_INSTANTS = frozenset(("scheduledFor", "first", "last"))
"""Keys of an event's data that hold slots, stored as microseconds."""


def event_view(event: Event, *, identity: str | None = None) -> View:
    """One change. `identity` is `project/name` of the event's job, when the caller knows it."""
    return {
        "id": event.id,
        "time": rfc3339(event.at),
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "job": identity,
        "run": event.run_id,
        "data": {
            key: rfc3339(value) if key in _INSTANTS and isinstance(value, int) else value
            for key, value in event.data.items()
        },
    }


def source_view(source: SourceState | None) -> View:
    """The last look at the specs directory; all null before the first."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Source",
        "root": source.root if source else None,
        "revision": source.revision if source else None,
        "scannedAt": rfc3339(source.scanned_at) if source else None,
        "files": source.files if source else None,
        "jobs": source.jobs if source else None,
        "invalid": source.invalid if source else None,
        "problem": source.problem if source else None,
        "pruneBlocked": list(source.prune_blocked) if source else [],
        "diagnostics": [dict(finding) for finding in source.diagnostics] if source else [],
    }
