"""Pools end to end: jobs that share slots, within one batch and across batches, while the document changes."""

from __future__ import annotations

from collections import Counter

import pytest

from reconciler.decide import decide as decide_in_earnest
from runners.stub import Script
from state.inbox import RequestKind
from state.records import ACTIVE_STATES, Reason, RunState
from tests.deciding.scenes import EVERY_10_MINUTES, FOREVER, Scene, document, spec


def states(scene: Scene, names: list[str]) -> Counter[RunState]:
    return Counter(run.state for name in names for run in scene.runs(name))


def crowd(scene: Scene, number: int, slots: int, **fields: object) -> list[str]:
    names = [f"j{n:02}" for n in range(number)]
    given = {"schedule": EVERY_10_MINUTES, "pool": "db", **fields}
    scene.files(pool=document("Pool", "db", slots=slots), **{name: spec(name, **given) for name in names})
    return names


@pytest.mark.parametrize("number", [5, 70], ids=["one-batch", "several-batches"])
def test_no_more_runs_than_slots_however_many_are_due_at_once(scene: Scene, number: int) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    names = crowd(scene, number, 3)
    scene.until("08:10:30")
    assert states(scene, names) == {RunState.RUNNING: 3, RunState.BLOCKED: number - 3}
    assert {run.reason for name in names for run in scene.runs(name) if run.state is RunState.BLOCKED} == {Reason.POOL}


def test_the_pool_is_never_overfull_and_never_idle_while_somebody_waits(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: Script(takes=61)
    names = crowd(scene, 12, 3)
    at_once = []
    for minute in range(10, 20):
        scene.until(f"08:{minute}:30")
        at_once.append(states(scene, names)[RunState.RUNNING])
    assert at_once[:4] == [3, 3, 3, 3]
    assert max(at_once) == 3
    assert states(scene, names) == {RunState.SUCCEEDED: 12}


def test_two_that_wait_start_one_after_the_other_when_the_pool_is_freed(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    scene.files(pool=document("Pool", "db", slots=1), **{name: spec(name, pool="db") for name in "abc"})
    for name in "abc":
        scene.rig.wait(1)
        assert ("waits for a slot of pool db" in scene.trigger(name)) is (name != "a")
    for done, following in ("ab", "bc"):
        scene.rig.runner.finish(scene.runs(done)[0].id)
        scene.rig.settle()
        assert [run.state for run in scene.runs(following)] == [RunState.RUNNING]
    assert states(scene, ["a", "b", "c"])[RunState.BLOCKED] == 0


def test_the_important_first_and_equal_ones_by_age(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: Script(takes=10)
    jobs = {"first": 0, "second": 0, "urgent": 50, "idle": -50}
    scene.files(
        pool=document("Pool", "db", slots=1),
        **{name: spec(name, pool="db", priority=priority) for name, priority in jobs.items()},
    )
    for name in ("first", "idle", "second", "urgent"):
        scene.rig.clock.sleep(1)
        scene.trigger(name)
    scene.until("08:05")
    assert [launch.argv[0] for launch in scene.rig.runner.launched] == ["first", "urgent", "second", "idle"]


def test_a_priority_that_is_edited_counts_for_the_run_that_waits_already(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    scene.files(pool=document("Pool", "db", slots=1), **{name: spec(name, pool="db") for name in "abc"})
    for name in "abc":
        scene.rig.wait(1)
        scene.trigger(name)
    scene.job("c", pool="db", priority=10)
    scene.rig.runner.finish(scene.runs("a")[0].id)
    scene.rig.settle()
    assert [scene.runs(name)[0].state for name in "bc"] == [RunState.BLOCKED, RunState.RUNNING]


def test_a_greedy_job_starves_no_other(scene: Scene) -> None:
    """One is due every minute, runs beside itself and has the pool full; the other comes by every 10 minutes."""
    scene.rig.runner._script = lambda launch: Script(takes=170)
    scene.files(
        pool=document("Pool", "db", slots=2),
        greedy=spec("greedy", schedule="* * * * *", overlap="allow", max_concurrent=50, pool="db"),
        modest=spec("modest", schedule=EVERY_10_MINUTES, pool="db"),
    )
    scene.until("09:25")
    waits = [
        run.started_at - run.scheduled_for
        for run in scene.runs("modest")
        if run.started_at is not None and run.scheduled_for is not None
    ]
    assert len(waits) == 8
    assert max(waits) <= 180 * 1_000_000, "it is served as soon as the first run of the greedy one ends"


def test_a_pool_that_grows_lets_more_in_and_one_that_shrinks_stops_nobody(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    names = crowd(scene, 6, 2)
    scene.until("08:11")
    scene.files(pool=document("Pool", "db", slots=4))
    assert states(scene, names) == {RunState.RUNNING: 4, RunState.BLOCKED: 2}
    scene.files(pool=document("Pool", "db", slots=1))
    assert states(scene, names) == {RunState.RUNNING: 4, RunState.BLOCKED: 2}
    for left in (3, 2, 1):
        running = [run for name in names for run in scene.runs(name) if run.state is RunState.RUNNING]
        scene.rig.runner.finish(running[0].id)
        scene.rig.settle()
        assert states(scene, names)[RunState.RUNNING] == left


def test_a_pool_that_shrinks_in_the_pass_in_which_a_slot_was_given_away_forgets_nobody(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    scene.files(pool=document("Pool", "db", slots=2), **{name: spec(name, pool="db") for name in "abc"})
    for name in "abc":
        scene.rig.wait(1)
        scene.trigger(name)
    scene.rig.file("pool.yaml", document("Pool", "db", slots=1))
    scene.rig.looks.append(scene.rig.source.look())
    scene.rig.runner.finish(scene.runs("a")[0].id)  # c's turn, but the same pass takes the slot away
    scene.rig.settle()
    assert [scene.runs(name)[0].state for name in "bc"] == [RunState.RUNNING, RunState.BLOCKED]
    scene.rig.runner.finish(scene.runs("b")[0].id)
    scene.rig.settle()
    assert scene.runs("c")[0].state is RunState.RUNNING


@pytest.mark.parametrize("broken", ["kind: Pool\nname: db\nslots: many\n", None], ids=["invalid", "removed"])
def test_a_pool_whose_document_is_invalid_or_gone_goes_on_as_it_was(scene: Scene, broken: str | None) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    names = crowd(scene, 3, 2)
    scene.files(pool=broken)
    scene.rig.clock.sleep(5)
    scene.rig.look()
    scene.until("08:10:30")
    assert states(scene, names) == {RunState.RUNNING: 2, RunState.BLOCKED: 1}
    scene.down_until("08:12")
    assert states(scene, names) == {RunState.RUNNING: 2, RunState.BLOCKED: 1}
    scene.files(pool=document("Pool", "db", slots=3))
    assert states(scene, names) == {RunState.RUNNING: 3}


def test_a_job_that_leaves_its_pool_starts_and_one_that_enters_a_full_one_waits(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    scene.files(pool=document("Pool", "db", slots=1), **{name: spec(name, pool="db") for name in "ab"}, c=spec("c"))
    scene.trigger("a")
    scene.trigger("b")
    scene.job("b")
    assert scene.runs("b")[0].state is RunState.RUNNING
    scene.job("c", pool="db")
    scene.trigger("c")
    assert (scene.runs("c")[0].state, scene.runs("c")[0].reason) == (RunState.BLOCKED, Reason.POOL)


def test_a_slot_is_free_again_after_every_way_a_run_can_go(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    scene.files(
        pool=document("Pool", "db", slots=1),
        a=spec("a", schedule=EVERY_10_MINUTES, pool="db"),
        b=spec("b", schedule=EVERY_10_MINUTES, pool="db"),
        c=spec("c", pool="db"),
    )
    scene.until("08:10:01")
    running, waiting = sorted((scene.runs(name)[0] for name in "ab"), key=lambda run: run.state is RunState.BLOCKED)
    scene.trigger("c")
    scene.cancel(waiting)
    assert scene.runs("c")[0].state is RunState.BLOCKED
    scene.rig.runner.lose(running.id)
    scene.rig.settle()
    assert scene.runs("c")[0].state is RunState.RUNNING
    scene.until("08:20:01")
    scene.cancel(scene.runs("c")[0])
    last = [scene.runs(name)[-1].state for name in "ab"]
    assert sorted(last) == [RunState.BLOCKED, RunState.RUNNING]
    waits = "ab"[last.index(RunState.BLOCKED)]
    scene.ask(RequestKind.SUSPEND, waits)
    assert scene.runs(waits)[-1].state is not RunState.BLOCKED
    assert sum(run.state in ACTIVE_STATES for name in "abc" for run in scene.runs(name)) == 1


def test_a_job_on_which_deciding_fails_does_not_keep_the_slot_it_was_chosen_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.rig.runner._script = lambda launch: FOREVER
    scene.files(pool=document("Pool", "db", slots=1), **{name: spec(name, pool="db") for name in "abc"})
    for name in "abc":
        scene.rig.wait(1)
        scene.trigger(name)
    poisoned = True

    def decide(schedule, observed, *rest):  # type: ignore[no-untyped-def]
        if poisoned and observed.identity == "default/b":
            raise RuntimeError("poison")
        return decide_in_earnest(schedule, observed, *rest)

    monkeypatch.setattr("reconciler.act.decide", decide)
    scene.rig.runner.finish(scene.runs("a")[0].id)
    scene.rig.wait(1)
    assert [scene.runs(name)[0].state for name in "bc"] == [RunState.BLOCKED, RunState.RUNNING]
    poisoned = False
    scene.rig.wait(600)
    scene.rig.runner.finish(scene.runs("c")[0].id)
    scene.rig.settle()
    assert scene.runs("b")[0].state is RunState.RUNNING


def test_a_pool_is_as_full_after_a_crash_as_before(scene: Scene) -> None:
    scene.rig.runner._script = lambda launch: Script(takes=240)
    names = crowd(scene, 5, 2)
    scene.until("08:11")
    scene.down_until("08:12")
    assert states(scene, names) == {RunState.RUNNING: 2, RunState.BLOCKED: 3}
    scene.down_until("08:15")
    assert states(scene, names) == {RunState.SUCCEEDED: 2, RunState.RUNNING: 2, RunState.BLOCKED: 1}
