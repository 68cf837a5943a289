"""Slots that passed while nothing could run: after downtime, sleep and set clocks; staggered over many jobs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from runners.stub import Script
from state.records import RunState, Trigger
from tests.deciding import ledger
from tests.deciding.driving import SECOND, THE_HOUR, Rig
from tests.deciding.scenes import DAY, EVERY_10_MINUTES, FOREVER, MINUTE, Scene, clock, spec


@pytest.mark.parametrize(
    ("missed", "expected"),
    [
        pytest.param("latest", ["08:20 skipped daemon_down x3", "08:50 succeeded"], id="latest"),
        pytest.param("skip", ["08:20 skipped daemon_down x4"], id="skip"),
        pytest.param("all", ["08:20 succeeded", "08:30 succeeded", "08:40 succeeded", "08:50 succeeded"], id="all"),
        pytest.param(
            {"policy": "all", "max": 2},
            ["08:20 skipped daemon_down x2", "08:40 succeeded", "08:50 succeeded"],
            id="all-at-most-two",
        ),
        pytest.param(
            {"policy": "latest", "grace": "5m"},
            ["08:20 skipped daemon_down x3", "08:50 skipped grace"],
            id="latest-beyond-its-grace",
        ),
        pytest.param(
            {"policy": "latest", "grace": "8m"},
            ["08:20 skipped daemon_down x3", "08:50 succeeded"],
            id="latest-within-its-grace",
        ),
        pytest.param(
            {"policy": "all", "grace": "20m"},
            ["08:20 skipped grace x2", "08:40 succeeded", "08:50 succeeded"],
            id="all-within-the-grace",
        ),
    ],
)
def test_what_a_daemon_makes_of_the_slots_that_passed_without_one(
    scene: Scene, missed: object, expected: list[str]
) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, missed=missed)
    scene.until("08:15")
    scene.down_until("08:57")
    assert scene.told("a") == ["08:10 succeeded", *expected]
    scene.until("09:01")
    assert scene.told("a") == ["08:10 succeeded", *expected, "09:00 succeeded"]


def test_what_is_caught_up_says_so_and_what_is_on_time_does_not(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, missed="all")
    scene.down_until("08:20:30")
    triggers = {run.scheduled_for: run.trigger for run in scene.runs("a")}
    assert triggers == {clock("08:10"): Trigger.CATCH_UP, clock("08:20"): Trigger.SCHEDULE}


@pytest.mark.parametrize("overlap", ["skip", "queue", "replace"])
def test_all_catches_up_one_after_the_other_in_order(scene: Scene, overlap: str) -> None:
    scene.programs(a=Script(takes=20))
    scene.job("a", schedule=EVERY_10_MINUTES, missed="all", overlap=overlap)
    scene.down_until("08:45")
    assert scene.told("a") == ["08:10 running", *(f"08:{m} blocked overlap" for m in (20, 30, 40))]
    scene.until("08:49")
    runs = scene.runs("a")
    assert [run.state for run in runs] == [RunState.SUCCEEDED] * 4
    assert [run.started_at for run in runs[1:]] == [run.finished_at for run in runs[:-1]]


def test_what_is_caught_up_in_part_goes_on_after_another_crash(scene: Scene) -> None:
    scene.programs(a=Script(takes=60))
    scene.job("a", schedule=EVERY_10_MINUTES, missed="all")
    scene.down_until("08:45")
    scene.down_until("08:45:30")
    scene.until("08:49:30")
    assert scene.told("a") == [f"08:{m} succeeded" for m in (10, 20, 30, 40)]
    assert len(scene.rig.runner.launched) == 4


def test_catching_up_while_the_run_of_before_goes_on_obeys_overlap(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", schedule=EVERY_10_MINUTES)
    scene.until("08:12")
    scene.down_until("08:45")
    assert scene.told("a") == ["08:10 running", "08:20 skipped daemon_down x2", "08:40 skipped overlap"]


def test_a_month_of_slots_are_one_record_and_one_run(scene: Scene) -> None:
    scene.job("a", schedule="every 10s")
    scene.rig.close()
    scene.rig.clock.sleep(30 * 86_400)
    scene.rig.runner = scene.rig.runner.successor()
    scene.rig._open()
    scene.rig.look()
    (run,) = scene.runs("a")
    (skipped,) = (run for run in scene.rig.runs("a") if run.state is RunState.SKIPPED)
    assert skipped.skipped_count == 30 * 8640 - 1
    assert run.state is RunState.SUCCEEDED


def test_a_clock_set_forward_is_missed_time_too(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES)
    scene.until("08:15")
    scene.set_clock("09:25")
    assert scene.told("a") == ["08:10 succeeded", "08:20 skipped missed x6", "09:20 succeeded"]
    assert scene.runs("a")[-1].trigger is Trigger.CATCH_UP


def test_a_clock_set_back_an_hour_repeats_nothing_and_one_set_back_a_day_goes_on_at_once(scene: Scene) -> None:
    scene.job("a", schedule="*/30 * * * *")
    scene.until("09:45")
    scene.set_clock("08:45")
    scene.until("09:55")
    assert scene.told("a") == ["08:30 succeeded", "09:00 succeeded", "09:30 succeeded"]
    scene.until("+1 08:10")
    before = len(scene.runs("a"))
    scene.set_clock("08:10")
    scene.until("08:59")
    assert len(scene.runs("a")) == before, "its slot of 08:30 has its run: no slot runs twice"
    scene.until("+1 09:10")
    assert len({run.scheduled_for for run in scene.runs("a")}) == len(scene.runs("a"))
    scene.excused["a"] = [(clock("08:00"), clock("+1 09:10"))]


def many(scene: Scene, number: int, **fields: object) -> list[str]:
    names = [f"j{n:03}" for n in range(number)]
    scene.files(**{name: spec(name, **{"schedule": EVERY_10_MINUTES, **fields}) for name in names})
    return names


def starts(scene: Scene) -> Counter[int]:
    """Launches by the second."""
    return Counter((run.started_at or 0) // SECOND for name in scene.rig.world.jobs for run in scene.runs(name.name))


def test_so_many_jobs_are_not_caught_up_all_at_once(scene: Scene) -> None:
    names = many(scene, 60)
    scene.down_until("08:15")
    scene.until("08:19")
    assert all(scene.told(name) == ["08:10 succeeded"] for name in names)
    spread = starts(scene)
    assert sum(spread.values()) == 60
    assert max(spread.values()) <= 40, "20 a second on the average, over 3 seconds"
    assert len(spread) >= 3
    assert max(spread) - min(spread) <= 4


def test_a_few_jobs_are_caught_up_at_once(scene: Scene) -> None:
    many(scene, 20)
    scene.down_until("08:15")
    assert starts(scene) == {clock("08:15") // SECOND: 20}


def test_a_catch_up_that_was_staggered_survives_another_crash(scene: Scene) -> None:
    names = many(scene, 60)
    scene.down_until("08:15")
    scene.rig.crash()
    scene.rig.look()
    scene.until("08:19")
    assert all(scene.told(name) == ["08:10 succeeded"] for name in names)
    assert len(scene.rig.runner.launched) == 60


def test_a_slot_that_comes_while_a_catch_up_is_held_back_starts_on_time(scene: Scene) -> None:
    names = many(scene, 200)
    scene.down_until("08:19:55")
    scene.until("08:20:01")
    late = {
        name
        for name in names
        for run in scene.runs(name)
        if run.scheduled_for == clock("08:20") and (run.started_at or 0) > clock("08:20") + SECOND
    }
    there = sum(any(run.scheduled_for == clock("08:20") for run in scene.runs(name)) for name in names)
    assert not late
    assert there == 200, "those whose catch-up was held back too"


def test_a_clock_that_jumps_over_the_slots_of_many_jobs_is_no_stampede_either(scene: Scene) -> None:
    many(scene, 60)
    scene.until("08:15")
    scene.set_clock("10:15")
    scene.until("10:19")
    spread = starts(scene)
    assert sum(at for second, at in spread.items() if second >= clock("10:15") // SECOND) == 60
    assert max(at for second, at in spread.items() if second >= clock("10:15") // SECOND) <= 40


def test_jitter_keeps_its_promise_with_catching_up(scene: Scene) -> None:
    """A slot whose start lies in the future is not missed; one whose start has passed is."""
    scene.job("a", schedule="0 * * * *", jitter="50m", missed="all")
    scene.until("08:30")
    offset = (scene.rig.job("a").next_at or 0) - clock("09:00")
    assert 0 < offset < 50 * MINUTE
    before = (clock("10:00") + offset - 2 * MINUTE - clock("10:00")) // SECOND
    minutes, seconds = divmod(before, 60)
    scene.down_until(f"10:{minutes:02}:{seconds:02}")
    assert scene.told("a") == ["09:00 succeeded"]
    scene.until("10:55")
    first, second = scene.runs("a")
    assert second.started_at == clock("10:00") + offset
    assert (first.trigger, second.trigger) == (Trigger.CATCH_UP, Trigger.SCHEDULE)


def test_random_jitter_is_the_same_after_a_crash_and_never_doubles_a_slot(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES, jitter={"random": "10m"})
    for minute in range(1, 60, 4):
        scene.until(f"08:{minute:02}")
        upcoming = scene.rig.job("a").next_at
        scene.rig.crash()
        scene.rig.look()
        assert scene.rig.job("a").next_at == upcoming
    slots = [run.scheduled_for for run in scene.runs("a")]
    assert slots == sorted(set(filter(None, slots)))
    assert len(slots) in (4, 5)


def test_a_gap_of_a_spring_night_is_a_record_with_its_reason(tmp_path: Path) -> None:
    """Berlin, 28 March 2027: 02:30 does not exist."""
    rig = Rig(tmp_path, now=THE_HOUR + 70 * DAY)
    scene = Scene(rig)
    scene.job("a", schedule="30 2 * * *", timezone="Europe/Berlin", dst={"gap": "skip"})
    rig.until(THE_HOUR + 73 * DAY)
    assert [text.partition(" ")[2].partition(" ")[2] for text in scene.told("a")] == [
        "succeeded",
        "skipped dst_gap",
        "succeeded",
    ]
    ledger.check(rig, {})
    rig.close()
