"""When a callback is tried again: the schedule of the standard, the receiver's wishes, and an end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.outbox.records import DeliveryState
from status.notify.callbacks.answer import Answer
from status.notify.callbacks.retrying import outcome_of, retry_after, wait

SECOND = 1_000_000
NOW = 1_795_000_000 * SECOND
"""2026-11-18T11:06:40Z."""
FAILED = Answer(500, "answered 500")
SCHEDULE = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600]
"""Of the standard, written out anew: after the first attempt, which is made at once."""


@pytest.mark.parametrize(("attempt", "seconds"), list(enumerate(SCHEDULE, start=1)))
def test_each_wait_is_that_of_the_standard_and_a_tenth_more_at_most(attempt: int, seconds: int) -> None:
    waits = {wait(f"run_{index}", attempt) for index in range(50)}
    assert seconds * SECOND <= min(waits)
    assert max(waits) <= seconds * 1.1 * SECOND
    assert len(waits) > 40  # those that failed together do not come back together


def test_the_tenth_attempt_is_the_last() -> None:
    at, attempt = NOW, 1
    while (outcome := outcome_of("run_1", attempt, FAILED, ended_at=at)).state is DeliveryState.PENDING:
        assert outcome.next_attempt_at is not None
        assert outcome.reason == "answered 500"
        at, attempt = outcome.next_attempt_at, attempt + 1
    assert (attempt, outcome.state, outcome.reason) == (10, DeliveryState.FAILED, "answered 500; 10 attempts were made")
    assert sum(SCHEDULE) * SECOND <= at - NOW <= sum(SCHEDULE) * 1.1 * SECOND


def test_the_same_delivery_waits_the_same() -> None:
    assert wait("run_1", 3) == wait("run_1", 3) != wait("run_2", 3)


def test_what_arrived_is_delivered() -> None:
    assert outcome_of("run_1", 3, Answer(204), ended_at=NOW).state is DeliveryState.DELIVERED


def test_gone_is_the_end_at_the_first_attempt() -> None:
    outcome = outcome_of("run_1", 1, Answer(410, "answered 410"), ended_at=NOW)
    assert (outcome.state, outcome.next_attempt_at, outcome.reason) == (DeliveryState.FAILED, None, "answered 410")


@pytest.mark.parametrize(
    ("attempt", "wish", "least", "most"),
    [
        pytest.param(1, 120, 120, 132, id="longer than the schedule: as asked"),
        pytest.param(4, 1, 7200, 7920, id="shorter: the schedule"),
        pytest.param(1, 10**9, 86_400, 95_040, id="a day at most"),
        pytest.param(9, 10**9, 86_400, 95_040, id="a day at most, also at the end"),
    ],
)
def test_a_receiver_may_ask_for_more_time(attempt: int, wish: float, least: int, most: int) -> None:
    outcome = outcome_of("run_1", attempt, Answer(429, "answered 429", wish), ended_at=NOW)
    assert outcome.next_attempt_at is not None
    assert least * SECOND <= outcome.next_attempt_at - NOW <= most * SECOND


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("120", 120, id="seconds"),
        pytest.param(" 0 ", 0, id="at once"),
        pytest.param("99999999999999999999", 86_400, id="for ever: a day"),
        pytest.param("Wed, 18 Nov 2026 11:08:40 GMT", 120, id="a date"),
        pytest.param("Wednesday, 18-Nov-26 11:08:40 GMT", 120, id="a date of RFC 850"),
        pytest.param("Wed Nov 18 11:08:40 2026", 120, id="a date of asctime"),
        pytest.param("Wed, 18 Nov 2026 11:00:00 GMT", 0, id="a date that has passed"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 86_400, id="a date far away: a day"),
        pytest.param("Thu, 01 Jan 0001 00:00:00 GMT", 0, id="a date long ago"),
        pytest.param("-5", None, id="below nothing"),
        pytest.param("1.5", None, id="no whole seconds"),
        pytest.param("soon", None, id="a word"),
        pytest.param("", None, id="nothing"),
        pytest.param("１２０", None, id="digits of another script"),
        pytest.param("Wed, 99 Nov 2026 11:08:40 GMT", None, id="no date"),
    ],
)
def test_what_retry_after_asks_for(value: str, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_header_breaks_the_reader(value: str) -> None:
    found = retry_after(value, now=NOW)
    assert found is None or 0 <= found <= 86_400
