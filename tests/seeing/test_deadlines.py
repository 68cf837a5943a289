"""By when a job must have succeeded: the instant one alert rule compares with now."""

from __future__ import annotations

from typing import Any

import pytest

from state.records import Health
from status.deadline import DEFAULT_SLACK, read_spec, schedule_of, success_deadline
from tests.seeing.building import HOUR, MINUTE, NINE, SECOND, record_of

HOURLY = {"schedule": "@hourly"}
TEN, ELEVEN, NOON = NINE + HOUR, NINE + 2 * HOUR, NINE + 3 * HOUR

ROWS: list[tuple[str, dict[str, Any], int | None]] = [
    ("never ran: the first slot and an hour", {"spec": HOURLY}, TEN + DEFAULT_SLACK),
    ("a timeout says how long a run may take", {"spec": HOURLY | {"timeout": "5m"}}, TEN + 5 * MINUTE + 10 * SECOND),
    ("with its grace", {"spec": HOURLY | {"timeout": "5m", "grace": "1m"}}, TEN + 6 * MINUTE),
    ("after a success, the slot after it", {"spec": HOURLY, "last_success_at": TEN + MINUTE, "cursor_at": TEN,
     "next_at": ELEVEN}, ELEVEN + DEFAULT_SLACK),
    ("failures do not move it", {"spec": HOURLY, "last_success_at": TEN + MINUTE, "cursor_at": NOON,
     "next_at": NOON + HOUR, "health": Health.FAILING}, ELEVEN + DEFAULT_SLACK),
    ("slots that were missed do not move it", {"spec": HOURLY, "cursor_at": NOON, "next_at": NOON + HOUR},
     TEN + DEFAULT_SLACK),
    ("an edit starts anew", {"spec": HOURLY, "applied_at": NOON, "last_success_at": TEN, "cursor_at": NOON,
     "next_at": NOON + HOUR}, NOON + HOUR + DEFAULT_SLACK),
    ("a resume starts anew", {"spec": HOURLY, "last_success_at": TEN, "resumed_at": NOON + MINUTE, "cursor_at": NOON,
     "next_at": NOON + HOUR}, NOON + HOUR + DEFAULT_SLACK),
    ("a success after the resume counts", {"spec": HOURLY, "last_success_at": TEN + MINUTE, "resumed_at": TEN,
     "cursor_at": TEN, "next_at": ELEVEN}, ELEVEN + DEFAULT_SLACK),
    ("manual: nothing is expected", {}, None),
    ("at boot: nothing is expected", {"spec": {"schedule": "@reboot"}}, None),
    ("suspended: nothing is expected", {"spec": HOURLY, "suspended_at": NINE}, None),
    ("archived: nothing is expected", {"spec": HOURLY, "archived_at": NINE}, None),
    ("a one-shot to come", {"spec": {"schedule": "2026-11-21T10:00:00Z"}}, TEN + DEFAULT_SLACK),
    ("a one-shot that was done", {"spec": {"schedule": "2026-11-21T10:00:00Z"}, "last_success_at": TEN + MINUTE,
     "cursor_at": TEN, "next_at": None}, None),
    ("a one-shot that failed stays overdue", {"spec": {"schedule": "2026-11-21T10:00:00Z"}, "cursor_at": TEN,
     "next_at": None}, TEN + DEFAULT_SLACK),
]  # fmt: skip


@pytest.mark.parametrize(("record", "deadline"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_deadline_is_the_first_slot_after_the_last_success_and_what_a_run_may_take(
    record: dict[str, Any], deadline: int | None
) -> None:
    job = record_of(**record)
    assert success_deadline(job, read_spec(job.spec), schedule_of(job)) == deadline


def test_a_schedule_that_no_longer_compiles_expects_nothing() -> None:
    job = record_of(spec=HOURLY)
    assert success_deadline(job, read_spec(job.spec), None) is None
