"""Further attempts and runs whose end cannot be known, end to end in made-up time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from runners.stub import Script
from state.inbox import RequestKind
from state.records import Health, Reason, RunState, Trigger
from tests.deciding.driving import SECOND
from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, MINUTE, Scene, clock, spec

THREE = {"attempts": 3, "delay": "1m", "jitter": 0}


def delays(scene: Scene, name: str = "a") -> list[int]:
    """Seconds between the end of each attempt and the start of the next."""
    runs = scene.runs(name)
    return [((after.started_at or 0) - (before.finished_at or 0)) // SECOND for before, after in pairwise(runs)]


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        pytest.param({"attempts": 4, "delay": "30s", "jitter": 0}, [30, 30, 30], id="fixed"),
        pytest.param({"attempts": 4, "backoff": "linear", "delay": "30s", "jitter": 0}, [30, 60, 90], id="linear"),
        pytest.param(
            {"attempts": 4, "backoff": "exponential", "delay": "30s", "jitter": 0}, [30, 60, 120], id="exponential"
        ),
        pytest.param(
            {"attempts": 4, "backoff": "exponential", "delay": "30s", "max_delay": "45s", "jitter": 0},
            [30, 45, 45],
            id="exponential-with-a-limit",
        ),
        pytest.param({"attempts": 1}, [], id="once"),
    ],
)
def test_attempts_follow_each_other_by_the_delay(scene: Scene, retry: object, expected: list[int]) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule="0 9 * * *", retry=retry)
    scene.until("10:00")
    assert delays(scene) == expected
    assert [run.attempt for run in scene.runs("a")] == list(range(1, len(expected) + 2))
    assert {run.scheduled_for for run in scene.runs("a")} == {clock("09:00")}


def test_jitter_of_a_delay_stays_within_its_share_and_is_decided_once(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule="0 9 * * *", retry={"attempts": 6, "delay": "100s", "jitter": 0.5})
    for minute in range(0, 60, 4):
        scene.until(f"09:{minute:02}")
        planned = [run.not_before for run in scene.runs("a")]
        scene.rig.crash()
        scene.rig.look()
        assert [run.not_before for run in scene.runs("a")][: len(planned)] == planned
    found = delays(scene)
    assert len(found) == 5
    assert all(50 <= each <= 150 for each in found)
    assert len(set(found)) > 1


def test_a_success_ends_the_attempts_and_health_follows(scene: Scene) -> None:
    scene.programs(a=lambda launch: FAILS if launch.env["JOBSCTL_ATTEMPT"] == "1" else Script())
    scene.job("a", schedule=EVERY_10_MINUTES, retry=THREE)
    scene.until("08:10:30")
    assert (scene.rig.job("a").health, scene.rig.job("a").consecutive_failures) == (Health.FAILING, 1)
    scene.until("08:15")
    assert scene.told("a") == ["08:10 failed exit_code", "08:10#2 succeeded"]
    assert (scene.rig.job("a").health, scene.rig.job("a").consecutive_failures) == (Health.HEALTHY, 0)


@pytest.mark.parametrize(
    ("script", "fields", "tried_again"),
    [
        pytest.param(Script(exit_code=1), {}, True, id="failed"),
        pytest.param(Script(exit_code=1), {"on": ["expired"]}, False, id="failed-but-only-expired-counts"),
        pytest.param(Script(exit_code=75), {"exit_codes": [75, 76]}, True, id="a-code-of-the-list"),
        pytest.param(Script(exit_code=1), {"exit_codes": [75, 76]}, False, id="a-code-not-of-the-list"),
        pytest.param(Script(exit_code=None, signal=9), {"exit_codes": [75]}, True, id="a-signal-has-no-code"),
        pytest.param(FOREVER, {}, True, id="expired"),
        pytest.param(FOREVER, {"on": ["failed"]}, False, id="expired-but-only-failed-counts"),
        pytest.param(Script(start_error="no such program"), {}, True, id="could-not-be-started"),
    ],
)
def test_which_ends_are_tried_again(scene: Scene, script: Script, fields: dict[str, object], tried_again: bool) -> None:
    scene.programs(a=script)
    scene.job("a", schedule="0 9 * * *", timeout="30s", retry={"attempts": 2, "delay": "1m", "jitter": 0, **fields})
    scene.until("10:00")
    assert len(scene.runs("a")) == 1 + tried_again


@pytest.mark.parametrize(
    ("codes", "code", "state"),
    [
        pytest.param([0, 3], 3, RunState.SUCCEEDED, id="3-is-a-success"),
        pytest.param([0, 3], 0, RunState.SUCCEEDED, id="so-is-0"),
        pytest.param([3], 0, RunState.FAILED, id="0-is-none-when-it-is-not-named"),
        pytest.param([0, 3], 4, RunState.FAILED, id="4-is-a-failure"),
    ],
)
def test_success_codes(scene: Scene, codes: list[int], code: int, state: RunState) -> None:
    scene.programs(a=Script(exit_code=code))
    scene.job("a", schedule="0 9 * * *", success_codes=codes, retry={"attempts": 2, "delay": "1s"})
    scene.until("09:30")
    assert {run.state for run in scene.runs("a")} == {state}
    assert len(scene.runs("a")) == (1 if state is RunState.SUCCEEDED else 2)


def test_a_pending_attempt_survives_crashes_and_starts_when_it_was_to(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule="0 9 * * *", retry={"attempts": 2, "delay": "10m", "max_delay": "10m", "jitter": 0})
    scene.until("09:01")
    for minute in (2, 4, 6):
        scene.down_until(f"09:0{minute}")
    scene.until("09:30")
    first, second = scene.runs("a")
    assert second.started_at == clock("09:10")
    assert (second.trigger, second.attempt, second.reason) == (Trigger.RETRY, 2, Reason.EXIT_CODE)
    assert first.id != second.id


def test_an_attempt_that_was_due_while_no_daemon_ran_starts_with_the_next_one(scene: Scene) -> None:
    scene.programs(a=lambda launch: FAILS if launch.env["JOBSCTL_ATTEMPT"] == "1" else Script())
    scene.job("a", schedule="0 9 * * *", retry={"attempts": 2, "delay": "10m", "max_delay": "10m", "jitter": 0})
    scene.until("09:01")
    scene.down_until("09:30")
    assert scene.told("a") == ["09:00 failed exit_code", "09:00#2 succeeded"]


def test_a_clock_set_back_by_a_day_does_not_hold_up_an_attempt(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", retry=THREE)
    scene.until("+1 09:00")
    scene.trigger("a")
    scene.set_clock("09:00")
    scene.until("09:05")
    assert {run.attempt for run in scene.runs("a")} == {1, 2, 3}


def test_an_attempt_starts_under_the_spec_that_applies_then(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule="0 9 * * *", retry=THREE)
    scene.until("09:00:30")
    scene.job("a", schedule="0 9 * * *", retry=THREE, run={"command": ["mended"]})
    scene.until("09:05")
    assert [(run.generation, run.state) for run in scene.runs("a")] == [(1, RunState.FAILED), (2, RunState.SUCCEEDED)]


def test_a_retry_that_is_removed_leaves_the_attempt_that_waits(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule="0 9 * * *", retry=THREE)
    scene.until("09:00:30")
    scene.job("a", schedule="0 9 * * *")
    scene.until("09:10")
    assert [run.attempt for run in scene.runs("a")] == [1, 2]


def test_a_cancelled_run_is_not_tried_again_and_a_cancelled_attempt_is_the_last(scene: Scene) -> None:
    scene.programs(a=FOREVER, b=FAILS)
    scene.files(a=spec("a", retry=THREE), b=spec("b", retry=THREE))
    scene.trigger("a")
    scene.cancel(scene.runs("a")[0])
    scene.trigger("b")
    scene.rig.wait(1)
    scene.cancel(scene.runs("b")[1])
    scene.until("08:30")
    assert [run.state for run in scene.runs("a")] == [RunState.CANCELLED]
    assert [run.state for run in scene.runs("b")] == [RunState.FAILED, RunState.CANCELLED]


def test_a_suspend_ends_the_attempt_of_a_slot_and_not_that_of_a_run_somebody_asked_for(scene: Scene) -> None:
    scene.programs(a=FAILS, b=FAILS)
    scene.files(a=spec("a", schedule="0 9 * * *", retry=THREE), b=spec("b", retry=THREE))
    scene.until("09:00:30")
    scene.trigger("b")
    for name in "ab":
        scene.ask(RequestKind.SUSPEND, name)
    scene.until("09:30")
    assert scene.told("a") == ["09:00 failed exit_code", "09:00#2 cancelled suspended"]
    assert [run.attempt for run in scene.runs("b")] == [1, 2, 3]


def test_a_run_that_fails_while_its_job_is_suspended_is_not_tried_again(scene: Scene) -> None:
    scene.programs(a=Script(takes=60, exit_code=1))
    scene.job("a", schedule="0 9 * * *", retry=THREE)
    scene.until("09:00:30")
    scene.ask(RequestKind.SUSPEND, "a")
    scene.until("09:30")
    assert scene.told("a") == ["09:00 failed exit_code"]


def test_a_run_that_is_lost_fails_or_runs_again_as_its_spec_says(scene: Scene) -> None:
    rerun = {"on_lost": "rerun", "retry": {"attempts": 2, "on": ["expired"]}}
    scene.programs(stays=FOREVER, again=FOREVER, tried=FOREVER)
    scene.files(stays=spec("stays"), again=spec("again", **rerun), tried=spec("tried", retry=THREE))
    for name in ("stays", "again", "tried"):
        scene.trigger(name)
        scene.rig.runner.lose(scene.runs(name)[0].id)
    scene.rig.settle()
    scene.until("08:05")
    for name, expected in (("stays", []), ("again", [RunState.RUNNING]), ("tried", [RunState.RUNNING])):
        first, *others = scene.runs(name)
        assert (first.state, first.reason) == (RunState.FAILED, Reason.LOST)
        assert [run.state for run in others] == expected, name


def test_what_is_lost_again_and_again_runs_again_slower_each_time(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", on_lost="rerun")
    scene.trigger("a")
    for _ in range(12):
        scene.rig.until(scene.rig.clock.at + 6 * MINUTE)
        scene.rig.runner.lose(scene.runs("a")[-1].id)
        scene.rig.settle()
    scene.rig.until(scene.rig.clock.at + 6 * MINUTE)
    found = delays(scene)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (1, 300)


def test_a_run_of_another_boot_is_lost_and_runs_again(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", schedule="0 9 * * *", on_lost="rerun")
    scene.until("09:05")
    scene.rig.close()
    scene.rig.runner = scene.rig.runner.successor()
    scene.rig.runner.boot_id, scene.rig.booted_at = "another", scene.rig.clock.now()
    scene.rig.runner._runs.clear()
    scene.rig._open()
    scene.rig.look()
    scene.until("09:06")
    assert scene.told("a") == ["09:00 failed lost", "09:00#2 running"]
