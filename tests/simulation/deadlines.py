"""By when each job must have succeeded, told once more: what the one alert rule for missed jobs is built on.

The rule, of docs/http.md: the start of the first slot after the last success (the edit, the resume), plus what all
its attempts may take. Slots are the oracle's. Jobs with calendars are left to tests/seeing.
"""

from __future__ import annotations

from state.records import JobRecord
from status.deadline import read_spec, schedule_of, success_deadline
from tests.simulation.clock import SECOND
from tests.simulation.ledger import Ledger, Violation, shown
from tests.simulation.policy import fields_of, horizon, shift_of, suspended

AN_HOUR = 3600.0


def check(ledger: Ledger, record: JobRecord) -> None:
    """Raises Violation."""
    if ledger.together or fields_of(record.spec).get("calendar"):
        return
    told = success_deadline(record, read_spec(record.spec), schedule_of(record))
    wanted = _deadline(ledger, record)
    if told != wanted:
        raise Violation("deadlines are right", f"{ledger.name}: {shown(told)} told, it is {shown(wanted)}")


def _deadline(ledger: Ledger, record: JobRecord) -> int | None:
    if record.archived_at is not None or suspended(record.spec, record.suspended_at is not None):
        return None
    begin, end = horizon(record.spec)
    since = max(record.applied_at, record.last_success_at or 0, record.resumed_at or 0, (begin or 0) - 1)
    slot = ledger.times.next_after(since, record.anchor_at)
    if slot is None or (end is not None and slot > end):
        return None
    if record.completed_at is not None and slot > record.completed_at:
        return None
    return slot + shift_of(record.spec) + round(_seconds(record.spec) * SECOND)


def _seconds(spec: bytes) -> float:
    """What the attempts of one slot may take together, with the longest delays between them."""
    fields = fields_of(spec)
    retry, timeout = fields.get("retry") or {"attempts": 1}, fields["timeout"]
    attempts = retry["attempts"]
    total = AN_HOUR if timeout == "none" else (timeout + fields["grace"]) * attempts
    for attempt in range(1, attempts):
        growth = {"fixed": 1, "linear": attempt, "exponential": 2 ** (attempt - 1)}[retry["backoff"]]
        delay = min(retry["delay"] * growth, max(retry["max_delay"], retry["delay"]))
        total += delay * (1 + retry["jitter"])
    return float(total)
