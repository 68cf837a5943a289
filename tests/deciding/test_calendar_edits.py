"""Calendars end to end: slots that are left out or put off, and calendars that are edited meanwhile."""

from __future__ import annotations

import pytest

from runners.stub import Script
from state.inbox import RequestKind
from state.records import RunState, Trigger
from tests.deciding.scenes import FAILS, FOREVER, Scene, clock, document, spec

NINE_TO_TEN = [{"from": "09:00", "to": "10:00"}]


def closed(action: str = "skip", windows: object = None) -> str:
    return document("Calendar", "closed", action=action, windows=windows or NINE_TO_TEN)


def test_slots_inside_a_blocking_calendar_are_left_out_and_say_why(scene: Scene) -> None:
    scene.files(cal=closed(), a=spec("a", schedule="*/20 * * * *", calendar="closed"))
    scene.until("10:05")
    assert scene.told("a") == ["08:20 succeeded", "08:40 succeeded", "09:00 skipped calendar x3", "10:00 succeeded"]


def test_an_allowing_calendar_leaves_out_all_others(scene: Scene) -> None:
    scene.files(
        cal=document("Calendar", "open", mode="allow", windows=NINE_TO_TEN),
        a=spec("a", schedule="*/30 * * * *", calendar="open"),
    )
    scene.until("10:35")
    assert scene.told("a") == [
        "08:30 skipped calendar",
        "09:00 succeeded",
        "09:30 succeeded",
        "10:00 skipped calendar x2",
    ]


def test_a_deferred_slot_runs_when_the_calendar_opens_and_those_after_it_are_left_out(scene: Scene) -> None:
    scene.files(cal=closed("defer"), a=spec("a", schedule="*/20 * * * *", calendar="closed"))
    scene.until("09:50")
    assert scene.told("a")[2:] == ["09:00 blocked calendar", "09:20 skipped calendar x2"]
    scene.until("10:05")
    assert scene.told("a")[2:] == ["09:00 succeeded", "09:20 skipped calendar x2", "10:00 skipped overlap"]
    (deferred,) = [run for run in scene.runs("a") if run.scheduled_for == clock("09:00")]
    assert deferred.started_at == clock("10:00")


def test_a_deferred_slot_survives_crashes(scene: Scene) -> None:
    scene.files(cal=closed("defer"), a=spec("a", schedule="0 9 * * *", calendar="closed"))
    scene.until("09:10")
    scene.down_until("09:40")
    assert scene.told("a") == ["09:00 blocked calendar"]
    scene.down_until("10:30")
    assert scene.told("a") == ["09:00 succeeded"]


@pytest.mark.parametrize("missed", ["latest", "skip", {"policy": "latest", "grace": "10m"}], ids=str)
def test_a_deferred_slot_is_as_late_as_its_start_is_past_the_opening(scene: Scene, missed: object) -> None:
    """Nothing could run from 08:50 to 10:00:30: it is half a minute late, not an hour."""
    scene.files(cal=closed("defer"), a=spec("a", schedule="0 9 * * *", calendar="closed", missed=missed))
    scene.until("08:50")
    scene.down_until("10:00:30")
    assert scene.told("a") == ["09:00 succeeded"]
    assert scene.runs("a")[0].trigger is Trigger.SCHEDULE


@pytest.mark.parametrize(
    ("windows", "before", "after"),
    [
        pytest.param(
            [{"from": "09:00", "to": "09:30"}], "09:25", "09:31", id="earlier"),
        pytest.param([{"from": "09:00", "to": "11:00"}], "10:55", "11:01", id="later"),
        pytest.param([{"from": "22:00", "to": "23:00"}], None, "09:15", id="at-once"),
    ],
)  # fmt: skip
def test_a_deferred_slot_follows_an_edit_of_its_calendar(
    scene: Scene, windows: object, before: str | None, after: str
) -> None:
    scene.files(cal=closed("defer"), a=spec("a", schedule="0 9 * * *", calendar="closed"))
    scene.until("09:10")
    scene.files(cal=closed("defer", windows))
    if before is not None:
        scene.until(before)
        assert scene.told("a") == ["09:00 blocked calendar"]
    scene.until(after)
    assert scene.told("a") == ["09:00 succeeded"]


def test_a_deferred_slot_starts_when_its_job_names_no_calendar_any_more(scene: Scene) -> None:
    scene.files(cal=closed("defer"), a=spec("a", schedule="0 9 * * *", calendar="closed"))
    scene.until("09:10")
    scene.job("a", schedule="0 9 * * *")
    assert scene.told("a") == ["09:00 succeeded"]


def test_an_edit_of_a_calendar_holds_for_the_slots_from_then_on(scene: Scene) -> None:
    scene.files(cal=closed(), a=spec("a", schedule="*/20 * * * *", calendar="closed"))
    scene.until("09:10")
    scene.files(cal=closed(windows=[{"from": "22:00", "to": "23:00"}]))
    scene.until("09:25")
    assert scene.told("a")[2:] == ["09:00 skipped calendar", "09:20 succeeded"]


@pytest.mark.parametrize("broken", ["kind: Calendar\nname: closed\nwindows: nonsense\n", None], ids=["invalid", "gone"])
def test_a_calendar_that_is_invalid_or_gone_holds_as_it_was(scene: Scene, broken: str | None) -> None:
    scene.files(cal=closed(), a=spec("a", schedule="*/20 * * * *", calendar="closed"))
    scene.files(cal=broken)
    scene.rig.clock.sleep(5)
    scene.rig.look()
    scene.down_until("08:10")
    scene.until("09:25")
    assert scene.told("a")[2:] == ["09:00 skipped calendar x2"]


def test_several_calendars_hold_together_and_skip_wins_over_defer(scene: Scene) -> None:
    scene.files(
        one=closed("defer"),
        two=document("Calendar", "lunch", windows=[{"from": "09:30", "to": "09:45"}]),
        a=spec("a", schedule="10,40 9 * * *", calendar=["closed", "lunch"]),
    )
    scene.until("09:41")
    assert scene.told("a") == ["09:10 blocked calendar", "09:40 skipped calendar"]


def test_what_people_ask_for_is_held_by_no_calendar(scene: Scene) -> None:
    scene.files(cal=closed("defer"), a=spec("a", calendar="closed"))
    scene.until("09:10")
    assert scene.trigger("a").startswith("done")
    assert scene.runs("a")[0].state is RunState.SUCCEEDED


def test_a_run_that_was_deferred_still_waits_its_turn(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.files(cal=closed("defer"), a=spec("a", schedule="*/20 * * * *", calendar="closed", overlap="queue"))
    scene.until("10:05")
    assert [text for text in scene.told("a") if "skipped" not in text] == ["08:20 running", "08:40 blocked overlap"]


def test_a_suspend_ends_a_deferred_slot(scene: Scene) -> None:
    scene.files(cal=closed("defer"), a=spec("a", schedule="0 9 * * *", calendar="closed"))
    scene.until("09:10")
    scene.ask(RequestKind.SUSPEND, "a")
    assert scene.told("a") == ["09:00 skipped suspended"]


def test_a_year_of_downtime_with_a_calendar_holds_up_nothing(scene: Scene) -> None:
    scene.files(cal=closed(), a=spec("a", schedule="* * * * *", calendar="closed", missed="all"))
    scene.rig.close()
    scene.rig.clock.sleep(25 * 86_400)
    scene.rig.runner = scene.rig.runner.successor()
    scene.rig._open()
    scene.rig.look()
    assert len(scene.runs("a")) == 20 + 1, "the last is on time"
    assert sum(run.skipped_count or 0 for run in scene.rig.runs("a")) == 25 * 1440 - 21


def test_an_attempt_is_held_by_no_calendar(scene: Scene) -> None:
    """A calendar says which slots run. What follows from a run that it let start is not asked again."""
    scene.programs(a=lambda launch: FAILS if launch.env["JOBSCTL_ATTEMPT"] == "1" else Script())
    scene.files(
        cal=closed(),
        a=spec(
            "a",
            schedule="50 8 * * *",
            calendar="closed",
            retry={"attempts": 2, "delay": "15m", "max_delay": "15m", "jitter": 0},
        ),
    )
    scene.until("09:10")
    assert scene.told("a") == ["08:50 failed exit_code", "08:50#2 succeeded"]


def test_the_next_run_that_is_shown_is_the_one_its_calendars_let_run(scene: Scene) -> None:
    scene.files(cal=closed(), a=spec("a", schedule="*/20 * * * *", calendar="closed"))
    scene.until("08:45")
    assert scene.rig.job("a").next_at == clock("10:00")
    scene.files(cal=closed(windows=[{"from": "09:00", "to": "09:30"}]))
    assert scene.rig.job("a").next_at == clock("09:40")
    scene.until("09:25")
    assert scene.told("a")[-1] == "09:00 skipped calendar x2"


def test_a_deferred_slot_is_left_out_when_its_calendar_will_never_open_again(scene: Scene) -> None:
    scene.files(cal=closed("defer"), a=spec("a", schedule="0 9 * * *", calendar="closed"))
    scene.until("09:10")
    assert scene.told("a") == ["09:00 blocked calendar"]
    scene.files(cal=closed("defer", windows=[{"from": "00:00"}]))
    scene.until("09:20")
    assert scene.told("a") == ["09:00 skipped calendar"]
    scene.until("11:00")
    assert scene.told("a") == ["09:00 skipped calendar"]
