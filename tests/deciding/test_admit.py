"""Which runs are wanted, by every overlap policy in every state; and which may start, by what holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.admit import Placing, place, walk
from reconciler.observed import Observed, PoolState, Waiting
from reconciler.plan import Action, EndRun, FailRun, KeepWaiting, ReleaseRun, StartRun, StopRun, WaitRun
from specs.dependency import UpstreamState
from specs.policy import PLAIN, Overlap, Policy, Upstream
from state.records import Reason, Trigger
from tests.deciding.driving import SECOND, THE_HOUR

MINUTE = 60 * SECOND
NOW = THE_HOUR
IDLE = Observed(cursor_at=NOW, anchor_at=0, active=0, identity="default/job")


def policy(**fields: object) -> Policy:
    return replace(PLAIN, **fields)  # type: ignore[arg-type]


def new(slot: int | None = NOW, trigger: Trigger = Trigger.SCHEDULE, not_before: int | None = None) -> Waiting:
    return Waiting(run_id="", slot=slot, attempt=1, trigger=trigger, created_at=NOW, reason=Reason.DUE,
                   not_before=not_before)  # fmt: skip


def waits(reason: Reason, *, run_id: str = "w", attempt: int = 1, slot: int | None = NOW - 10 * MINUTE,
          not_before: int | None = None, trigger: Trigger = Trigger.SCHEDULE) -> Waiting:  # fmt: skip
    return Waiting(run_id=run_id, slot=slot, attempt=attempt, trigger=trigger, created_at=NOW - 10 * MINUTE,
                   reason=reason, not_before=not_before)  # fmt: skip


BACKOFF = waits(Reason.BACKOFF, attempt=2, not_before=NOW + MINUTE, trigger=Trigger.RETRY)
QUEUED = waits(Reason.OVERLAP)
FOR_POOL = waits(Reason.POOL)
FOR_OTHERS = waits(Reason.DEPENDENCY)
DEFERRED = waits(Reason.CALENDAR, not_before=NOW + MINUTE)

STATES: dict[str, Observed] = {
    "idle": IDLE,
    "active": replace(IDLE, active=1, running=("r",)),
    "active-and-queued": replace(IDLE, active=1, running=("r",), waiting=(QUEUED,)),
    "backoff": replace(IDLE, waiting=(BACKOFF,)),
    "pool": replace(IDLE, waiting=(FOR_POOL,)),
    "dependency": replace(IDLE, waiting=(FOR_OTHERS,)),
    "calendar": replace(IDLE, waiting=(DEFERRED,)),
    "two-active": replace(IDLE, active=2, running=("r", "s")),
}
MATRIX: dict[Overlap, dict[str, str]] = {
    "skip": {
        "idle": "taken", "active": "overlap", "active-and-queued": "overlap", "backoff": "taken -w:superseded",
        "pool": "pool", "dependency": "dependency", "calendar": "calendar", "two-active": "overlap",
    },
    "queue": {
        "idle": "taken", "active": "taken", "active-and-queued": "overlap", "backoff": "taken", "pool": "pool",
        "dependency": "dependency", "calendar": "calendar", "two-active": "taken",
    },
    "replace": {
        "idle": "taken", "active": "taken x:r", "active-and-queued": "taken x:r -w:overlap",
        "backoff": "taken -w:superseded", "pool": "pool", "dependency": "dependency",
        "calendar": "calendar", "two-active": "taken x:r x:s",
    },
    "allow": {
        "idle": "taken", "active": "taken", "active-and-queued": "overlap", "backoff": "taken", "pool": "taken",
        "dependency": "taken", "calendar": "taken", "two-active": "overlap",
    },
}  # fmt: skip
"""Of `allow` with two at once."""


def told(placing: Placing) -> str:
    words = ["taken"] if placing.taken else [placing.refused[0][1].value]
    for action in placing.actions:
        match action:
            case StopRun(run_id):
                words.append(f"x:{run_id}")
            case EndRun(run_id, _, reason):
                words.append(f"-{run_id}:{reason}")
    return " ".join(words)


@pytest.mark.parametrize(
    ("overlap", "state", "expected"),
    [
        pytest.param(overlap, state, expected, id=f"{overlap}-{state}")
        for overlap, row in MATRIX.items()
        for state, expected in row.items()
    ],
)
def test_a_slot_comes(overlap: Overlap, state: str, expected: str) -> None:
    given_policy = policy(overlap=overlap, max_concurrent=2 if overlap == "allow" else 1)
    assert told(place(given_policy, STATES[state], [new()])) == expected


def test_the_matrix_is_whole() -> None:
    assert all(set(row) == set(STATES) for row in MATRIX.values())


@pytest.mark.parametrize("overlap", ["skip", "queue", "replace"])
def test_what_is_caught_up_together_is_taken_together_or_not_at_all(overlap: Overlap) -> None:
    several = [new(NOW - n * MINUTE, Trigger.CATCH_UP) for n in (3, 2, 1)]
    assert len(place(policy(overlap=overlap), IDLE, several).taken) == 3
    busy = STATES["active-and-queued"]
    assert len(place(policy(overlap=overlap), busy, several).taken) == (3 if overlap == "replace" else 0)


def test_no_more_are_taken_than_repeats_are_left_and_runs_by_hand_are_none_of_them() -> None:
    several = [new(NOW - n * MINUTE, Trigger.CATCH_UP) for n in (3, 2, 1)]
    placing = place(policy(repeat=5), replace(IDLE, repeat_done=3), several)
    assert len(placing.taken) == 2
    assert [reason for _, reason in placing.refused] == [Reason.HORIZON]
    assert place(policy(repeat=5), replace(IDLE, repeat_done=5), [new(None, Trigger.MANUAL)]).taken


ON_UP = policy(depends_on=(Upstream("default/up", None),))
SUCCEEDED = {"default/up": UpstreamState(success_id="u", success_at=NOW - MINUTE)}
FAILED = {"default/up": UpstreamState(end_id="f", end_at=NOW - MINUTE, failed=True)}


def summary(actions: Sequence[Action]) -> list[str]:
    words: list[str] = []
    for action in actions:
        match action:
            case StartRun():
                words.append("start")
            case WaitRun(_, _, reason):
                words.append(f"wait {reason}")
            case ReleaseRun(run_id):
                words.append(f"release {run_id}")
            case KeepWaiting(run_id, reason):
                words.append(f"keep {run_id} {reason}")
            case FailRun() | EndRun():
                words.append(f"fail {action.reason}")
            case _:
                words.append(str(action))
    return words


@pytest.mark.parametrize(
    ("given_policy", "observed", "line", "expected"),
    [
        pytest.param(PLAIN, IDLE, [new()], ["start"], id="nothing-holds-it"),
        pytest.param(PLAIN, replace(IDLE, active=1), [new()], ["wait overlap"], id="no-room"),
        pytest.param(PLAIN, IDLE, [BACKOFF], [], id="its-delay-is-not-over"),
        pytest.param(PLAIN, IDLE, [replace(BACKOFF, not_before=NOW)], ["release w"], id="its-delay-is-over"),
        pytest.param(
            PLAIN, IDLE, [replace(BACKOFF, created_at=NOW + 4 * 3600 * SECOND, not_before=NOW + 5 * 3600 * SECOND)],
            ["release w"], id="a-delay-of-a-time-that-is-no-more",
        ),
        pytest.param(PLAIN, IDLE, [new(not_before=NOW + 1)], ["wait calendar"], id="deferred"),
        pytest.param(PLAIN, IDLE, [BACKOFF, new()], ["wait overlap"], id="in-line-behind-an-attempt"),
        pytest.param(
            policy(overlap="allow", max_concurrent=3), replace(IDLE, active=1), [BACKOFF, new(), new()],
            ["start", "start"], id="allow-lets-them-pass",
        ),
        pytest.param(
            policy(overlap="allow", max_concurrent=2), replace(IDLE, active=1), [new(), new()],
            ["start", "wait overlap"], id="allow-up-to-its-limit",
        ),
        pytest.param(PLAIN, IDLE, [QUEUED, new()], ["release w", "wait overlap"], id="one-after-the-other"),
        pytest.param(ON_UP, IDLE, [new()], ["wait dependency"], id="waits-for-a-success"),
        pytest.param(ON_UP, replace(IDLE, upstream=SUCCEEDED), [new()], ["start"], id="has-its-success"),
        pytest.param(ON_UP, replace(IDLE, upstream=FAILED), [new()], ["wait dependency"], id="failure-wait"),
        pytest.param(
            replace(ON_UP, on_dependency_failure="fail"), replace(IDLE, upstream=FAILED), [new()], ["fail dependency"],
            id="failure-fail",
        ),
        pytest.param(
            replace(ON_UP, on_dependency_failure="fail"), replace(IDLE, upstream=FAILED), [FOR_OTHERS],
            ["fail dependency"], id="failure-fails-what-waits",
        ),
        pytest.param(
            replace(ON_UP, on_dependency_failure="run"), replace(IDLE, upstream=FAILED), [new()], ["start"],
            id="failure-run",
        ),
        pytest.param(
            replace(ON_UP, overlap="queue"), replace(IDLE, upstream=SUCCEEDED), [QUEUED, new()],
            ["release w", "wait overlap"], id="the-second-waits-for-the-first",
        ),
        pytest.param(
            replace(ON_UP, overlap="allow", max_concurrent=5), replace(IDLE, upstream=SUCCEEDED), [new(), new()],
            ["start", "wait dependency"], id="one-success-is-good-for-one-run",
        ),
        pytest.param(ON_UP, IDLE, [new(None, Trigger.MANUAL)], ["start"], id="by-hand-waits-for-none"),
        pytest.param(
            policy(pool="p"), replace(IDLE, pool=PoolState("p", 0, 0)), [new()], ["wait pool"], id="the-pool-is-full"
        ),
        pytest.param(
            policy(pool="p"), replace(IDLE, pool=PoolState("p", 1, 0)), [new()], ["start"], id="the-pool-has-a-slot"
        ),
        pytest.param(
            policy(pool="p"), replace(IDLE, pool=PoolState("p", 1, 1)), [new()], ["wait pool"],
            id="the-slot-is-for-who-waits-already",
        ),
        pytest.param(
            policy(pool="p"), replace(IDLE, pool=PoolState("p", 1, 3, frozenset({"w"}))), [FOR_POOL], ["release w"],
            id="it-is-its-turn",
        ),
        pytest.param(
            policy(pool="p"), replace(IDLE, pool=PoolState("p", 1, 3, frozenset({"x"}))), [FOR_POOL], [],
            id="it-is-not-its-turn",
        ),
        pytest.param(
            policy(pool="p"), replace(IDLE, pool=PoolState("p", -1, 3, frozenset({"w"}))), [FOR_POOL], [],
            id="its-turn-but-the-pool-shrank",
        ),
        pytest.param(
            replace(ON_UP, pool="p"), replace(IDLE, pool=PoolState("p", 0, 0)), [new()], ["wait dependency"],
            id="it-takes-no-place-in-the-pool-before-its-upstream",
        ),
        pytest.param(
            replace(ON_UP, pool="p"), replace(IDLE, upstream=SUCCEEDED, pool=PoolState("p", 0, 0)), [FOR_OTHERS],
            ["keep w pool"], id="then-it-waits-for-the-pool",
        ),
    ],
)  # fmt: skip
def test_what_holds_a_run(given_policy: Policy, observed: Observed, line: list[Waiting], expected: list[str]) -> None:
    assert summary(walk(given_policy, observed, line, NOW).actions) == expected


def test_deciding_wakes_for_the_earliest_of_what_waits_for_a_time() -> None:
    later = replace(BACKOFF, run_id="x", not_before=NOW + 5 * MINUTE)
    line = [later, BACKOFF]
    assert walk(policy(overlap="allow", max_concurrent=9), IDLE, line, NOW).wake_at == NOW + MINUTE


lines = st.lists(
    st.builds(
        lambda n, reason, at: waits(reason, run_id=f"w{n}", slot=NOW - n * SECOND,
                                    not_before=at, attempt=2 if reason is Reason.BACKOFF else 1),
        st.integers(0, 10_000),
        st.sampled_from([Reason.OVERLAP, Reason.POOL, Reason.BACKOFF, Reason.CALENDAR]),
        st.none() | st.integers(NOW - MINUTE, NOW + MINUTE),
    ),
    max_size=8, unique_by=lambda run: run.run_id,
)  # fmt: skip


@given(
    line=lines, number=st.integers(0, 4), active=st.integers(0, 4), most=st.integers(1, 5), free=st.integers(-2, 5),
    others=st.integers(0, 4), pooled=st.booleans(), overlap=st.sampled_from(["skip", "queue", "replace", "allow"]),
)  # fmt: skip
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_limit_is_exceeded_and_nobody_is_forgotten(
    line: list[Waiting], number: int, active: int, most: int, free: int, others: int, pooled: bool, overlap: Overlap
) -> None:
    line = [*line, *(new(NOW + n) for n in range(number))]
    most = most if overlap == "allow" else 1
    own = sum(run.reason is Reason.POOL for run in line)
    pool = PoolState("p", free, own + others, frozenset(run.run_id for run in line[:2] if run.run_id))
    observed = replace(IDLE, active=active, pool=pool if pooled else None)
    found = walk(policy(overlap=overlap, max_concurrent=most, pool="p" if pooled else None), observed, line, NOW)
    going = [action for action in found.actions if isinstance(action, StartRun | ReleaseRun)]
    assert len(going) <= max(most - active, 0)
    assert not pooled or len(going) <= max(free, 0)
    made = [action for action in found.actions if isinstance(action, StartRun | WaitRun)]
    assert len(made) == number, "every new run is started or stored as waiting"
    early = {run.run_id for run in line if run.run_id and run.not_before is not None and run.not_before > NOW}
    assert not early & {action.run_id for action in going if isinstance(action, ReleaseRun)}
    times = [run.not_before for run in line if run.not_before is not None and run.not_before > NOW]
    assert found.wake_at == min(times, default=None)
    if overlap != "allow" and going:
        first = line[0]
        assert going[0] == (ReleaseRun(first.run_id) if first.run_id else StartRun(first.slot, first.trigger))
