"""Runs that somebody asks for while another run of the job is in the way: the answer says which, and what to do."""

from __future__ import annotations

import pytest

from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, Scene, document, spec


def test_a_run_that_goes_on_is_named(scene: Scene) -> None:
    scene.programs(a=FOREVER)
    scene.job("a")
    scene.trigger("a")
    (active,) = scene.runs("a")
    assert scene.trigger("a") == f"refused: default/a has an active run {active.id}; wait for it, or cancel it first"


@pytest.mark.parametrize(
    ("fields", "waits"),
    [
        pytest.param({"depends_on": ["up"]}, "waits for the jobs it depends on", id="dependency"),
        pytest.param({"pool": "full"}, "waits for a free slot of its pool", id="pool"),
        pytest.param({"calendar": "nights"}, "waits for its calendar to allow it", id="calendar"),
    ],
)
def test_a_run_that_waits_is_said_to_wait_and_what_for(scene: Scene, fields: dict[str, object], waits: str) -> None:
    scene.programs(holder=FOREVER)
    scene.files(
        pool=document("Pool", "full", slots=1),
        calendar=document("Calendar", "nights", mode="allow", action="defer", windows=[{"from": "22:00"}]),
        up=spec("up"),
        holder=spec("holder", pool="full"),
        a=spec("a", schedule=EVERY_10_MINUTES, **fields),
    )
    scene.trigger("holder")
    scene.until("08:11")
    (waiting,) = scene.runs("a")
    refused = (
        f"refused: default/a has run {waiting.id} already, which {waits}; `jobsctl cancel {waiting.id}` makes room"
    )
    assert scene.trigger("a") == refused
    scene.cancel(waiting)
    assert scene.trigger("a").startswith("done: run ")


def test_an_attempt_that_waits_for_its_delay_gives_way(scene: Scene) -> None:
    scene.programs(a=FAILS)
    scene.job("a", retry={"attempts": 3, "delay": "1h"})
    for _ in range(2):
        assert scene.trigger("a").startswith("done: run ")
    assert [run.reason for run in scene.runs("a")] == ["exit_code", "superseded", "exit_code", "backoff"]
