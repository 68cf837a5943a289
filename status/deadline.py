"""By when a job must have succeeded, so that one alert rule (`time() > deadline`) catches every job that did not run.

Called by `status.views` and `status.metrics`. Pure.
"""

from __future__ import annotations

import functools

from specs.model import Job
from specs.schedule import Schedule, ScheduleError, compile_schedule
from state.records import JobRecord
from status.instants import SECOND
from status.phase import suspension_of

DEFAULT_SLACK = 3600 * SECOND
"""Time a run without timeout may take before its success is overdue; healthchecks' default grace, an hour."""


@functools.lru_cache(maxsize=64)
def read_spec(spec: bytes) -> Job:
    """The job of canonical bytes. A few are kept: everything that is made of one record asks within microseconds."""
    return Job.from_canonical(spec)


def schedule_of(record: JobRecord, *, default_timezone: str = "UTC") -> Schedule | None:
    """The compiled schedule; None when what was sound when stored is not any more (a zone left the tz database)."""
    try:
        return compile_schedule(read_spec(record.spec), default_timezone=default_timezone)
    except ScheduleError:
        return None


def success_deadline(record: JobRecord, job: Job, schedule: Schedule | None) -> int | None:
    """The first slot after the last success, plus what a run may take: its timeout and grace, else an hour.

    Before the first success, after an edit and after a resume, slots count from then. None when nothing is
    expected: manual, `@reboot`, suspended, archived, or no slot left. It stays where it is while runs fail, so it
    passes; it moves when one succeeds.
    """
    if schedule is None or record.archived_at is not None or suspension_of(record) is not None:
        return None
    since = max(record.applied_at, record.last_success_at or 0, record.resumed_at or 0)
    if record.next_at is not None and record.cursor_at <= since < record.next_at:
        slot: int | None = record.next_at  # nothing lies between the watermark and the next slot: no search needed
    else:
        slot = schedule.next_after(since, anchor=record.anchor_at)
    if slot is None:
        return None
    timeout = job.timeout_seconds()
    slack = DEFAULT_SLACK if timeout is None else round((timeout + job.grace) * SECOND)
    return slot + slack
