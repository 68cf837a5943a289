"""What a run is asked for with: params by trigger, to the program and over attempts, crashes and refusals."""

from __future__ import annotations

import pytest

from state.inbox import RequestKind
from state.records import RunState, Trigger
from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, Scene, document, spec

PARAMS = {"day": {"default": "today", "pattern": "[a-z]+"}, "mode": {"default": "full", "allowed": ["full", "quick"]}}
COMMAND = {"command": ["a", "--day={{ params.day }}", "{{ params.mode }}"]}


def launched(scene: Scene) -> tuple[tuple[str, ...], str, str]:
    launch = scene.rig.runner.launched[-1]
    return tuple(launch.argv), launch.env["JOBSCTL_PARAM_DAY"], launch.env["JOBSCTL_PARAM_MODE"]


def test_params_reach_the_variables_and_the_arguments(scene: Scene) -> None:
    scene.job("a", params=PARAMS, run=COMMAND)
    scene.trigger("a", day="monday")
    assert launched(scene) == (("a", "--day=monday", "full"), "monday", "full")
    assert scene.runs("a")[0].params == {"day": "monday"}


def test_a_slot_runs_with_the_defaults(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, params=PARAMS, run=COMMAND)
    scene.until("08:11")
    assert launched(scene) == (("a", "--day=today", "full"), "today", "full")
    assert scene.runs("a")[0].params is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"day": "Monday"}, "param `day` must match [a-z]+", id="pattern"),
        pytest.param({"mode": "slow"}, "param `mode` must be one of full, quick", id="allowed"),
        pytest.param({"speed": "1"}, "has no param `speed`; its params: day, mode", id="unknown"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_and_nothing_runs(
    scene: Scene, given: dict[str, str], words: str
) -> None:
    scene.job("a", params=PARAMS, run=COMMAND)
    answer = scene.trigger("a", **given)
    assert answer.startswith("refused: ")
    assert words in answer
    assert scene.runs("a") == []


def test_a_param_without_a_default_has_to_be_given(scene: Scene) -> None:
    scene.job("a", params={"day": {}})
    assert "needs a value: `--param day=...`" in scene.trigger("a")
    assert scene.trigger("a", day="monday").startswith("done")


def test_attempts_have_the_params_of_the_first(scene: Scene) -> None:
    scene.programs(a=lambda launch: FAILS)
    scene.job("a", params=PARAMS, run=COMMAND, retry={"attempts": 2, "delay": "1m", "jitter": 0})
    scene.trigger("a", day="monday")
    scene.down_until("08:10")
    assert scene.runs("a")[1].trigger is Trigger.RETRY
    assert launched(scene)[1] == "monday"
    assert [run.requested_by for run in scene.runs("a")] == ["ann@desk"] * 2


def test_a_run_that_waited_for_a_pool_over_a_crash_starts_with_its_params(scene: Scene) -> None:
    scene.programs(hog=FOREVER)
    scene.files(
        pool=document("Pool", "one", slots=1),
        hog=spec("hog", pool="one"),
        a=spec("a", pool="one", params=PARAMS, run=COMMAND),
    )
    scene.trigger("hog")
    assert "waits for a slot of pool one" in scene.trigger("a", mode="quick")
    scene.down_until("08:10")
    scene.rig.runner.finish(scene.runs("hog")[0].id)
    scene.rig.settle()
    assert launched(scene) == (("a", "--day=today", "quick"), "today", "quick")


@pytest.mark.parametrize(
    ("overlap", "done", "states"),
    [
        pytest.param("skip", False, [RunState.RUNNING], id="skip-refuses"),
        pytest.param("queue", True, [RunState.RUNNING, RunState.BLOCKED], id="queue-lets-it-wait"),
        pytest.param("replace", True, [RunState.CANCELLED, RunState.RUNNING], id="replace-stops-the-old"),
        pytest.param("allow", True, [RunState.RUNNING, RunState.RUNNING], id="allow-runs-beside"),
    ],
)
def test_a_run_somebody_asks_for_obeys_overlap(scene: Scene, overlap: str, done: bool, states: list[RunState]) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", overlap=overlap)
    scene.trigger("a")
    scene.rig.wait(1)
    assert scene.trigger("a").startswith("done") is done
    assert [run.state for run in scene.runs("a")] == states


@pytest.mark.parametrize(
    ("overlap", "states"),
    [
        pytest.param("skip", ["failed exit_code", "cancelled superseded", "succeeded"], id="skip"),
        pytest.param("replace", ["failed exit_code", "cancelled superseded", "succeeded"], id="replace"),
        pytest.param("queue", ["failed exit_code", "blocked backoff", "blocked overlap"], id="queue"),
        pytest.param("allow", ["failed exit_code", "blocked backoff", "succeeded"], id="allow"),
    ],
)
def test_a_run_somebody_asks_for_while_an_attempt_waits(scene: Scene, overlap: str, states: list[str]) -> None:
    scene.programs(a=FAILS)
    retry = {"attempts": 2, "delay": "30m", "max_delay": "30m", "jitter": 0}
    scene.job("a", schedule=EVERY_10_MINUTES, overlap=overlap, retry=retry)
    scene.until("08:11")
    scene.programs()
    assert scene.trigger("a").startswith("done")
    assert [text.partition(" ")[2] for text in scene.told("a")] == states


def test_asking_for_a_run_changes_nothing_about_the_next_slot(scene: Scene) -> None:
    scene.job("a", schedule="every 10m")
    upcoming = scene.rig.job("a").next_at
    scene.until("08:05")
    scene.trigger("a")
    assert scene.rig.job("a").next_at == upcoming
    scene.until("08:12")
    assert len(scene.runs("a")) == 2


def test_a_run_is_started_for_somebody_although_the_job_is_suspended(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES)
    scene.ask(RequestKind.SUSPEND, "a")
    assert scene.trigger("a").startswith("done")
    scene.until("08:11")
    assert [run.state for run in scene.runs("a")] == [RunState.SUCCEEDED]


def test_a_run_that_was_asked_for_and_waits_outlives_a_suspend(scene: Scene) -> None:
    scene.programs(hog=FOREVER)
    scene.files(pool=document("Pool", "one", slots=1), hog=spec("hog", pool="one"), a=spec("a", pool="one"))
    scene.trigger("hog")
    scene.trigger("a")
    scene.ask(RequestKind.SUSPEND, "a")
    assert scene.runs("a")[0].state is RunState.BLOCKED
    scene.rig.runner.finish(scene.runs("hog")[0].id)
    scene.rig.settle()
    assert scene.runs("a")[0].state is RunState.SUCCEEDED
