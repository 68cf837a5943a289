"""When a recurring job is complete: `repeat`, `end_at`, `until`; and what starts it again."""

from __future__ import annotations

import pytest

from runners.stub import Script
from state.records import RunState
from status.phase import Phase, phase_of
from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, Scene, clock, spec


def complete(scene: Scene, name: str = "a") -> bool:
    job = scene.rig.job(name)
    assert (job.completed_at is None) or job.next_at is None
    return job.completed_at is not None


def test_repeat_counts_slots_that_ran_and_not_their_attempts_or_runs_by_hand(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule=EVERY_10_MINUTES, repeat=2, retry={"attempts": 2, "delay": "1m", "jitter": 0})
    scene.trigger("a")
    scene.until("08:12")
    assert not complete(scene)
    scene.until("09:00")
    assert scene.told("a")[2:] == [
        "08:10 failed exit_code",
        "08:10#2 failed exit_code",
        "08:20 failed exit_code",
        "08:20#2 failed exit_code",
    ]
    assert complete(scene)
    assert scene.rig.job("a").repeat_done == 2


def test_a_slot_that_was_left_out_is_none_of_the_repeats(scene: Scene) -> None:
    scene.programs(a=Script(takes=900))
    scene.job("a", schedule=EVERY_10_MINUTES, repeat=2)
    scene.until("09:30")
    assert scene.told("a") == ["08:10 succeeded", "08:20 skipped overlap", "08:30 succeeded"]


def test_repeat_goes_on_counting_after_a_crash_and_catches_up_no_more_than_is_left(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, repeat=3, missed="all")
    scene.until("08:12")
    scene.down_until("09:05")
    scene.until("10:00")
    assert [run.state for run in scene.runs("a")] == [RunState.SUCCEEDED] * 3
    assert complete(scene)
    assert sum(run.skipped_count or 0 for run in scene.rig.runs("a")) == 3


def test_slots_that_are_refused_beside_a_running_one_leave_the_repeats_for_later(scene: Scene) -> None:
    scene.programs(a=Script(takes=3300))
    scene.job("a", schedule=EVERY_10_MINUTES, repeat=2, missed="all")
    scene.until("08:12")
    scene.down_until("08:45")
    assert scene.told("a") == ["08:10 running", "08:20 skipped overlap x3"]
    scene.until("10:30")
    assert scene.told("a")[2:] == ["09:10 succeeded"]
    assert complete(scene)


def test_end_at_is_the_last_slot_it_may_have(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, end_at="2027-01-15T08:30:00Z")
    scene.until("09:30")
    assert scene.told("a") == ["08:10 succeeded", "08:20 succeeded", "08:30 succeeded"]
    assert complete(scene)


def test_an_end_that_passed_while_no_daemon_ran_is_the_end_of_what_is_caught_up(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, end_at="2027-01-15T08:30:00Z", missed="all")
    scene.down_until("10:00")
    assert scene.told("a") == ["08:10 succeeded", "08:20 succeeded", "08:30 succeeded"]
    assert complete(scene)


def test_no_slot_is_before_start_at(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, start_at="2027-01-15T08:30:00Z", missed="all")
    assert scene.rig.job("a").next_at == clock("08:30")
    scene.down_until("08:45")
    assert scene.told("a") == ["08:30 succeeded", "08:40 succeeded"]


def test_until_completes_after_the_run_that_makes_it_true(scene: Scene) -> None:
    scene.programs(a=lambda launch: FAILS if launch.env["JOBSCTL_SCHEDULED_FOR"] < "2027-01-15T08:30" else Script())
    scene.job("a", schedule=EVERY_10_MINUTES, until="run.exit_code == 0")
    scene.until("09:30")
    assert scene.told("a") == ["08:10 failed exit_code", "08:20 failed exit_code", "08:30 succeeded"]
    assert complete(scene)


def test_until_can_count(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, until="job.successes >= 3")
    scene.until("09:30")
    assert len(scene.runs("a")) == 3


def test_until_is_asked_after_the_last_attempt(scene: Scene) -> None:
    scene.programs(a=FAILS)
    retry = {"attempts": 3, "delay": "1m", "jitter": 0}
    scene.job("a", schedule=EVERY_10_MINUTES, until="run.state == 'failed'", retry=retry)
    scene.until("09:00")
    assert [run.attempt for run in scene.runs("a")] == [1, 2, 3]
    assert complete(scene)


def test_until_that_became_true_while_no_daemon_ran(scene: Scene) -> None:
    scene.programs(a=Script(takes=120))
    scene.job("a", schedule=EVERY_10_MINUTES, until="run.exit_code == 0", missed="all")
    scene.until("08:11")
    scene.down_until("09:05")
    scene.until("10:00")
    assert scene.runs("a")[0].state is RunState.SUCCEEDED
    assert complete(scene)
    assert len(scene.runs("a")) == 1, "the end of a run comes before the slots after it"


LIMITS = [
    pytest.param({"repeat": 1}, {"repeat": 2}, id="repeat"),
    pytest.param({"end_at": "2027-01-15T08:15:00Z"}, {"end_at": "2027-01-15T20:00:00Z"}, id="end"),
    pytest.param({"until": "run.exit_code == 0"}, {"until": "run.exit_code == 7"}, id="until"),
]


@pytest.mark.parametrize(("limit", "another"), LIMITS)
def test_a_complete_job_is_not_started_again_by_an_edit_of_something_else_or_a_crash(
    scene: Scene, limit: dict[str, object], another: dict[str, object]
) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, **limit)
    scene.until("08:25")
    assert phase_of(scene.rig.job("a")) is Phase.COMPLETED
    for edited in ({"description": "edited"}, {"missed": "all"}, {"run": {"command": ["b"]}}, {"overlap": "queue"}):
        scene.job("a", schedule=EVERY_10_MINUTES, **limit, **edited)
    scene.down_until("09:05")
    scene.until("10:00")
    assert scene.told("a") == ["08:10 succeeded"]
    assert complete(scene)


@pytest.mark.parametrize(("limit", "another"), LIMITS)
def test_an_edit_of_what_completed_it_starts_it_again_from_now_on(
    scene: Scene, limit: dict[str, object], another: dict[str, object]
) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, **limit, missed="all")
    scene.until("08:35")
    scene.job("a", schedule=EVERY_10_MINUTES, **another, missed="all")
    scene.excused["a"] = [(clock("08:10"), scene.rig.clock.now())]
    assert scene.told("a") == ["08:10 succeeded"]
    assert not complete(scene)
    scene.until("08:41")
    assert scene.told("a") == ["08:10 succeeded", "08:40 succeeded"]


@pytest.mark.parametrize(("limit", "another"), LIMITS)
def test_an_edit_of_the_schedule_starts_it_again_from_now_on(
    scene: Scene, limit: dict[str, object], another: dict[str, object]
) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, **limit)
    scene.until("08:35")
    limit = another if "end_at" in limit else limit
    scene.job("a", schedule="*/20 * * * *", **limit)
    scene.until("08:41")
    assert scene.told("a") == ["08:10 succeeded", "08:40 succeeded"]


def test_a_run_in_progress_when_the_job_completes_goes_on(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", schedule=EVERY_10_MINUTES, repeat=1)
    scene.until("08:30")
    assert scene.told("a") == ["08:10 running"]
    scene.rig.runner.finish(scene.runs("a")[0].id)
    scene.rig.settle()
    assert phase_of(scene.rig.job("a")) is Phase.COMPLETED


def test_a_complete_job_runs_when_somebody_asks(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, repeat=1)
    scene.until("08:15")
    scene.trigger("a")
    assert len(scene.runs("a")) == 2
    assert complete(scene)


def test_a_job_that_follows_another_is_complete_after_its_repeats(scene: Scene) -> None:
    scene.files(up=spec("up"), down=spec("down", depends_on=["up"], repeat=2))
    for _ in range(4):
        scene.rig.wait(60)
        scene.trigger("up")
    assert len(scene.runs("down")) == 2
    assert complete(scene, "down")


def test_a_job_that_follows_another_is_complete_when_its_end_passes(scene: Scene) -> None:
    scene.files(up=spec("up"), down=spec("down", depends_on=["up"], end_at="2027-01-15T08:30:00Z"))
    scene.rig.wait(60)
    scene.trigger("up")
    scene.until("08:31")
    assert complete(scene, "down")
    scene.trigger("up")
    assert len(scene.runs("down")) == 1
