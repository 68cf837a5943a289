"""Whether other jobs have done their part: the rule of freshness in a table, and each success used once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.depend import asked, latest_successes
from reconciler.observed import Observed
from specs.dependency import Answer, UpstreamState
from specs.policy import PLAIN, DependencyFailure, Policy, Upstream
from tests.deciding.driving import SECOND, THE_HOUR

MINUTE = 60 * SECOND
NOW = THE_HOUR
UP = "default/up"
NOTHING = Observed(cursor_at=NOW, anchor_at=0, active=0)


def minute(number: int) -> int:
    """`number` minutes before now."""
    return NOW - number * MINUTE


def policy(*upstream: Upstream, failure: DependencyFailure = "wait") -> Policy:
    return replace(PLAIN, depends_on=upstream or (Upstream(UP, None),), on_dependency_failure=failure)


def success(at: int) -> UpstreamState:
    return UpstreamState(success_id="s", success_at=at, end_id="s", end_at=at)


def failure(at: int, *, before: int | None = None) -> UpstreamState:
    return UpstreamState(
        success_id=None if before is None else "s", success_at=before, end_id="f", end_at=at, failed=True
    )


@pytest.mark.parametrize(
    ("given_policy", "state", "consumed", "expected", "run_id"),
    [
        pytest.param(policy(), None, None, Answer.WAIT, None, id="a-job-that-is-not-known"),
        pytest.param(policy(), UpstreamState(), None, Answer.WAIT, None, id="it-never-ran"),
        pytest.param(policy(), success(minute(5)), None, Answer.READY, "s", id="it-has-succeeded"),
        pytest.param(policy(), success(minute(5)), minute(5), Answer.WAIT, None, id="that-success-was-used"),
        pytest.param(policy(), success(minute(5)), minute(6), Answer.READY, "s", id="it-succeeded-since"),
        pytest.param(policy(), success(minute(5)), minute(4), Answer.WAIT, None, id="a-later-one-was-used"),
        pytest.param(
            policy(Upstream(UP, 5 * MINUTE)), success(minute(5)), minute(5), Answer.READY, "s", id="used-but-young"
        ),
        pytest.param(
            policy(Upstream(UP, 4 * MINUTE)), success(minute(5)), minute(5), Answer.WAIT, None, id="used-and-old"
        ),
        pytest.param(
            policy(Upstream(UP, 4 * MINUTE)), success(minute(5)), minute(6), Answer.READY, "s", id="old-but-never-used"
        ),
        pytest.param(policy(), failure(minute(5)), None, Answer.WAIT, None, id="wait-after-a-failure"),
        pytest.param(policy(failure="fail"), failure(minute(5)), None, Answer.FAILED, "f", id="fail-after-a-failure"),
        pytest.param(policy(failure="run"), failure(minute(5)), None, Answer.READY, "f", id="run-after-a-failure"),
        pytest.param(
            policy(failure="fail"), failure(minute(5)), minute(5), Answer.WAIT, None, id="a-failure-is-followed-once"
        ),
        pytest.param(
            policy(failure="fail"), failure(minute(5), before=minute(9)), minute(9), Answer.FAILED, "f",
            id="the-success-before-the-failure-was-used",
        ),
        pytest.param(
            policy(failure="fail"), failure(minute(5), before=minute(9)), minute(10), Answer.READY, "s",
            id="the-success-before-the-failure-was-not-used",
        ),
        pytest.param(
            policy(failure="fail"), replace(failure(minute(5)), failed=False), None, Answer.WAIT, None,
            id="another-attempt-is-coming",
        ),
        pytest.param(
            policy(), success(minute(5)), NOW + 24 * 60 * MINUTE, Answer.READY, "s", id="used-in-a-time-that-is-no-more"
        ),
        pytest.param(
            policy(), success(NOW + 24 * 60 * MINUTE), NOW + 24 * 60 * MINUTE, Answer.WAIT, None,
            id="nor-is-there-a-new-one",
        ),
        pytest.param(
            policy(), success(minute(5)), NOW + 60 * MINUTE, Answer.WAIT, None, id="an-hour-back-is-no-other-time"
        ),
    ],
)  # fmt: skip
def test_one_dependency(
    given_policy: Policy, state: UpstreamState | None, consumed: int | None, expected: Answer, run_id: str | None
) -> None:
    observed = replace(
        NOTHING, upstream={} if state is None else {UP: state}, consumed={} if consumed is None else {UP: consumed}
    )
    verdict = asked(given_policy, observed, NOW, scheduled=True)
    assert (verdict.answer, verdict.upstream.get(UP)) == (expected, run_id)
    assert bool(verdict.message) is (expected is not Answer.READY)


def test_a_success_from_before_the_job_was_there_starts_it_only_at_a_slot_of_its_own() -> None:
    observed = replace(NOTHING, upstream={UP: success(minute(5))}, fresh_since=minute(4))
    assert asked(policy(), observed, NOW, scheduled=False).answer is Answer.WAIT
    assert asked(policy(), observed, NOW, scheduled=True).answer is Answer.READY


def test_the_worst_answer_counts_and_the_message_names_who() -> None:
    both = policy(Upstream("default/a", None), Upstream("default/b", None), failure="fail")
    observed = replace(NOTHING, upstream={"default/b": failure(minute(1))})
    verdict = asked(both, observed, NOW, scheduled=True)
    assert verdict.answer is Answer.FAILED
    assert verdict.message.startswith("default/b has failed (run f)")
    assert "default/a" in verdict.message


def test_what_is_young_alone_is_nothing_new() -> None:
    """A job without slots must not start again and again on one success within its max_age."""
    young = policy(Upstream(UP, 60 * MINUTE))
    observed = replace(NOTHING, upstream={UP: success(minute(5))}, consumed={UP: minute(5)})
    verdict = asked(young, observed, NOW, scheduled=False)
    assert (verdict.answer, verdict.newest) == (Answer.READY, None)


def test_a_run_by_hand_is_told_the_last_successes() -> None:
    both = policy(Upstream("default/a", None), Upstream("default/b", None))
    observed = replace(NOTHING, upstream={"default/a": success(minute(9))}, consumed={"default/a": minute(9)})
    assert latest_successes(both, observed) == {"default/a": "s"}
    assert latest_successes(PLAIN, observed) is None


@given(
    ends=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans()), max_size=40),
    on_failure=st.sampled_from(["wait", "fail", "run"]),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_end_is_followed_twice_and_none_is_kept_waiting_for(
    ends: list[tuple[str, bool]], on_failure: DependencyFailure
) -> None:
    """Independent oracle: for each upstream the ends since the last start. The job starts, or fails, in the moment in
    which each of them has one that counts."""
    names = ["a", "b", "c"]
    given_policy = policy(*(Upstream(name, None) for name in names), failure=on_failure)
    states = {name: UpstreamState() for name in names}
    observed = NOTHING
    since: dict[str, list[tuple[int, bool]]] = {name: [] for name in names}
    used: set[tuple[str, int]] = set()
    for number, (name, good) in enumerate(ends):
        at = minute(1000 - number)
        since[name].append((at, good))
        states[name] = success(at) if good else replace(states[name], end_id="f", end_at=at, failed=True)
        states[name] = replace(states[name], failed=not good)
        observed = replace(observed, upstream=dict(states))
        verdict = asked(given_policy, observed, NOW, scheduled=False)
        ready = {}
        for each in names:
            successes = [when for when, well in since[each] if well]
            failures = [when for when, well in since[each][-1:] if not well]
            if successes:
                ready[each] = successes[-1]
            elif failures and on_failure == "run":
                ready[each] = failures[-1]
        failed = [
            each
            for each in names
            if each not in ready and since[each] and not since[each][-1][1] and on_failure == "fail"
        ]
        expected = Answer.FAILED if failed else Answer.READY if len(ready) == 3 else Answer.WAIT
        assert verdict.answer is expected
        if expected is Answer.WAIT:
            continue
        assert verdict.newest is not None
        for each, when in verdict.follows.items():
            assert (each, when) not in used
            used.add((each, when))
            since[each] = [end for end in since[each] if end[0] > when]
        observed = replace(observed, consumed={**observed.consumed, **verdict.follows})
