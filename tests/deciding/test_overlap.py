"""A slot comes while the run before is active: what each `overlap` makes of it, end to end in made-up time."""

from __future__ import annotations

import pytest

from runners.stub import Script
from state.records import RunState
from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, Scene

TAKES_15_MINUTES = Script(takes=890)
TAKES_25_MINUTES = Script(takes=1500)


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        pytest.param(
            "skip",
            ["08:10 succeeded", "08:20 skipped overlap", "08:30 running", "08:40 skipped overlap"],
            id="skip-leaves-out-the-slot",
        ),
        pytest.param(
            "queue",
            ["08:10 succeeded", "08:20 succeeded", "08:30 running", "08:40 blocked overlap"],
            id="queue-lets-each-wait-its-turn",
        ),
        pytest.param(
            "replace",
            ["08:10 cancelled replaced", "08:20 cancelled replaced", "08:30 cancelled replaced", "08:40 running"],
            id="replace-stops-the-old-run",
        ),
        pytest.param(
            "allow",
            ["08:10 succeeded", "08:20 succeeded", "08:30 running", "08:40 running"],
            id="allow-runs-beside-it",
        ),
    ],
)
def test_a_slot_that_comes_while_the_run_before_is_active(scene: Scene, overlap: str, expected: list[str]) -> None:
    scene.programs(a=TAKES_15_MINUTES)
    scene.job("a", schedule=EVERY_10_MINUTES, overlap=overlap)
    scene.until("08:44")
    assert scene.told("a") == expected


def test_queue_lets_exactly_one_wait(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", schedule=EVERY_10_MINUTES, overlap="queue")
    scene.until("08:50")
    assert scene.told("a") == ["08:10 running", "08:20 blocked overlap", "08:30 skipped overlap x3"]
    scene.rig.runner.finish(scene.runs("a")[0].id)
    scene.rig.settle()
    assert scene.told("a")[:2] == ["08:10 succeeded", "08:20 running"]


def test_replace_starts_the_new_run_only_after_the_end_of_the_old_one(scene: Scene) -> None:
    scene.programs(a=Script(takes=None, ignores_term=True))
    scene.job("a", schedule=EVERY_10_MINUTES, overlap="replace", grace="2m")
    scene.until("08:21")
    assert scene.told("a") == ["08:10 running", "08:20 blocked overlap"]
    scene.until("08:22")
    old, new = scene.runs("a")
    assert (old.state, new.state) == (RunState.CANCELLED, RunState.RUNNING)
    assert old.finished_at is not None
    assert new.started_at is not None
    assert old.finished_at <= new.started_at


def test_replace_displaces_also_the_run_that_waits_for_the_old_one(scene: Scene) -> None:
    scene.programs(a=Script(takes=None, ignores_term=True))
    scene.job("a", schedule=EVERY_10_MINUTES, overlap="replace", grace="25m")
    scene.until("08:40")
    assert scene.told("a") == [
        "08:10 running",
        "08:20 skipped overlap",
        "08:30 skipped overlap",
        "08:40 blocked overlap",
    ]


def test_allow_stops_at_max_concurrent(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", schedule=EVERY_10_MINUTES, overlap="allow", max_concurrent=2)
    scene.until("08:40")
    assert scene.told("a") == ["08:10 running", "08:20 running", "08:30 skipped overlap x2"]


def test_a_run_that_waits_survives_a_crash_and_starts_when_the_old_one_ends(scene: Scene) -> None:
    scene.programs(a=TAKES_25_MINUTES)
    scene.job("a", schedule=EVERY_10_MINUTES, overlap="queue")
    scene.until("08:21")
    scene.down_until("08:29")
    assert scene.told("a") == ["08:10 running", "08:20 blocked overlap"]
    scene.until("08:35")
    assert scene.told("a") == ["08:10 succeeded", "08:20 running", "08:30 skipped overlap"]


def test_a_run_that_ended_while_no_daemon_was_there_makes_room_for_the_one_that_waits(scene: Scene) -> None:
    scene.programs(a=TAKES_15_MINUTES)
    scene.job("a", schedule=EVERY_10_MINUTES, overlap="queue")
    scene.until("08:21")
    scene.down_until("08:29")
    assert scene.told("a") == ["08:10 succeeded", "08:20 running"]


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        pytest.param("skip", ["08:10 failed exit_code", "08:10#2 cancelled superseded", "08:20 running"], id="skip"),
        pytest.param(
            "replace", ["08:10 failed exit_code", "08:10#2 cancelled superseded", "08:20 running"], id="replace"
        ),
        pytest.param(
            "queue", ["08:10 failed exit_code", "08:10#2 blocked backoff", "08:20 blocked overlap"], id="queue"
        ),
        pytest.param("allow", ["08:10 failed exit_code", "08:10#2 blocked backoff", "08:20 running"], id="allow"),
    ],
)
def test_a_slot_that_comes_while_the_next_attempt_waits(scene: Scene, overlap: str, expected: list[str]) -> None:
    scene.programs(
        a=lambda launch: FAILS if launch.env["JOBSCTL_SCHEDULED_FOR"].startswith("2027-01-15T08:10") else FOREVER
    )
    scene.job(
        "a",
        schedule=EVERY_10_MINUTES,
        overlap=overlap,
        retry={"attempts": 2, "delay": "15m", "max_delay": "15m", "jitter": 0},
    )
    scene.until("08:21")
    assert scene.told("a") == expected


def test_under_queue_the_attempt_goes_first_and_the_slot_after_it(scene: Scene) -> None:
    scene.programs(
        a=lambda launch: (
            FAILS
            if launch.env["JOBSCTL_ATTEMPT"] == "1" and ":10:" in launch.env["JOBSCTL_SCHEDULED_FOR"]
            else Script(takes=60)
        )
    )
    scene.job(
        "a",
        schedule=EVERY_10_MINUTES,
        overlap="queue",
        retry={"attempts": 2, "delay": "15m", "max_delay": "15m", "jitter": 0},
    )
    scene.until("08:28")
    attempt, slot = scene.runs("a")[1:3]
    assert (attempt.attempt, slot.attempt) == (2, 1)
    assert attempt.started_at is not None
    assert slot.started_at == attempt.finished_at
