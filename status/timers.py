"""When jobs start next, and of those that start nothing by themselves: why. Shape of `jobsctl timers`, as kubectl's.

Called by the command line; HTTP can serve the same. Pure: records in, plain data out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from specs.frozen import frozen
from state.records import JobRecord, Run
from status.phase import Phase, blocked_by, completion_of, first_problem, phase_of, suspension_of
from status.views import API_VERSION, View
from status.words.instants import rfc3339
from status.words.reasons import wait_words


@frozen
class Timer:
    """One job's next start."""

    record: JobRecord
    next_at: int | None
    """Its start, jitter and calendars reckoned in, µs; in the past when it is due. None: nothing by itself."""
    note: str
    """Why there is no next start, or what may keep it from happening; empty when there is nothing to say."""


def timer_of(record: JobRecord, last_run: Run | None = None) -> Timer:
    """The next start of a job.

    Args:
        last_run: the run `record.last_run_id` names: tells what a blocked job waits for.
    """
    suspension = suspension_of(record)
    if record.archived_at is not None:
        return Timer(record, None, "archived: no file names it any more")
    if suspension is not None:
        who = f" by {suspension.by}" if suspension.by else "" if suspension.override else " in its file"
        return Timer(record, None, f"suspended{who}" + (f": {suspension.reason}" if suspension.reason else ""))
    if record.active_runs and _follows_its_run(_fields(record.spec).get("schedule")):
        return Timer(record, None, "its next start depends on when its run ends")
    if record.next_at is None:
        return Timer(record, None, _without_next(record, last_run))
    return Timer(record, record.next_at, _trouble(record) or _waiting(record, last_run))


def _trouble(record: JobRecord) -> str:
    if record.stalled is not None:
        return f"stalled: {record.stalled}"
    problem = first_problem(record)
    return "" if problem is None else f"its file is wrong, the last good version runs: {problem}"


def _waiting(record: JobRecord, last_run: Run | None) -> str:
    """What its run waits for, of a job that is blocked."""
    if phase_of(record) is not Phase.BLOCKED:
        return ""
    run = blocked_by(record, last_run)
    return "blocked" if run is None else f"its run waits for {wait_words(run.reason)}"


def _without_next(record: JobRecord, last_run: Run | None) -> str:
    if record.stalled is not None:
        return _trouble(record)
    if record.completed_at is not None:
        reason, message = completion_of(record)
        return f"complete: {message}" if reason != "NoFurtherInstants" else "complete: no further instants"
    waiting = _waiting(record, last_run)
    if waiting:
        return waiting
    fields = _fields(record.spec)
    schedule = fields.get("schedule")
    upstream = fields.get("depends_on")
    if schedule is None or schedule == "manual":
        return f"starts after {_names(upstream)}" if upstream else "starts when it is triggered"
    if _all_of(schedule, "@reboot"):
        return "starts at the next boot"
    if fields.get("calendar"):
        return "its calendars never let it run"
    return _trouble(record) or "no instant is left"


def _names(upstream: Any) -> str:
    return ", ".join(each if isinstance(each, str) else str(each.get("job")) for each in upstream)


def _all_of(schedule: Any, word: str) -> bool:
    return all(entry == word for entry in (schedule if isinstance(schedule, list) else [schedule]))


def _follows_its_run(schedule: Any) -> bool:
    """`continuous`, `every 1h from finish`, and their long forms: what is stored as the next start is not, yet."""
    if isinstance(schedule, str):
        return schedule == "continuous" or schedule.endswith("from finish")
    return isinstance(schedule, dict) and bool(schedule.get("continuous") or schedule.get("from"))


def _fields(spec: bytes) -> Mapping[str, Any]:
    """Of canonical JSON; none where it is damaged: one job must not hide the others."""
    try:
        fields = orjson.loads(spec)
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


def timer_view(timer: Timer, words: str) -> View:
    """A timer. Says instants, not ages. `words`: the schedule's."""
    record = timer.record
    return {
        "apiVersion": API_VERSION,
        "kind": "Timer",
        "job": record.identity,
        "project": record.project,
        "name": record.name,
        "phase": phase_of(record).value,
        "next": rfc3339(timer.next_at),
        "last": rfc3339(record.last_started_at),
        "lastRun": record.last_run_id,
        "lastState": None if record.last_run_state is None else record.last_run_state.value,
        "schedule": words,
        "note": timer.note or None,
    }
