"""When a job starts next, several times over: `/api/v1/jobs/{job}/status`. Called by `status.api`, in a thread."""

from __future__ import annotations

from itertools import islice

from specs.schedule import ScheduleError, compile_schedule
from state.reads import Reader
from state.records import JobRecord
from status.calendars import calendars_of, compile_calendars
from status.deadline import read_policy, read_spec
from status.phase import suspension_of
from status.picture.board import JobEntry
from status.timing import timing_of
from status.views import View
from status.words.instants import rfc3339


def next_starts(reader: Reader, entry: JobEntry, *, now: int, timezone: str, number: int) -> View:
    """`nextRuns`: slot and start of each, as `nextRun`; empty where none is known: suspended, archived, complete.

    Of a job that starts a while after its run before ended only the first is known, and none while it runs.

    Args:
        timezone: of jobs that name none.
        number: at most so many.
    """
    record = reader.job_by_id(entry.job_id)
    slots = [] if record is None else _slots(reader, record, now, timezone, number)
    return {"nextRuns": [{"scheduledFor": rfc3339(slot), "startsAt": rfc3339(start)} for slot, start in slots]}


def _slots(reader: Reader, record: JobRecord, now: int, timezone: str, number: int) -> list[tuple[int, int]]:
    if record.archived_at is not None or record.completed_at is not None or suspension_of(record) is not None:
        return []
    try:
        schedule = compile_schedule(read_spec(record.spec), default_timezone=timezone)
    except ScheduleError:
        return []
    if schedule.from_finish is not None:
        return [] if record.active_runs or record.next_at is None else [(record.next_at, record.next_at)]
    policy = read_policy(record.spec, timezone)
    calendars = None
    if policy.calendars:
        calendars = calendars_of(policy, compile_calendars(reader.documents("Calendar"), default_timezone=timezone))
    return list(islice(timing_of(record, schedule, policy).runs_after(now, calendars), number))
