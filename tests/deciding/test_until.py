"""`until`: a job that is complete when an expression over its runs is true."""

from __future__ import annotations

import pytest

from runners.stub import Script
from tests.deciding.scenes import EVERY_10_MINUTES, Scene, clock

FIRST_TWO = ["08:10 succeeded", "08:20 succeeded"]


@pytest.mark.parametrize(
    "until",
    [
        pytest.param("job.runs >= 2", id="runs"),
        pytest.param("job.successes == 2", id="successes"),
        pytest.param("run.scheduled_for >= timestamp('2027-01-15T08:20:00Z')", id="a-slot"),
        pytest.param("now - run.started_at < duration('1s') && job.runs > 1", id="now"),
    ],
)
def test_a_job_is_complete_after_the_run_that_makes_its_condition_true(scene: Scene, until: str) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, until=until)
    scene.until("10:00")
    assert scene.told("a") == FIRST_TWO
    job = scene.rig.job("a")
    assert job.completed_at is not None and job.next_at is None
    scene.down_until("11:00")
    assert scene.told("a") == FIRST_TWO


def test_runs_are_counted_as_repeat_counts_them(scene: Scene) -> None:
    """Not those that somebody triggers, and a run with three attempts once."""
    fails_first = iter([1, 1, 0, 0, 0])
    scene.programs(a=lambda launch: Script(exit_code=next(fails_first)))
    scene.job("a", schedule=EVERY_10_MINUTES, until="job.runs >= 2", retry={"attempts": 3, "delay": "10s"})
    scene.until("08:11")
    scene.trigger("a")
    scene.until("10:00")
    assert [line for line in scene.told("a") if "failed" not in line][-1] == "08:20 succeeded"
    assert scene.rig.job("a").repeat_done == 2


def test_an_edit_of_the_condition_counts_anew(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, until="job.runs >= 2")
    scene.until("09:01")
    scene.job("a", schedule=EVERY_10_MINUTES, until="job.runs >= 1")
    scene.until("10:00")
    assert scene.told("a") == [*FIRST_TWO, "09:10 succeeded"]
    scene.excused["a"] = [(clock("08:20"), clock("09:01"))]
