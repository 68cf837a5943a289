"""Silences: asked for once, told as events, over by time or by somebody, and without effect on what runs."""

from __future__ import annotations

from state.inbox import RequestKind
from state.reads import Reader
from state.records import SilenceRecord
from tests.deciding.scenes import EVERY_10_MINUTES, Scene, clock, shown


def held(scene: Scene, at: str) -> list[str]:
    """Who is silenced at an instant, and until when."""
    silences: list[SilenceRecord] = scene.rig.store.silences(after=0)
    return [f"{each.identity} until {shown(each.until)}" for each in silences if each.holds(clock(at))]


def silence(scene: Scene, name: str, until: str) -> str:
    return scene.ask(RequestKind.SILENCE, name, params={"until": clock(until)})


def test_a_silence_holds_until_its_time_and_is_an_event(scene: Scene) -> None:
    scene.job("a", schedule=EVERY_10_MINUTES)
    scene.until("08:05")
    assert silence(scene, "a", "09:00").startswith("done: default/a silenced until ")
    assert held(scene, "08:30") == ["default/a until 09:00"]
    assert held(scene, "09:00") == []
    with Reader(scene.rig.home.database) as reader:
        (event,) = reader.events(reasons=["silenced"])
    assert event.message.startswith("Silenced by ann@desk until ")
    scene.until("08:31")
    assert scene.told("a") == ["08:10 succeeded", "08:20 succeeded", "08:30 succeeded"]


def test_a_new_silence_takes_the_place_of_the_old(scene: Scene) -> None:
    scene.job("a")
    silence(scene, "a", "12:00")
    silence(scene, "a", "09:00")
    assert held(scene, "08:30") == ["default/a until 09:00"]


def test_somebody_ends_it_once(scene: Scene) -> None:
    scene.job("a")
    silence(scene, "a", "12:00")
    scene.until("08:05")
    assert scene.ask(RequestKind.END_SILENCE, "a").startswith("done: the silence of default/a is over")
    assert held(scene, "08:06") == []
    assert scene.ask(RequestKind.END_SILENCE, "a") == "refused: default/a is not silenced"


def test_a_job_that_nobody_knows_cannot_be_silenced(scene: Scene) -> None:
    scene.job("a")
    assert silence(scene, "nobody", "09:00").startswith("refused: there is no job default/nobody")
    assert held(scene, "08:30") == []


def test_all_jobs_are_silenced_and_ended_apart_from_single_ones(scene: Scene) -> None:
    scene.job("a")
    silence(scene, "a", "12:00")
    scene.rig.ask(RequestKind.SILENCE, None, params={"until": clock("10:00")})
    scene.rig.settle()
    assert held(scene, "08:30") == ["default/a until 12:00", "None until 10:00"]
    assert "all jobs are silenced" in scene.ask(RequestKind.END_SILENCE, "a")
    assert held(scene, "08:30") == ["None until 10:00"]
