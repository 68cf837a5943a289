"""Whether an end is tried again, and when: the delays as numbers, and jitter as a property."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.retrying import delay_after, next_attempt_at
from specs.policy import PLAIN, Backoff, RetryPolicy
from state.records import TERMINAL_STATES, Reason, Run, RunState, Trigger
from tests.deciding.driving import SECOND, THE_HOUR

RETRY = RetryPolicy(
    attempts=3, backoff="fixed", delay=10 * SECOND, max_delay=300 * SECOND, jitter=0.0,
    on=frozenset({"failed", "expired", "lost"}), exit_codes=None,
)  # fmt: skip
POLICY = replace(PLAIN, retry=RETRY)
FAILED = Run(
    id="r", job_id=1, project="default", job="a", generation=1, digest="", revision=None, trigger=Trigger.SCHEDULE,
    scheduled_for=THE_HOUR, state=RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=1, created_at=THE_HOUR,
    finished_at=THE_HOUR,
)  # fmt: skip


@pytest.mark.parametrize(
    ("backoff", "seconds"),
    [
        pytest.param("fixed", [10, 10, 10, 10, 10, 10, 10], id="fixed"),
        pytest.param("linear", [10, 20, 30, 40, 50, 60, 70], id="linear"),
        pytest.param("exponential", [10, 20, 40, 80, 160, 300, 300], id="exponential"),
    ],
)
def test_the_delays(backoff: Backoff, seconds: list[int]) -> None:
    retry = replace(RETRY, backoff=backoff)
    assert [delay_after(retry, attempt, "r") // SECOND for attempt in range(1, 8)] == seconds


def test_a_hundredth_attempt_overflows_nothing() -> None:
    assert delay_after(replace(RETRY, backoff="exponential"), 100, "r") == 300 * SECOND


def test_a_delay_that_is_longer_than_its_limit_is_meant() -> None:
    assert delay_after(replace(RETRY, delay=600 * SECOND), 1, "r") == 600 * SECOND


@given(
    seed=st.text(max_size=30), attempt=st.integers(1, 100), jitter=st.floats(0, 1),
    backoff=st.sampled_from(["fixed", "linear", "exponential"]), delay=st.integers(1, 10**10),
    most=st.integers(1, 10**11),
)  # fmt: skip
@settings(max_examples=200, deadline=None, derandomize=True)
def test_jitter_stays_within_its_share_and_never_before_the_end(
    seed: str, attempt: int, jitter: float, backoff: Backoff, delay: int, most: int
) -> None:
    retry = replace(RETRY, backoff=backoff, delay=delay, max_delay=most, jitter=jitter)
    plain = delay_after(replace(retry, jitter=0.0), attempt, seed)
    found = delay_after(retry, attempt, seed)
    assert found >= 0
    assert abs(found - plain) <= plain * jitter + 1
    assert delay_after(retry, attempt, seed) == found, "the same after a crash"


@pytest.mark.parametrize(
    ("run", "policy", "again"),
    [
        pytest.param(FAILED, POLICY, True, id="failed"),
        pytest.param(FAILED, PLAIN, False, id="without-a-policy"),
        pytest.param(replace(FAILED, attempt=2), POLICY, True, id="the-second-of-three"),
        pytest.param(replace(FAILED, attempt=3), POLICY, False, id="the-last"),
        pytest.param(replace(FAILED, state=RunState.EXPIRED, reason=Reason.TIMEOUT), POLICY, True, id="expired"),
        pytest.param(replace(FAILED, reason=Reason.LOST), POLICY, True, id="lost"),
        pytest.param(
            replace(FAILED, reason=Reason.LOST), replace(PLAIN, retry=replace(RETRY, on=frozenset({"failed"}))), False,
            id="lost-is-not-failed",
        ),
        pytest.param(replace(FAILED, reason=Reason.LOST), replace(PLAIN, rerun_lost=True), True, id="rerun"),
        pytest.param(
            replace(FAILED, reason=Reason.LOST, attempt=50), replace(POLICY, rerun_lost=True), True,
            id="rerun-whatever-retry-says",
        ),
        pytest.param(replace(FAILED, reason=Reason.DEPENDENCY), POLICY, False, id="a-failure-upstream-is-final"),
        pytest.param(replace(FAILED, state=RunState.CANCELLED, reason=Reason.LOST), replace(PLAIN, rerun_lost=True),
                     False, id="cancelled-and-lost"),
    ],
)  # fmt: skip
def test_which_ends_are_tried_again(run: Run, policy: object, again: bool) -> None:
    assert (next_attempt_at(policy, run) is not None) is again  # type: ignore[arg-type]


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_only_what_did_not_succeed_is_tried_again(state: RunState) -> None:
    found = next_attempt_at(POLICY, replace(FAILED, state=state))
    assert (found is not None) is (state in (RunState.FAILED, RunState.EXPIRED))
