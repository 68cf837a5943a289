"""Jobs whose file goes, comes back, or calls them otherwise: what runs, what waits, what is kept."""

from __future__ import annotations

import pytest

from runners.stub import Script
from state.inbox import RequestKind
from state.records import Reason, RunState
from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, Scene, clock, document, spec

RETRY = {"attempts": 2, "delay": "30m", "max_delay": "30m", "jitter": 0}


@pytest.mark.parametrize(
    ("on_delete", "expected"),
    [
        pytest.param("finish", (RunState.RUNNING, None), id="finish"),
        pytest.param("cancel", (RunState.CANCELLED, Reason.DELETED), id="cancel"),
    ],
)
def test_an_active_run_when_the_file_goes(
    scene: Scene, on_delete: str, expected: tuple[RunState, Reason | None]
) -> None:
    scene.programs(a=FOREVER)
    scene.files(a=spec("a", on_delete=on_delete), b=spec("b"))
    scene.trigger("a")
    scene.remove("a")
    scene.rig.wait(20)
    (run,) = scene.runs("a")
    assert (run.state, run.reason) == expected
    if run.state is RunState.RUNNING:
        scene.rig.runner.finish(run.id)
        scene.rig.settle()
        assert scene.runs("a")[0].state is RunState.SUCCEEDED


@pytest.mark.parametrize("on_delete", ["finish", "cancel"])
@pytest.mark.parametrize("waits_for", ["pool", "overlap", "dependency", "backoff", "calendar"])
def test_what_waits_ends_when_the_file_goes(scene: Scene, on_delete: str, waits_for: str) -> None:
    """It was never started, and no spec says any more how it would be."""
    scene.programs(hog=FOREVER, a=FAILS if waits_for == "backoff" else FOREVER)
    given: dict[str, dict[str, object]] = {
        "pool": {"pool": "one"},
        "overlap": {"overlap": "queue"},
        "dependency": {"depends_on": ["up"]},
        "backoff": {"retry": RETRY},
        "calendar": {"calendar": "closed"},
    }
    scene.files(
        pool=document("Pool", "one", slots=1),
        cal=document("Calendar", "closed", action="defer", windows=[{"from": "08:05", "to": "12:00"}]),
        hog=spec("hog", pool="one"),
        up=spec("up"),
        a=spec("a", schedule=EVERY_10_MINUTES, on_delete=on_delete, **given[waits_for]),
    )
    scene.trigger("hog")
    scene.until("08:25" if waits_for == "overlap" else "08:15")
    (waiting,) = [run for run in scene.runs("a") if run.state is RunState.BLOCKED]
    assert waiting.reason is not None
    assert waiting.reason.value == waits_for
    scene.remove("a")
    scene.rig.wait(30)
    ended = scene.rig.store.run(waiting.id)
    assert ended is not None
    assert (ended.state, ended.reason, ended.started_at) == (RunState.CANCELLED, Reason.DELETED, None)


def test_a_failure_after_the_file_went_is_not_tried_again(scene: Scene) -> None:
    scene.programs(a=Script(takes=600, exit_code=1))
    scene.files(a=spec("a", retry=RETRY), b=spec("b"))
    scene.trigger("a")
    scene.remove("a")
    scene.until("09:30")
    assert [run.attempt for run in scene.runs("a")] == [1]


def test_a_job_that_is_kept_outlives_its_file_and_goes_on(scene: Scene) -> None:
    scene.files(a=spec("a", schedule=EVERY_10_MINUTES, prune=False), b=spec("b"))
    scene.remove("a")
    scene.down_until("08:05")
    scene.until("08:25")
    assert scene.rig.job("a").archived_at is None
    assert scene.told("a") == ["08:10 succeeded", "08:20 succeeded"]


def test_a_job_that_was_kept_can_be_deleted_by_command(scene: Scene) -> None:
    scene.files(a=spec("a", schedule=EVERY_10_MINUTES, prune=False), b=spec("b"))
    scene.remove("a")
    request = scene.rig.ask(RequestKind.DELETE, "default/a")
    scene.rig.settle()
    scene.rig.look()
    answer = scene.rig.store.request(request)
    assert answer is not None
    assert answer.outcome == "done"
    assert scene.rig.job("a").archived_at is not None


def test_a_rename_takes_everything_along(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", schedule="every 10m", repeat=10)
    scene.until("08:25")
    scene.ask(RequestKind.SUSPEND, "a")
    before = scene.rig.job("a")
    scene.files(a=spec("better", schedule="every 10m", repeat=10, renamed_from="a"))
    after = scene.rig.job("better")
    assert scene.rig.store.job_by_identity("default/a") is None
    for name in (
        "id", "anchor_at", "cursor_at", "next_at", "counts", "repeat_done", "suspended_at", "suspended_by", "health",
        "consecutive_failures", "last_run_id", "created_at",
    ):  # fmt: skip
        assert getattr(after, name) == getattr(before, name), name
    assert len(scene.runs("better")) == 2
    scene.ask(RequestKind.RESUME, "better")
    scene.until("08:35")
    assert scene.runs("better")[-1].state is RunState.SUCCEEDED


def test_a_rename_while_a_run_is_active_and_another_waits(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a", schedule=EVERY_10_MINUTES, overlap="queue")
    scene.until("08:25")
    scene.files(a=spec("b", schedule=EVERY_10_MINUTES, overlap="queue", renamed_from="a"))
    assert scene.told("b") == ["08:10 running", "08:20 blocked overlap"]
    scene.down_until("08:27")
    scene.rig.runner.finish(scene.runs("b")[0].id)
    scene.rig.settle()
    assert scene.told("b") == ["08:10 succeeded", "08:20 succeeded"]
    assert scene.runs("b")[0].filed_under == "default/a"


def test_a_rename_of_a_job_that_was_archived_brings_it_back_without_firing(scene: Scene) -> None:
    scene.files(a=spec("a", schedule=EVERY_10_MINUTES, missed="all"), b=spec("b"))
    scene.until("08:15")
    scene.remove("a")
    gone = scene.rig.clock.now()
    scene.until("09:15")
    scene.files(a=spec("c", schedule=EVERY_10_MINUTES, missed="all", renamed_from="a"))
    scene.excused["c"] = [(gone, scene.rig.clock.now())]
    scene.until("09:21")
    assert scene.told("c") == ["08:10 succeeded", "09:20 succeeded"]


def test_a_rename_done_in_two_commits_keeps_the_history(scene: Scene) -> None:
    scene.files(a=spec("a", schedule=EVERY_10_MINUTES), b=spec("b"))
    scene.until("08:15")
    scene.files(a=None)
    scene.files(c=spec("c", schedule=EVERY_10_MINUTES, renamed_from="a"))
    scene.rig.clock.sleep(5)
    scene.rig.look()
    assert scene.rig.store.job_by_identity("default/a") is None
    assert scene.told("c") == ["08:10 succeeded"]
    assert not scene.rig.world.missing


def test_renamed_from_is_of_no_effect_while_the_old_name_has_a_file(scene: Scene) -> None:
    scene.files(a=spec("a", schedule=EVERY_10_MINUTES))
    scene.until("08:15")
    scene.files(c=spec("c", schedule=EVERY_10_MINUTES, renamed_from="a"))
    assert scene.told("c") == []
    assert scene.told("a") == ["08:10 succeeded"]


def test_purged_and_added_again_it_is_a_new_job_that_fires_nothing(scene: Scene) -> None:
    scene.files(a=spec("a", schedule=EVERY_10_MINUTES, missed="all"), b=spec("b"))
    scene.until("08:15")
    scene.files(a=None)
    scene.rig.ask(RequestKind.DELETE, "default/a", params={"purge": True})
    scene.rig.settle()
    scene.rig.look()
    assert scene.rig.store.job_by_identity("default/a") is None
    scene.until("09:05")
    scene.job("a", schedule=EVERY_10_MINUTES, missed="all")
    assert scene.told("a") == []
    assert scene.rig.job("a").anchor_at > clock("09:00")
    scene.until("09:11")
    assert scene.told("a") == ["09:10 succeeded"]


@pytest.mark.parametrize("waits_for", ["pool", "overlap", "dependency", "backoff", "calendar"])
def test_a_suspend_ends_what_waits_for(scene: Scene, waits_for: str) -> None:
    scene.programs(hog=FOREVER, a=FAILS if waits_for == "backoff" else FOREVER)
    given: dict[str, dict[str, object]] = {
        "pool": {"pool": "one"},
        "overlap": {"overlap": "queue"},
        "dependency": {"depends_on": ["up"]},
        "backoff": {"retry": RETRY},
        "calendar": {"calendar": "closed"},
    }
    scene.files(
        pool=document("Pool", "one", slots=1),
        cal=document("Calendar", "closed", action="defer", windows=[{"from": "08:05", "to": "12:00"}]),
        hog=spec("hog", pool="one"),
        up=spec("up"),
        a=spec("a", schedule=EVERY_10_MINUTES, **given[waits_for]),
    )
    scene.trigger("hog")
    scene.until("08:25" if waits_for == "overlap" else "08:15")
    (waiting,) = [run for run in scene.runs("a") if run.state is RunState.BLOCKED]
    scene.ask(RequestKind.SUSPEND, "a")
    ended = scene.rig.store.run(waiting.id)
    assert ended is not None
    expected = RunState.CANCELLED if waits_for == "backoff" else RunState.SKIPPED
    assert (ended.state, ended.reason) == (expected, Reason.SUSPENDED)
    if waits_for == "overlap":
        assert scene.runs("a")[0].state is RunState.RUNNING, "what runs goes on"
