"""By when a job must have succeeded, so that one alert rule (`time() > deadline`) catches every job that did not run.

Called by `status.views` and `status.metrics.exposition`. Pure.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from specs.policy import PLAIN, Policy, RetryPolicy, policy_of
from specs.schedule import Schedule, ScheduleError, compile_schedule
from specs.stored import StoredDst, StoredJob, Unreadable
from state.records import JobRecord
from status.phase import suspension_of
from status.timing import timing_of
from status.words.instants import SECOND

if TYPE_CHECKING:
    from specs.calendar import Calendars  # 10 ms that most commands need not pay

DEFAULT_SLACK = 3600 * SECOND
"""Time a run without timeout may take before its success is overdue; healthchecks' default grace, an hour."""


_UNREADABLE = StoredJob(
    fields={"description": "(its stored spec is of no use to this version)"},
    project="default",
    name="unreadable",
    schedule=None,
    dst=StoredDst(),
)


@functools.lru_cache(maxsize=64)
def read_spec(spec: bytes) -> StoredJob:
    """The job of canonical bytes. A few are kept: everything that is made of one record asks within microseconds.

    Bytes of no use (damaged, of another version) are a job without a schedule: one must not hide all the others.
    """
    try:
        return StoredJob.of(spec)
    except Unreadable:
        return _UNREADABLE


def schedule_of(record: JobRecord, *, default_timezone: str = "UTC") -> Schedule | None:
    """The compiled schedule; None when what was sound when stored is not any more (a zone left the tz database)."""
    try:
        return compile_schedule(read_spec(record.spec), default_timezone=default_timezone)
    except ScheduleError:
        return None


@functools.lru_cache(maxsize=64)
def read_policy(spec: bytes, default_timezone: str = "UTC") -> Policy:
    """The policies of canonical bytes, as plain numbers; those of a job that says nothing when a zone is gone."""
    try:
        return policy_of(read_spec(spec).fields, default_timezone=default_timezone)
    except (ScheduleError, KeyError, TypeError, AttributeError):
        return PLAIN


def success_deadline(
    record: JobRecord,
    job: StoredJob,
    schedule: Schedule | None,
    *,
    calendars: Calendars | None = None,
    default_timezone: str = "UTC",
) -> int | None:
    """The start of the first slot after the last success, plus what a run may take, retries included.

    Before the first success, after an edit and after a resume, slots count from then. A slot starts at its instant and
    its jitter, or when a calendar that defers it lets it; one that a calendar drops is not expected. A run may take its
    timeout and grace, else an hour; every attempt that `retry` allows may take as long, after the longest delay: a job
    that is still being tried is not overdue. Without a timeout the hour is for all attempts together.

    None when nothing is expected: no slots (manual, `@reboot`, `continuous`, after other jobs), suspended, archived,
    complete, no slot left. It stays where it is while runs fail, so it passes; it moves when one succeeds.

    Args:
        calendars: those the job names; None although it names some: nothing is expected, rather than a false alarm.
        default_timezone: of the daemon's config.
    """
    if schedule is None or record.archived_at is not None or suspension_of(record) is not None:
        return None
    policy = read_policy(record.spec, default_timezone)
    if policy.calendars and calendars is None:
        return None
    timing = timing_of(record, schedule, policy)
    since = max(record.applied_at, record.last_success_at or 0, record.resumed_at or 0)
    plain = calendars is None and not (policy.spread or policy.random)
    if plain and record.next_at is not None and record.cursor_at <= since < record.next_at:
        found: tuple[int, int] | None = (record.next_at, record.next_at)  # what the daemon found need not be searched
    else:
        found = timing.next_run(since, calendars)
    if found is None or (record.completed_at is not None and found[0] > record.completed_at):
        return None
    start = found[1]
    return start + _allowance(job, policy)


def _allowance(job: StoredJob, policy: Policy) -> int:
    """How long after its start a slot may succeed."""
    timeout, retry = job.timeout_seconds(), policy.retry
    once = DEFAULT_SLACK if timeout is None else round((timeout + job.grace) * SECOND)
    if retry is None:
        return once
    delays = sum(_longest_delay(retry, attempt) for attempt in range(1, retry.attempts))
    attempts = 1 if timeout is None else retry.attempts
    return once * attempts + round(delays * (1 + retry.jitter))


def _longest_delay(retry: RetryPolicy, attempt: int) -> int:
    """After attempt `attempt`, before its jitter; as `reconciler.retrying` reckons it."""
    factor = {"fixed": 1, "linear": attempt, "exponential": 1 << min(attempt - 1, 40)}[retry.backoff]
    return min(retry.delay * factor, max(retry.max_delay, retry.delay))
