"""Jobs whose next run is counted from the end of the last one: `continuous`, and `every ... from: finish`."""

from __future__ import annotations

from itertools import pairwise

import pytest

from runners.stub import Script
from state.inbox import RequestKind
from state.records import RunState
from tests.deciding.driving import SECOND
from tests.deciding.scenes import FAILS, MINUTE, Scene, clock, document, spec

CONTINUOUS = {"continuous": True, "delay": "10s"}
FROM_FINISH = {"every": "10m", "from": "finish"}


def gaps(scene: Scene) -> list[int]:
    """Seconds from each end to the next start."""
    runs = [run for run in scene.runs("a") if run.started_at is not None]
    return [((after.started_at or 0) - (before.finished_at or 0)) // SECOND for before, after in pairwise(runs)]


def test_a_continuous_job_starts_at_once_and_again_after_each_end(scene: Scene) -> None:
    scene.programs(a=Script(takes=50))
    scene.job("a", schedule=CONTINUOUS)
    assert [run.state for run in scene.runs("a")] == [RunState.RUNNING]
    scene.until("08:10")
    assert set(gaps(scene)) == {10}
    assert len(scene.runs("a")) == 10


def test_a_delay_from_the_finish_is_counted_from_the_end_and_first_from_the_beginning(scene: Scene) -> None:
    scene.programs(a=Script(takes=300))
    scene.job("a", schedule=FROM_FINISH)
    begin = scene.rig.clock.now()
    assert scene.rig.job("a").next_at == begin + 10 * MINUTE
    scene.until("09:05")
    assert [run.started_at for run in scene.runs("a")] == [begin + minutes * MINUTE for minutes in (10, 25, 40, 55)]


def test_a_crash_loop_slows_down_and_a_success_forgives(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule={"continuous": True})
    scene.until("08:30")
    found = gaps(scene)
    assert found[:9] == [1, 2, 4, 8, 15, 30, 60, 120, 300]
    assert set(found[9:]) == {300}
    scene.programs(a=Script(takes=20))
    scene.until("08:45")
    assert set(gaps(scene)[-5:]) == {1}


def test_a_crash_loop_stays_slow_over_a_restart(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule={"continuous": True})
    scene.until("08:10")
    before = len(scene.runs("a"))
    scene.down_until("08:10:10")
    assert len(scene.runs("a")) == before
    scene.until("08:30")
    assert set(gaps(scene)[9:]) == {300}


@pytest.mark.parametrize("schedule", [CONTINUOUS, FROM_FINISH], ids=["continuous", "from-finish"])
def test_after_an_outage_there_is_one_run_and_not_many(scene: Scene, schedule: object) -> None:
    scene.programs(a=Script(takes=60))
    scene.job("a", schedule=schedule)
    scene.until("08:20")
    before = len(scene.runs("a"))
    scene.down_until("12:00")
    after = [run for run in scene.runs("a") if (run.started_at or 0) > clock("08:30")]
    assert len(scene.runs("a")) <= before + 1
    assert [run.started_at for run in after] == [clock("12:00")]


def test_a_run_that_goes_on_over_a_crash_is_not_joined_by_another(scene: Scene) -> None:
    scene.programs(a=Script(takes=600))
    scene.job("a", schedule=CONTINUOUS)
    scene.down_until("08:05")
    scene.down_until("08:09")
    assert [run.state for run in scene.runs("a")] == [RunState.RUNNING]
    scene.until("08:11")
    assert gaps(scene) == [10]


@pytest.mark.parametrize("schedule", [CONTINUOUS, FROM_FINISH], ids=["continuous", "from-finish"])
def test_a_clock_set_back_by_a_day_stops_nothing(scene: Scene, schedule: object) -> None:
    scene.job("a", schedule=schedule)
    scene.rig.clock.sleep(86_400)
    scene.rig.settle()
    scene.rig.until(scene.rig.clock.at + 11 * MINUTE)
    before = len(scene.runs("a"))
    scene.set_clock("09:30")
    scene.until("09:45")
    assert len(scene.runs("a")) >= before + 2
    slots = [run.scheduled_for for run in scene.runs("a")]
    assert len(set(slots)) == len(slots)


@pytest.mark.parametrize("schedule", [CONTINUOUS, FROM_FINISH], ids=["continuous", "from-finish"])
def test_suspended_it_starts_nothing_and_resumed_it_goes_on(scene: Scene, schedule: object) -> None:
    scene.programs(a=Script(takes=60))
    scene.job("a", schedule=schedule)
    scene.until("08:30")
    scene.ask(RequestKind.SUSPEND, "a")
    scene.until("08:32")
    before = len(scene.runs("a"))
    scene.until("10:30")
    assert len(scene.runs("a")) == before
    scene.ask(RequestKind.RESUME, "a")
    scene.until("10:42")
    first = scene.runs("a")[before].started_at
    assert first == clock("10:30") if schedule is CONTINUOUS else first == clock("10:40")


@pytest.mark.parametrize("then", ["goes-on", "crashes"])
def test_a_run_that_was_given_up_before_it_started_is_no_end_to_count_from(scene: Scene, then: str) -> None:
    """A suspend ends what waits for the pool; the delay is counted from the resume, not from that, in every daemon."""
    scene.files(pool=document("Pool", "one", slots=1), hog=spec("hog", pool="one"))
    scene.programs(hog=Script(takes=None))
    scene.trigger("hog")
    scene.job("a", schedule={"every": "1h", "from": "finish"}, pool="one")
    scene.until("09:30")
    scene.ask(RequestKind.SUSPEND, "a")
    entry = scene.rig.world.jobs.by_identity("default/a")
    assert entry is not None
    assert entry.last_end == scene.rig.job("a").last_finished_at is None
    if then == "crashes":
        scene.down_until("09:31")
    scene.until("09:40")
    scene.ask(RequestKind.RESUME, "a")
    assert scene.rig.job("a").next_at == clock("10:40")


def test_a_retry_comes_before_the_next_run(scene: Scene) -> None:
    scene.programs(a=lambda launch: FAILS if launch.env["JOBSCTL_ATTEMPT"] == "1" else Script(takes=1))
    scene.job("a", schedule=CONTINUOUS, retry={"attempts": 2, "delay": "30s", "jitter": 0})
    scene.until("08:02")
    assert [run.attempt for run in scene.runs("a")][:4] == [1, 2, 1, 2]
    assert gaps(scene)[:3] == [30, 10, 30]


def test_repeat_and_end_hold_for_it_too(scene: Scene) -> None:
    scene.programs(a=Script(takes=60), b=Script(takes=60))
    scene.files(
        a=spec("a", schedule=CONTINUOUS, repeat=3),
        b=spec("b", schedule=CONTINUOUS, end_at="2027-01-15T08:05:00Z"),
    )
    scene.until("08:30")
    assert len(scene.runs("a")) == 3
    assert scene.rig.job("a").completed_at is not None
    assert max(run.scheduled_for or 0 for run in scene.runs("b")) <= clock("08:05")
    assert scene.rig.job("b").completed_at is not None


def test_a_calendar_puts_its_next_start_off(scene: Scene) -> None:
    scene.programs(a=Script(takes=60))
    scene.files(
        closed=document("Calendar", "closed", windows=[{"from": "08:10", "to": "08:40"}]),
        a=spec("a", schedule=CONTINUOUS, calendar="closed"),
    )
    scene.until("08:45")
    starts = [run.started_at or 0 for run in scene.runs("a")]
    assert not [at for at in starts if clock("08:10") <= at < clock("08:40")]
    assert clock("08:40") in starts


def test_an_edit_of_something_else_restarts_nothing_and_one_of_the_delay_waits_for_it(scene: Scene) -> None:
    scene.programs(a=Script(takes=60))
    scene.job("a", schedule=FROM_FINISH)
    scene.until("08:14")
    upcoming = scene.rig.job("a").next_at
    scene.job("a", schedule=FROM_FINISH, description="edited")
    assert scene.rig.job("a").next_at == upcoming
    scene.job("a", schedule={"every": "5m", "from": "finish"})
    assert scene.rig.job("a").next_at == scene.rig.clock.now() + 5 * MINUTE
