"""No edit fires a job, floods it, loses its history or undoes a suspend."""

from __future__ import annotations

import pytest

from reconciler.table import JobTable
from state.inbox import RequestKind
from state.records import Reason, RunState
from tests.deciding.driving import SECOND
from tests.deciding.scenes import EVERY_10_MINUTES, FOREVER, Scene, clock, spec

HOURLY = "0 * * * *"
BEFORE = {"schedule": HOURLY, "missed": {"policy": "all"}}


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param({"schedule": "*/5 * * * *"}, id="another-cron"),
        pytest.param({"schedule": "every 7m"}, id="an-interval"),
        pytest.param({"schedule": [HOURLY, "30 * * * *"]}, id="a-list"),
        pytest.param({"schedule": "2027-01-15T10:00:00Z"}, id="a-one-shot-of-an-hour-ago"),
        pytest.param({"schedule": "@reboot"}, id="reboot"),
        pytest.param({"schedule": None}, id="none"),
        pytest.param({"timezone": "Asia/Kolkata"}, id="timezone"),
        pytest.param({"timezone": "Europe/Berlin"}, id="timezone-with-the-same-minutes"),
        pytest.param({"jitter": "10m"}, id="jitter"),
        pytest.param({"jitter": {"random": "20m"}}, id="random-jitter"),
        pytest.param({"repeat": 3}, id="repeat"),
        pytest.param({"start_at": "2027-01-14T00:00:00Z"}, id="start-in-the-past"),
        pytest.param({"end_at": "2027-02-14T00:00:00Z"}, id="end"),
        pytest.param({"until": "run.exit_code == 0"}, id="until"),
        pytest.param({"missed": "latest"}, id="missed"),
        pytest.param({"overlap": "allow", "max_concurrent": 5}, id="overlap"),
        pytest.param({"retry": {"attempts": 5}}, id="retry"),
        pytest.param({"description": "edited"}, id="description"),
        pytest.param({"depends_on": ["other"]}, id="dependency"),
        pytest.param({"schedule": None, "depends_on": ["other"]}, id="only-a-dependency"),
    ],
)
def test_an_edit_fires_nothing(scene: Scene, edited: dict[str, object]) -> None:
    scene.files(a=spec("a", **BEFORE), other=spec("other", schedule=HOURLY))
    scene.until("11:10")
    history = scene.told("a")
    scene.trigger("other")
    scene.job("a", **{**BEFORE, **edited})
    scene.rig.wait(60)
    assert scene.told("a") == history == ["09:00 succeeded", "10:00 succeeded", "11:00 succeeded"]
    assert scene.rig.job("a").active_runs == 0


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_another_timezone_of_the_daemon_fires_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """A job that names no zone has the daemon's: it is another schedule then."""
    scene.files(
        a=spec("a", schedule="0 9 * * *", missed="all"),
        own=spec("own", schedule="0 9 * * *", timezone="UTC"),
        grid=spec("grid", schedule="every 1h"),
        once=spec("once", schedule="2027-01-15T09:00:00"),
    )
    scene.until("+1 07:50")
    grid, own = scene.rig.job("grid"), scene.rig.job("own")
    monkeypatch.setattr("tests.deciding.driving.JobTable", lambda _: JobTable(zone))
    scene.down_until("+1 07:55")
    assert scene.told("a") == ["09:00 succeeded"]
    assert scene.told("once") == ["09:00 succeeded"]
    assert (scene.rig.job("grid").anchor_at, scene.rig.job("grid").next_at) == (grid.anchor_at, grid.next_at)
    assert scene.rig.job("own").next_at == own.next_at
    scene.until("+2 08:00")
    assert len(scene.runs("a")) == 2
    scene.rig.crash()
    assert len(scene.runs("a")) == 2
    monkeypatch.undo()
    scene.files(a=None, once=None)  # for the ledger, which knows no zone but UTC
    scene.excused["a"] = scene.excused["once"] = [(0, scene.rig.clock.now())]


def test_a_start_that_is_brought_forward_fires_no_slot_that_has_passed(scene: Scene) -> None:
    scene.job("a", **BEFORE, start_at="2027-01-16T00:00:00Z")
    scene.until("11:10")
    scene.job("a", **BEFORE, start_at="2027-01-15T09:30:00Z")
    scene.rig.wait(60)
    assert scene.told("a") == []
    scene.until("12:01")
    assert scene.told("a") == ["12:00 succeeded"]
    scene.excused["a"] = [(clock("8:00"), clock("11:30"))]


def test_a_start_that_is_removed_fires_no_slot_that_has_passed(scene: Scene) -> None:
    scene.job("a", **BEFORE, start_at="2027-01-16T00:00:00Z")
    scene.until("11:10")
    scene.job("a", **BEFORE)
    scene.rig.wait(60)
    assert scene.told("a") == []
    scene.excused["a"] = [(clock("8:00"), clock("11:30"))]


def test_an_end_that_is_put_off_after_it_passed_fires_no_slot_in_between(scene: Scene) -> None:
    scene.job("a", **BEFORE, end_at="2027-01-15T09:30:00Z")
    scene.until("12:10")
    assert scene.rig.job("a").completed_at == clock("09:00")
    scene.job("a", **BEFORE, end_at="2027-01-16T09:30:00Z")
    scene.until("13:01")
    assert scene.told("a") == ["09:00 succeeded", "13:00 succeeded"]
    scene.excused["a"] = [(clock("9:00"), clock("12:59"))]


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(HOURLY, id="cron"),
        pytest.param("every 1h", id="interval"),
        pytest.param({"every": "1h", "from": "finish"}, id="from-finish"),
    ],
)
def test_disabling_and_enabling_in_the_file_fires_nothing_and_accounts_for_the_time_between(
    scene: Scene, schedule: object
) -> None:
    scene.job("a", schedule=schedule)
    scene.until("10:30")
    ran = len(scene.runs("a"))
    scene.job("a", schedule=schedule, suspend=True)
    scene.until("14:30")
    scene.job("a", schedule=schedule)
    scene.rig.wait(60)
    assert len(scene.runs("a")) == ran, "enabling fires nothing"
    scene.job("a", schedule=schedule, suspend=True)
    scene.job("a", schedule=schedule)
    scene.rig.wait(60)
    assert len(scene.runs("a")) == ran, "nor does enabling again"
    scene.until("15:45")
    assert len(scene.runs("a")) == ran + 1


def test_a_job_that_follows_another_does_not_start_on_a_success_it_was_suspended_for(scene: Scene) -> None:
    scene.files(up=spec("up"), down=spec("down", depends_on=["up"], suspend=True))
    scene.rig.wait(60)
    scene.trigger("up")
    scene.job("down", depends_on=["up"])
    scene.rig.wait(60)
    assert scene.told("down") == []
    scene.trigger("up")
    assert len(scene.runs("down")) == 1


def test_a_job_that_follows_another_and_was_deleted_does_not_start_when_it_is_added_again(scene: Scene) -> None:
    down = spec("down", depends_on=["up"])
    scene.files(up=spec("up"), down=down, third=spec("third"))
    scene.rig.wait(60)
    scene.trigger("up")
    assert len(scene.runs("down")) == 1
    scene.remove("down")
    scene.rig.wait(60)
    scene.trigger("up")
    scene.files(down=down)
    scene.rig.wait(60)
    assert len(scene.runs("down")) == 1
    scene.trigger("up")
    assert len(scene.runs("down")) == 2


@pytest.mark.parametrize("schedule", [HOURLY, "every 1h", {"every": "1h", "from": "finish"}], ids=str)
def test_deleting_and_adding_again_fires_nothing_and_keeps_the_history(scene: Scene, schedule: object) -> None:
    scene.files(a=spec("a", schedule=schedule, missed={"policy": "all"}), b=spec("b"))
    scene.until("10:10")
    history, counts = scene.told("a"), scene.rig.job("a").counts
    assert len(history) == 2
    scene.remove("a")
    gone = scene.rig.clock.now()
    scene.until("13:10")
    scene.files(a=spec("a", schedule=schedule, missed={"policy": "all"}))
    scene.rig.wait(60)
    assert scene.told("a") == history
    assert scene.rig.job("a").counts == counts
    scene.excused["a"] = [(gone, scene.rig.clock.now())]
    scene.until("14:30")
    assert len(scene.told("a")) == 3


@pytest.mark.parametrize("by", ["description", "schedule", "deletion", "rename", "restart", "broken"])
def test_a_suspend_by_command_is_never_undone(scene: Scene, by: str) -> None:
    scene.files(a=spec("a", schedule=HOURLY), b=spec("b"))
    scene.ask(RequestKind.SUSPEND, "a")
    name = "a"
    match by:
        case "description":
            scene.job("a", schedule=HOURLY, description="edited")
        case "schedule":
            scene.job("a", schedule=EVERY_10_MINUTES)
        case "deletion":
            scene.remove("a")
            scene.job("a", schedule=HOURLY)
        case "rename":
            name = "a2"
            scene.files(a=spec("a2", schedule=HOURLY, renamed_from="a"))
        case "restart":
            scene.down_until("08:05")
        case "broken":
            scene.files(a="name: a\nschedule: nonsense\n")
            scene.job("a", schedule=HOURLY)
    scene.until("10:05")
    assert scene.runs(name) == []
    assert scene.rig.job(name).suspended_at is not None
    assert {run.reason for run in scene.rig.runs(name)} == {Reason.SUSPENDED}


def test_an_edit_that_declares_and_lifts_a_suspend_leaves_the_one_by_command(scene: Scene) -> None:
    scene.job("a", schedule=HOURLY)
    scene.ask(RequestKind.SUSPEND, "a")
    scene.job("a", schedule=HOURLY, suspend={"reason": "frozen"})
    scene.job("a", schedule=HOURLY)
    scene.until("09:05")
    assert scene.told("a") == ["09:00 skipped suspended"]


def test_a_run_keeps_the_spec_it_started_under(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", schedule=HOURLY, timeout="3h")
    scene.until("09:05")
    (before,) = scene.runs("a")
    scene.job("a", schedule=HOURLY, timeout="1m", description="edited")
    scene.until("09:30")
    (run,) = scene.runs("a")
    assert run.state is RunState.RUNNING, "the timeout of a run is that of its start"
    assert (run.generation, run.digest) == (1, before.digest)
    assert scene.rig.job("a").generation == 2


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param({"description": "edited"}, id="description"),
        pytest.param({"run": {"command": ["b"]}}, id="program"),
        pytest.param({"retry": {"attempts": 3}}, id="retry"),
        pytest.param({"repeat": 5}, id="repeat"),
        pytest.param({"end_at": "2030-01-01T00:00:00Z"}, id="end"),
        pytest.param({"timezone": "Europe/Berlin"}, id="timezone"),
        pytest.param({"jitter": "1h"}, id="jitter"),
        pytest.param({"missed": "all"}, id="missed"),
    ],
)
def test_a_finished_one_shot_is_not_fired_again_by_an_edit_of_something_else(
    scene: Scene, edited: dict[str, object]
) -> None:
    once = {"schedule": "2027-01-15T09:00:00Z"}
    scene.job("a", **once)
    scene.until("09:05")
    scene.job("a", **once, **edited)
    scene.until("11:00")
    scene.down_until("12:00")
    assert scene.told("a") == ["09:00 succeeded"]
    assert scene.rig.job("a").completed_at is not None
    assert scene.rig.job("a").next_at is None


def test_a_finished_one_shot_is_not_fired_again_by_a_rename_or_by_deleting_and_adding_it(scene: Scene) -> None:
    once = {"schedule": "2027-01-15T09:00:00Z"}
    scene.files(a=spec("a", **once), other=spec("other"))
    scene.until("09:05")
    scene.files(a=spec("b", **once, renamed_from="a"))
    scene.until("09:10")
    assert scene.told("b") == ["09:00 succeeded"]
    scene.files(a=None)
    scene.rig.clock.sleep(3)
    scene.rig.look()
    assert scene.rig.job("b").archived_at is not None
    scene.files(a=spec("b", **once))
    scene.until("09:30")
    assert scene.told("b") == ["09:00 succeeded"]
    assert scene.rig.job("b").completed_at is not None


def test_a_run_that_goes_on_while_its_job_is_deleted_and_added_again_keeps_its_place(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.files(a=spec("a", schedule=HOURLY), other=spec("other"))
    scene.until("09:05")
    scene.remove("a")
    gone = scene.rig.clock.now()
    scene.files(a=spec("a", schedule=HOURLY))
    scene.excused["a"] = [(gone, scene.rig.clock.now())]
    scene.until("10:05")
    assert scene.told("a") == ["09:00 running", "10:00 skipped overlap"]


def test_a_one_shot_whose_instant_passed_while_no_daemon_ran_is_caught_up_although_something_else_was_edited(
    scene: Scene,
) -> None:
    scene.job("a", schedule="2027-01-15T09:00:00Z")
    scene.rig.file("a.yaml", spec("a", schedule="2027-01-15T09:00:00Z", description="edited"))
    scene.down_until("10:00")
    assert scene.told("a") == ["09:00 succeeded"]


def test_a_one_shot_that_is_given_a_new_instant_runs_again(scene: Scene) -> None:
    scene.job("a", schedule="2027-01-15T09:00:00Z")
    scene.until("09:05")
    scene.job("a", schedule="2027-01-15T10:00:00Z")
    assert scene.rig.job("a").completed_at is None
    scene.until("10:05")
    assert scene.told("a") == ["09:00 succeeded", "10:00 succeeded"]


def test_a_one_shot_deleted_before_its_instant_and_added_after_it_does_not_run_and_says_so(scene: Scene) -> None:
    scene.files(a=spec("a", schedule="2027-01-15T09:00:00Z"), b=spec("b"))
    scene.remove("a")
    scene.until("10:00")
    scene.job("a", schedule="2027-01-15T09:00:00Z")
    scene.rig.wait(60)
    assert scene.told("a") == ["09:00 skipped past"]
    assert scene.rig.job("a").completed_at is not None


def test_an_edit_of_anything_but_the_schedule_keeps_the_grid_of_an_interval(scene: Scene) -> None:
    scene.job("a", schedule="every 1h")
    first = scene.rig.job("a").next_at
    scene.until("08:40")
    scene.job("a", schedule="every 1h", description="edited", retry={"attempts": 2})
    assert scene.rig.job("a").next_at == first
    scene.job("a", schedule="every 60m")
    assert scene.rig.job("a").next_at == first, "another spelling is no other schedule"
    scene.job("a", schedule="every 59m")
    assert scene.rig.job("a").next_at == scene.rig.clock.now() + 59 * 60 * SECOND
