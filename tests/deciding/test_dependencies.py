"""Jobs that wait for other jobs: freshness, chains, fans, diamonds and failures, end to end in made-up time."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from runners.stub import Script
from state.inbox import RequestKind
from state.records import Reason, RunState, Trigger
from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, Scene, spec

TAKES_A_MINUTE = Script(takes=60)


def house(scene: Scene, **jobs: Mapping[str, object]) -> None:
    """These jobs, and a minute in which nothing happens."""
    scene.files(**{name: spec(name, **fields) for name, fields in jobs.items()})
    scene.rig.wait(60)


def succeed(scene: Scene, name: str) -> str:
    """Somebody triggers it, it succeeds; its run. A minute passes first: no two ends are at one instant."""
    scene.rig.wait(60)
    scene.trigger(name)
    run = scene.runs(name)[-1]
    assert run.state is RunState.SUCCEEDED
    return run.id


def upstream(scene: Scene, name: str) -> list[dict[str, str]]:
    return [dict(run.upstream or {}) for run in scene.runs(name)]


def test_a_scheduled_job_is_blocked_until_its_upstream_has_succeeded_since_its_last_run(scene: Scene) -> None:
    house(scene, up={}, down={"schedule": EVERY_10_MINUTES, "depends_on": ["up"]})
    scene.until("08:11")
    assert scene.told("down") == ["08:10 blocked dependency"]
    first = succeed(scene, "up")
    assert scene.told("down") == ["08:10 succeeded"]
    scene.until("08:21")
    assert scene.told("down")[1:] == ["08:20 blocked dependency"], "one success is good for one run"
    second = succeed(scene, "up")
    assert upstream(scene, "down") == [{"default/up": first}, {"default/up": second}]


def test_a_success_before_the_slot_is_waiting_for_it(scene: Scene) -> None:
    house(scene, up={}, down={"schedule": EVERY_10_MINUTES, "depends_on": ["up"]})
    succeed(scene, "up")
    scene.until("08:11")
    assert scene.told("down") == ["08:10 succeeded"]


def test_a_success_within_max_age_is_good_for_several_runs_and_an_older_one_for_none(scene: Scene) -> None:
    house(scene, up={}, down={"schedule": EVERY_10_MINUTES, "depends_on": [{"job": "up", "max_age": "25m"}]})
    succeed(scene, "up")
    scene.until("08:41")
    assert scene.told("down") == [
        "08:10 succeeded",
        "08:20 succeeded",
        "08:30 blocked dependency",
        "08:40 skipped dependency",
    ]


def test_a_chain_without_schedules_runs_from_one_end_to_the_other(scene: Scene) -> None:
    scene.programs(a=TAKES_A_MINUTE, b=TAKES_A_MINUTE, c=TAKES_A_MINUTE)
    house(scene, a={"schedule": "0 * * * *"}, b={"depends_on": ["a"]}, c={"depends_on": ["b"]})
    scene.until("09:05")
    for name in "abc":
        assert [run.state for run in scene.runs(name)] == [RunState.SUCCEEDED]
    a, b, c = (scene.runs(name)[0] for name in "abc")
    assert [b.trigger, c.trigger] == [Trigger.DEPENDENCY] * 2
    assert (b.started_at, c.started_at) == (a.finished_at, b.finished_at)
    assert (b.upstream, c.upstream) == ({"default/a": a.id}, {"default/b": b.id})


def test_a_fan_out_starts_all_that_follow(scene: Scene) -> None:
    house(scene, up={}, **{f"d{n}": {"depends_on": ["up"]} for n in range(5)})
    run = succeed(scene, "up")
    assert [upstream(scene, f"d{n}") for n in range(5)] == [[{"default/up": run}]] * 5


def test_a_fan_in_waits_for_all_and_starts_once(scene: Scene) -> None:
    house(scene, a={}, b={}, c={}, down={"depends_on": ["a", "b", "c"]})
    runs = {"default/a": succeed(scene, "a"), "default/b": succeed(scene, "b")}
    assert scene.told("down") == []
    runs["default/c"] = succeed(scene, "c")
    assert upstream(scene, "down") == [runs]
    succeed(scene, "a")
    succeed(scene, "a")
    succeed(scene, "b")
    assert len(scene.runs("down")) == 1
    succeed(scene, "c")
    assert len(scene.runs("down")) == 2


@pytest.mark.parametrize("then", ["crash", "resume"])
def test_a_half_complete_fan_in_survives_a_crash_and_a_resume_of_what_was_not_suspended(
    scene: Scene, then: str
) -> None:
    house(scene, a={}, b={}, down={"depends_on": ["a", "b"]})
    succeed(scene, "a")
    scene.rig.wait(60)
    if then == "resume":
        assert scene.ask(RequestKind.RESUME, "down").startswith("done: default/down was not suspended")
    else:
        scene.down_until("08:20")
    succeed(scene, "b")
    assert len(scene.runs("down")) == 1


def test_the_end_of_a_diamond_runs_once_for_each_beginning(scene: Scene) -> None:
    scene.programs(top=TAKES_A_MINUTE, left=TAKES_A_MINUTE, right=Script(takes=300), end=TAKES_A_MINUTE)
    house(
        scene,
        top={"schedule": "0 * * * *"},
        left={"depends_on": ["top"]},
        right={"depends_on": ["top"]},
        end={"depends_on": ["left", "right"]},
    )
    scene.until("11:30")
    assert [len(scene.runs(name)) for name in ("top", "left", "right", "end")] == [3, 3, 3, 3]
    for end, left, right in zip(*(scene.runs(name) for name in ("end", "left", "right")), strict=True):
        assert end.upstream == {"default/left": left.id, "default/right": right.id}


@pytest.mark.parametrize(
    ("policy", "scheduled", "unscheduled"),
    [
        pytest.param("wait", ["08:10 blocked dependency"], [], id="wait"),
        pytest.param("fail", ["08:10 failed dependency"], ["failed dependency"], id="fail"),
        pytest.param("run", ["08:10 succeeded"], ["succeeded"], id="run"),
    ],
)
def test_what_a_failure_upstream_does(scene: Scene, policy: str, scheduled: list[str], unscheduled: list[str]) -> None:
    scene.programs(up=FAILS)
    follows = {"depends_on": ["up"], "on_dependency_failure": policy, "retry": {"attempts": 3}}
    house(scene, up={}, clocked={"schedule": EVERY_10_MINUTES, **follows}, free=follows)
    scene.trigger("up")
    scene.until("08:11")
    assert scene.told("clocked") == scheduled
    assert [text.partition(" ")[2] for text in scene.told("free")] == unscheduled
    scene.until("08:21")
    assert len(scene.runs("free")) == len(unscheduled), "a failure is followed once"


def test_a_job_that_failed_for_its_upstream_runs_when_that_succeeds_again(scene: Scene) -> None:
    scene.programs(up=FAILS)
    house(scene, up={}, down={"depends_on": ["up"], "on_dependency_failure": "fail"})
    scene.trigger("up")
    (failed,) = scene.runs("down")
    assert (failed.state, failed.reason, failed.started_at) == (RunState.FAILED, Reason.DEPENDENCY, None)
    assert "default/up" in (failed.error or "")
    scene.programs()
    succeed(scene, "up")
    assert [run.state for run in scene.runs("down")] == [RunState.FAILED, RunState.SUCCEEDED]


@pytest.mark.parametrize("policy", ["fail", "run"])
def test_an_upstream_has_not_failed_before_its_last_attempt(scene: Scene, policy: str) -> None:
    scene.programs(up=lambda launch: FAILS if launch.env["JOBSCTL_ATTEMPT"] < "3" else Script())
    retry = {"attempts": 3, "delay": "1m", "jitter": 0}
    house(scene, up={"retry": retry}, down={"depends_on": ["up"], "on_dependency_failure": policy})
    scene.trigger("up")
    scene.rig.wait(30)
    assert scene.told("down") == [], "it waits for the next attempt"
    scene.down_until("08:04")
    scene.until("08:10")
    last = scene.runs("up")[-1]
    assert (last.attempt, last.state) == (3, RunState.SUCCEEDED)
    assert upstream(scene, "down") == [{"default/up": last.id}]


def test_an_upstream_whose_last_attempt_failed_has_failed(scene: Scene) -> None:
    scene.programs(up=FAILS)
    retry = {"attempts": 2, "delay": "1m", "jitter": 0}
    house(scene, up={"retry": retry}, down={"depends_on": ["up"], "on_dependency_failure": "fail"})
    scene.trigger("up")
    scene.until("08:10")
    assert [run.state for run in scene.runs("up")] == [RunState.FAILED] * 2
    assert [run.reason for run in scene.runs("down")] == [Reason.DEPENDENCY]


def test_a_run_is_told_what_it_follows(scene: Scene) -> None:
    house(scene, **{"up-1": {}, "down": {"depends_on": ["up-1"]}})
    run = succeed(scene, "up-1")
    env = scene.rig.runner.launched[-1].env
    assert env["JOBSCTL_UPSTREAM_UP_1_RUN_ID"] == run
    assert env["JOBSCTL_UPSTREAM_UP_1_OUTPUT_DIR"].endswith(f"/default/up-1/{run}/outputs")
    assert env["JOBSCTL_UPSTREAM_UP_1_RESULT_FILE"].endswith(f"/default/up-1/{run}/result.json")
    assert env["JOBSCTL_TRIGGER"] == "dependency"


def test_a_retry_follows_what_its_first_attempt_followed(scene: Scene) -> None:
    scene.programs(down=lambda launch: FAILS if launch.env["JOBSCTL_ATTEMPT"] == "1" else Script())
    house(scene, up={}, down={"depends_on": ["up"], "retry": {"attempts": 2, "delay": "1m", "jitter": 0}})
    run = succeed(scene, "up")
    scene.down_until("08:10")
    assert scene.runs("down")[-1].attempt == 2
    assert upstream(scene, "down") == [{"default/up": run}] * 2
    assert scene.rig.runner.launched[-1].env["JOBSCTL_UPSTREAM_UP_RUN_ID"] == run


def test_a_run_somebody_asks_for_waits_for_nothing_and_uses_up_nothing(scene: Scene) -> None:
    house(scene, up={}, down={"schedule": EVERY_10_MINUTES, "depends_on": ["up"]})
    succeed(scene, "down")
    run = succeed(scene, "up")
    succeed(scene, "down")
    assert upstream(scene, "down") == [{}, {"default/up": run}]
    scene.until("08:11")
    assert scene.told("down")[-1] == "08:10 succeeded"


def test_a_success_while_its_run_is_active_is_followed_after_it(scene: Scene) -> None:
    scene.programs(down=Script(takes=600))
    house(scene, up={}, down={"depends_on": ["up"]})
    succeed(scene, "up")
    succeed(scene, "up")
    last = succeed(scene, "up")
    assert len(scene.runs("down")) == 1
    scene.until("08:30")
    assert len(scene.runs("down")) == 2, "what came meanwhile is one run"
    assert scene.runs("down")[1].upstream == {"default/up": last}


def test_what_came_while_no_daemon_ran_is_followed_by_one_run(scene: Scene) -> None:
    scene.programs(up=Script(takes=120))
    house(scene, up={}, down={"depends_on": ["up"]})
    scene.trigger("up")
    scene.down_until("10:00")
    assert len(scene.runs("down")) == 1
    scene.down_until("11:00")
    assert len(scene.runs("down")) == 1


def test_a_cancelled_upstream_is_neither_a_success_nor_a_failure(scene: Scene) -> None:
    scene.programs(up=FOREVER)
    house(scene, up={}, down={"depends_on": ["up"], "on_dependency_failure": "fail"})
    scene.trigger("up")
    scene.cancel(scene.runs("up")[0])
    assert scene.runs("up")[0].state is RunState.CANCELLED
    assert scene.told("down") == []


def test_a_blocked_run_can_be_cancelled_and_the_next_slot_waits_anew(scene: Scene) -> None:
    house(scene, up={}, down={"schedule": EVERY_10_MINUTES, "depends_on": ["up"]})
    scene.until("08:11")
    scene.cancel(scene.runs("down")[0])
    assert scene.told("down") == ["08:10 cancelled"]
    scene.until("08:21")
    assert scene.told("down")[1:] == ["08:20 blocked dependency"]


def test_an_upstream_that_is_renamed_with_its_dependents_starts_none_of_them(scene: Scene) -> None:
    house(scene, up={}, free={"depends_on": ["up"]}, clocked={"schedule": EVERY_10_MINUTES, "depends_on": ["up"]})
    succeed(scene, "up")
    scene.until("08:11")
    assert [len(scene.runs(name)) for name in ("free", "clocked")] == [1, 1]
    scene.files(
        up=spec("up2", renamed_from="up"),
        free=spec("free", depends_on=["up2"]),
        clocked=spec("clocked", schedule=EVERY_10_MINUTES, depends_on=["up2"]),
    )
    scene.until("08:21")
    assert len(scene.runs("free")) == 1
    assert scene.told("clocked") == ["08:10 succeeded", "08:20 blocked dependency"], "that success was used"
    succeed(scene, "up2")
    assert [len(scene.runs(name)) for name in ("free", "clocked")] == [2, 2]


def test_a_clock_set_back_by_a_day_does_not_hold_up_a_chain(scene: Scene) -> None:
    house(scene, up={}, down={"depends_on": ["up"]})
    scene.until("+1 09:00")
    succeed(scene, "up")
    assert len(scene.runs("down")) == 1
    scene.set_clock("09:30")
    scene.rig.wait(60)
    assert len(scene.runs("down")) == 1
    succeed(scene, "up")
    assert len(scene.runs("down")) == 2
