"""The daemon dies at every marked line in the middle of policies at work: nothing is lost, nothing happens twice.

The same marks as in tests/crashing, in made-up time: there real processes die, here every interleaving is cheap.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import reconciler
from runners.stub import Script
from state.inbox import RequestKind
from state.records import Reason, RunState
from tests.deciding.scenes import EVERY_10_MINUTES, FAILS, FOREVER, Scene, clock, document, spec

_MARK = re.compile(r"""(?<!def )crashpoint\(["']([a-z-]+)["']\)""")
MARKS = {
    (path.stem, mark)
    for path in Path(reconciler.__path__[0]).glob("*.py")
    if path.stem != "crashpoint"
    for mark in _MARK.findall(path.read_text(encoding="utf-8"))
}
HOUSEKEEPING = {"directories-removed", "history-pruned"}
IN_THE_LOOP = sorted({mark for _, mark in MARKS} - HOUSEKEEPING - {"before-adopt"})


class Killed(BaseException):
    """The process is gone."""


class Death:
    """Dies at the nth time a mark is reached."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mark, self.left, self.seen = "", 0, Counter[str]()
        for module in sorted({module for module, _ in MARKS}):
            monkeypatch.setattr(importlib.import_module(f"reconciler.{module}"), "crashpoint", self._reached)

    def at(self, mark: str, nth: int) -> None:
        self.mark, self.left = mark, nth

    def _reached(self, mark: str) -> None:
        self.seen[mark] += 1
        if mark == self.mark:
            self.left -= 1
            if self.left == 0:
                raise Killed


def survive(scene: Scene, step: Callable[[], object]) -> bool:
    """Do it; when the daemon dies meanwhile, start another one. Whether it died."""
    try:
        step()
    except Killed:
        scene.rig.crash()
        scene.rig.look()
        return True
    return False


def test_there_are_marks_to_die_at() -> None:
    assert {"slots-claimed", "ends-stored", "look-applied", "before-launch", "after-launch"} <= set(IN_THE_LOOP)


def policies_at_work(scene: Scene) -> None:
    """A chain behind a job that fails first, a pool of one, a queue, a replacement."""
    scene.programs(
        source=lambda launch: FAILS if launch.env["JOBSCTL_ATTEMPT"] == "1" else Script(takes=30),
        queued=Script(takes=890),
        replaced=FOREVER,
        p1=Script(takes=120),
        p2=Script(takes=120),
    )
    retry = {"attempts": 3, "delay": "1m", "jitter": 0}
    scene.files(
        pool=document("Pool", "one", slots=1),
        source=spec("source", schedule=EVERY_10_MINUTES, retry=retry),
        middle=spec("middle", depends_on=["source"]),
        sink=spec("sink", depends_on=["middle", "source"]),
        queued=spec("queued", schedule=EVERY_10_MINUTES, overlap="queue"),
        replaced=spec("replaced", schedule=EVERY_10_MINUTES, overlap="replace"),
        p1=spec("p1", schedule=EVERY_10_MINUTES, pool="one"),
        p2=spec("p2", schedule=EVERY_10_MINUTES, pool="one"),
    )


EXPECTED = {
    "source": [
        "08:10 failed exit_code", "08:10#2 succeeded", "08:20 failed exit_code", "08:20#2 succeeded",
        "08:30 failed exit_code", "08:30#2 succeeded",
    ],
    "queued": ["08:10 succeeded", "08:20 running", "08:30 blocked overlap"],
    "replaced": ["08:10 cancelled replaced", "08:20 cancelled replaced", "08:30 running"],
    "p1": ["08:10 succeeded", "08:20 succeeded", "08:30 succeeded"],
    "p2": ["08:10 succeeded", "08:20 succeeded", "08:30 succeeded"],
}  # fmt: skip


@pytest.mark.parametrize("mark", IN_THE_LOOP)
@pytest.mark.parametrize("nth", [1, 2, 3, 5, 8, 13])
def test_a_death_at(mark: str, nth: int, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    death = Death(monkeypatch)
    policies_at_work(scene)
    death.at(mark, nth)
    died = False
    for minute in range(1, 38):
        if minute == 15:
            # Something for the marks that files and people reach.
            died |= survive(scene, lambda: scene.files(idle=spec("idle")))
            died |= survive(scene, lambda: scene.trigger("idle"))
        died |= survive(scene, lambda minute=minute: scene.until(f"08:{minute:02}"))  # type: ignore[misc]
    assert died or death.seen[mark] < nth + 1, "the mark was reached often enough, but nobody died"
    for name, expected in EXPECTED.items():
        assert scene.told(name) == expected, name
    launched = Counter(launch.run_id for launch in scene.rig.runner.launched)
    assert max(launched.values()) == 1, "a run was started twice"
    successes = [run.id for run in scene.runs("source") if run.state is RunState.SUCCEEDED]
    assert [run.upstream for run in scene.runs("middle")] == [{"default/source": each} for each in successes]
    middles = [run.id for run in scene.runs("middle")]
    assert [(run.upstream or {})["default/middle"] for run in scene.runs("sink")] == middles


@pytest.mark.parametrize("mark", ["look-applied", "none"])
def test_on_delete_cancel_is_not_forgotten_by_a_death_at(
    mark: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    death = Death(monkeypatch)
    scene.programs(a=FOREVER)
    scene.files(a=spec("a", on_delete="cancel"), b=spec("b"))
    scene.trigger("a")
    scene.files(a=None)
    scene.rig.clock.sleep(3)
    death.at(mark, 1)
    died = survive(scene, scene.rig.look)
    assert died is (mark != "none")
    scene.rig.wait(20)
    assert [(run.state, run.reason) for run in scene.runs("a")] == [(RunState.CANCELLED, Reason.DELETED)]


@pytest.mark.parametrize("mark", ["request-answered", "after-launch", "before-launch"])
def test_a_trigger_is_done_once_over_a_death_at(mark: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    death = Death(monkeypatch)
    scene.files(a=spec("a"))
    death.at(mark, 1)
    assert survive(scene, lambda: scene.trigger("a"))
    scene.rig.wait(60)
    assert [run.state for run in scene.runs("a")] == [RunState.SUCCEEDED]
    assert clock("08:00") < scene.rig.clock.now()


def test_a_suspend_ends_what_waits_also_over_a_death_in_between(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    death = Death(monkeypatch)
    scene.files(up=spec("up"), a=spec("a", schedule=EVERY_10_MINUTES, depends_on=["up"]))
    scene.until("08:11")
    death.at("request-answered", 1)
    assert survive(scene, lambda: scene.ask(RequestKind.SUSPEND, "a"))
    scene.rig.wait(1)
    assert scene.told("a") == ["08:10 skipped suspended"]
