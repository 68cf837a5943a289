"""The series of jobs in `/metrics`, as text. Called by `exposition`; samples are made by `status.picture.board`. Pure.

10,000 jobs are 210,000 series. prometheus_client takes a second for them and holds the interpreter all the while; here
the label text of a job is made once, when the job changes, and a scrape only joins: 30 ms. The exposition formats are
Prometheus' text 0.0.4 and OpenMetrics 1.0; they differ in the name of a counter's family.

Rules (traps 4): instants, not ages; a series known in advance is exported from the start, as 0 where 0 is true; what
is not known (no run yet) is left out rather than invented; counters come from stored totals and never go down.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from specs.stored import StoredJob
from state.records import SKIP_REASONS, Health, JobRecord, Reason, Run, RunState
from status.phase import is_ready, suspension_of
from status.views import duration
from status.words.instants import SECOND


@dataclass(frozen=True, slots=True)
class JobSample:
    """What one job's series say. `labels` is the text `project="p",job_name="n"`; instants, durations: seconds."""

    labels: str
    schedule: str
    """Escaped text of the info series: kind, expression and timezone."""
    suspended: int
    suspended_since: float | None
    ready: int
    active_runs: int
    consecutive_failures: int
    generation: int
    next_run: float | None
    last_run: float | None
    last_success: float | None
    last_duration: float | None
    last_run_success: int | None
    deadline: float | None
    timeout: float | None
    succeeded: int
    failed: int
    cancelled: int
    expired: int
    skipped: tuple[int, ...]
    """Slots by reason, in the order of `reasons`."""
    reasons: tuple[Reason, ...] = SKIP_REASONS
    """Those that can occur to the job, or have. All of them for each of 10,000 jobs were 70,000 series of nothing."""


_ALWAYS = (Reason.OVERLAP, Reason.MISSED, Reason.SUSPENDED, Reason.DAEMON_DOWN)
"""Can occur to any job with a schedule."""


def possible_skips(record: JobRecord, job: StoredJob, *, once: bool) -> tuple[Reason, ...]:
    """Why slots of this job may be without a run, as it is declared now, and why some were, as it was declared then."""
    said = job.fields.get
    missed = said("missed")
    found = {reason for reason, count in record.skips.items() if count}
    if job.schedule is not None:
        found.update(_ALWAYS)
    found.update(
        reason
        for reason, declared in (
            (Reason.PAST, once),
            (Reason.POOL, said("pool") is not None),
            (Reason.DEPENDENCY, said("depends_on") is not None),
            (Reason.CALENDAR, said("calendar") is not None),
            (Reason.GRACE, isinstance(missed, dict) and missed.get("grace") is not None),
            (Reason.HORIZON, any(said(name) is not None for name in ("repeat", "until", "end_at"))),
            (Reason.DST_GAP, job.dst.gap == "skip"),
        )
        if declared
    )
    return _in_order(frozenset(found))


@functools.lru_cache(maxsize=1024)
def _in_order(reasons: frozenset[Reason]) -> tuple[Reason, ...]:
    """One tuple for all jobs to which the same can occur."""
    return tuple(reason for reason in SKIP_REASONS if reason in reasons)


def sample_of(
    record: JobRecord,
    job: StoredJob,
    *,
    schedule_kind: str,
    expression: str,
    timezone: str,
    deadline: int | None,
    last_duration: float | None,
) -> JobSample:
    """The sample of a job, from what is stored and its compiled schedule."""
    suspension = suspension_of(record)
    reasons = possible_skips(record, job, once=schedule_kind == "once")
    return JobSample(
        labels=f'project="{record.project}",job_name="{record.name}"',
        schedule=_schedule_text(schedule_kind, expression, timezone),
        suspended=int(suspension is not None),
        suspended_since=None if suspension is None else _seconds(suspension.at),
        ready=int(is_ready(record)),
        active_runs=record.active_runs,
        consecutive_failures=record.consecutive_failures,
        generation=record.generation,
        next_run=None if suspension is not None else _seconds(record.next_at),
        last_run=_seconds(record.last_started_at),
        last_success=_seconds(record.last_success_at),
        last_duration=last_duration,
        last_run_success=None if record.health == Health.UNKNOWN else int(record.health == Health.HEALTHY),
        deadline=_seconds(deadline),
        timeout=job.timeout_seconds(),
        succeeded=record.counts.get(RunState.SUCCEEDED, 0),
        failed=record.counts.get(RunState.FAILED, 0),
        cancelled=record.counts.get(RunState.CANCELLED, 0),
        expired=record.counts.get(RunState.EXPIRED, 0),
        skipped=_shared(tuple([record.skips.get(reason, 0) for reason in reasons])),
        reasons=reasons,
    )


@functools.lru_cache(maxsize=1024)
def _shared(counts: tuple[int, ...]) -> tuple[int, ...]:
    """Most jobs have skipped nothing: one tuple for them."""
    return counts


@functools.lru_cache(maxsize=4096)
def _schedule_text(kind: str, expression: str, timezone: str) -> str:
    """One text for all jobs that share a schedule."""
    return f'kind="{escape(kind)}",schedule="{escape(expression)}",timezone="{escape(timezone)}"'


def last_duration(run: Run | None, before: JobSample | None) -> float | None:
    """Seconds the last run took; while one is running, what was known before it."""
    known = None if run is None else duration(run.started_at, run.finished_at)
    return before.last_duration if known is None and before is not None else known


def _seconds(at: int | None) -> float | None:
    return None if at is None else at / SECOND


def escape(value: str) -> str:
    """A label value: backslash, quote and newline are escaped, nothing else."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name without `_total`, its type, its help, and how to make its lines."""

    name: str
    type: str
    help: str
    lines: Callable[[Sequence[JobSample]], Iterable[str]]


def _gauge(name: str, help: str, value: Callable[[JobSample], float | int | None]) -> Family:
    def lines(samples: Sequence[JobSample]) -> Iterable[str]:
        head = f"{name}{{"
        return [f"{head}{s.labels}}} {v}\n" for s in samples if (v := value(s)) is not None]

    return Family(name, "gauge", help, lines)


def _info(samples: Sequence[JobSample]) -> Iterable[str]:
    return [f"jobsctl_job_info{{{s.labels},{s.schedule}}} 1\n" for s in samples]


def _runs(samples: Sequence[JobSample]) -> Iterable[str]:
    return [
        f'jobsctl_runs_total{{{s.labels},state="succeeded"}} {s.succeeded}\n'
        f'jobsctl_runs_total{{{s.labels},state="failed"}} {s.failed}\n'
        f'jobsctl_runs_total{{{s.labels},state="cancelled"}} {s.cancelled}\n'
        f'jobsctl_runs_total{{{s.labels},state="expired"}} {s.expired}\n'
        for s in samples
    ]


def _skipped(samples: Sequence[JobSample]) -> Iterable[str]:
    return [
        f'jobsctl_slots_skipped_total{{{s.labels},reason="{reason}"}} {count}\n'
        for s in samples
        for reason, count in zip(s.reasons, s.skipped, strict=True)
    ]


FAMILIES: tuple[Family, ...] = (
    Family("jobsctl_job_info", "gauge", "The schedule of the job; always 1.", _info),
    _gauge("jobsctl_job_suspended", "1 when the job is suspended, by its file or by command.", lambda s: s.suspended),
    _gauge(
        "jobsctl_job_suspended_since_timestamp_seconds",
        "Since when the job is suspended; absent when it is not.",
        lambda s: s.suspended_since,
    ),
    _gauge("jobsctl_job_ready", "1 when the job's file is applied and the daemon can act on it.", lambda s: s.ready),
    _gauge("jobsctl_job_active_runs", "Runs that are blocked, pending or running.", lambda s: s.active_runs),
    _gauge(
        "jobsctl_job_consecutive_failures", "Runs that failed since the last success.", lambda s: s.consecutive_failures
    ),
    _gauge(
        "jobsctl_job_generation", "Counts the versions of the job's spec that were applied.", lambda s: s.generation
    ),
    _gauge(
        "jobsctl_job_next_run_timestamp_seconds", "When the next run is due; absent when none is.", lambda s: s.next_run
    ),
    _gauge("jobsctl_job_last_run_timestamp_seconds", "When the last run started.", lambda s: s.last_run),
    _gauge("jobsctl_job_last_success_timestamp_seconds", "When a run last succeeded.", lambda s: s.last_success),
    _gauge(
        "jobsctl_job_last_run_duration_seconds", "How long the last run took that ended.", lambda s: s.last_duration
    ),
    _gauge(
        "jobsctl_job_last_run_success",
        "1 when the last run that ended by itself succeeded, 0 when it failed or expired.",
        lambda s: s.last_run_success,
    ),
    _gauge(
        "jobsctl_job_success_deadline_timestamp_seconds",
        "By when the job must have succeeded; absent when nothing is expected of it.",
        lambda s: s.deadline,
    ),
    _gauge("jobsctl_job_timeout_seconds", "How long a run may take, where the job says so.", lambda s: s.timeout),
    Family("jobsctl_runs", "counter", "Runs that ended, by how.", _runs),
    Family("jobsctl_slots_skipped", "counter", "Scheduled instants that did not become a run.", _skipped),
)


def render_jobs(samples: Sequence[JobSample], *, openmetrics: bool = False) -> Iterator[bytes]:
    """Every family with its HELP and TYPE, in the order of `FAMILIES`; a piece per family, 1 MB for 10,000 jobs."""
    for family in FAMILIES:
        name = family.name if openmetrics or family.type != "counter" else f"{family.name}_total"
        head = f"# HELP {name} {family.help}\n# TYPE {name} {family.type}\n"
        yield (head + "".join(family.lines(samples))).encode()
