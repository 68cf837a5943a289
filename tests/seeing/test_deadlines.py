"""By when a job must have succeeded: the instant one alert rule compares with now."""

from __future__ import annotations

from typing import Any

import pytest

from specs.calendar import Calendars, JobCalendar, compile_calendar
from specs.jitter import stable_offset
from specs.kinds import Calendar
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
    ("every attempt may take its timeout, after its longest delay", {"spec": HOURLY | {"timeout": "5m", "retry": {
        "attempts": 3, "backoff": "exponential", "delay": "1m", "jitter": 0}}},
     TEN + 3 * (5 * MINUTE + 10 * SECOND) + 1 * MINUTE + 2 * MINUTE),
    ("a growing delay is bounded", {"spec": HOURLY | {"timeout": "5m", "retry": {
        "attempts": 4, "backoff": "linear", "delay": "1m", "max_delay": "2m", "jitter": 0.5}}},
     TEN + 4 * (5 * MINUTE + 10 * SECOND) + round(1.5 * (1 + 2 + 2) * MINUTE)),
    ("without a timeout the hour is for all attempts", {"spec": HOURLY | {"retry": {
        "attempts": 3, "delay": "1m", "jitter": 0}}}, TEN + DEFAULT_SLACK + 2 * MINUTE),
    ("jitter moves it", {"spec": HOURLY | {"jitter": "30m"}},
     TEN + stable_offset("default/hello", 30 * MINUTE) + DEFAULT_SLACK),
    ("before start_at nothing is expected", {"spec": HOURLY | {"start_at": "2026-11-21T11:30:00Z"},
     "next_at": NOON}, NOON + DEFAULT_SLACK),
    ("after end_at nothing is expected", {"spec": HOURLY | {"end_at": "2026-11-21T10:30:00Z"},
     "last_success_at": TEN + MINUTE, "cursor_at": TEN, "next_at": None}, None),
    ("a complete job expects nothing more", {"spec": HOURLY | {"repeat": 1}, "last_success_at": TEN + MINUTE,
     "completed_at": TEN + MINUTE, "cursor_at": TEN, "next_at": None, "repeat_done": 1}, None),
    ("a complete job whose last run failed stays overdue", {"spec": HOURLY | {"repeat": 1},
     "completed_at": TEN + MINUTE, "cursor_at": TEN, "next_at": None, "repeat_done": 1}, TEN + DEFAULT_SLACK),
    ("after other jobs only: nothing is expected", {"spec": {"depends_on": ["extract"]}}, None),
    ("continuous: nothing is expected", {"spec": {"schedule": {"continuous": True}}}, None),
    ("calendars not at hand: no false alarm", {"spec": HOURLY | {"calendar": "holidays"}}, None),
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


@pytest.mark.parametrize(
    ("action", "start"),
    [pytest.param("skip", NOON, id="dropped slots are not expected"),
     pytest.param("defer", TEN + 90 * MINUTE, id="a deferred one is, later")],
)  # fmt: skip
def test_a_calendar_decides_which_slot_is_expected(action: str, start: int) -> None:
    calendar = Calendar.model_validate(
        {"kind": "Calendar", "name": "holidays", "windows": [{"to": "11:30"}], "action": action}
    )
    calendars = Calendars((JobCalendar("holidays", "block", calendar.action, compile_calendar(calendar, "UTC")),))
    job = record_of(spec=HOURLY | {"calendar": "holidays"})
    found = success_deadline(job, read_spec(job.spec), schedule_of(job), calendars=calendars)
    assert found == start + DEFAULT_SLACK
