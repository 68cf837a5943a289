"""Runs that nobody has are tried again, also when the database refuses meanwhile: the simulation's seed 1089."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from runners.base import Launch, NeverStarted
from runners.stub import Script
from state.errors import DiskFull
from state.records import Reason, RunState
from tests.deciding.driving import MANUAL, Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def refuse_once(rig: Rig, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The next call of this method of the store finds the disk full."""
    real = getattr(rig.store, name)

    def full(*arguments: object) -> object:
        monkeypatch.setattr(rig.store, name, real)
        raise DiskFull(rig.home.database, "no space left")

    monkeypatch.setattr(rig.store, name, full)


def test_a_run_is_started_although_the_new_supervisor_could_not_be_noted_at_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    real = rig.runner.launch

    def nobody_there(launches: Sequence[Launch]) -> None:
        if launches:
            raise OSError("no supervisor")

    monkeypatch.setattr(rig.runner, "launch", nobody_there)
    rig.ask("trigger", "default/a")
    rig.loop._inbox_at = 0.0
    rig.loop.run_pass()
    assert len(rig.world.unlaunched) == 1

    monkeypatch.setattr(rig.runner, "launch", real)
    rig.runner.name = "another"
    refuse_once(rig, monkeypatch, "hand_over")
    rig.loop.run_pass()
    rig.wait(6)

    assert [run.state for run in rig.runs("a")] == [RunState.SUCCEEDED]


def test_a_run_that_cannot_be_made_ends_although_its_end_could_not_be_stored_at_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.file("a.yaml", MANUAL.format(name="a") + "env: {TOKEN: {from_env: NOT_THERE}}\n")
    rig.look()
    refuse_once(rig, monkeypatch, "finished")
    rig.ask("trigger", "default/a")
    rig.loop._inbox_at = 0.0
    rig.loop.run_pass()
    assert [run.state for run in rig.runs("a")] == [RunState.PENDING]
    rig.wait(6)

    assert [run.state for run in rig.runs("a")] == [RunState.FAILED]


def test_a_cancelled_run_that_nobody_had_ends_although_the_database_refused_at_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    rig.runner._script = lambda launch: Script(takes=None)
    rig.ask("trigger", "default/a")
    rig.settle()
    (run,) = rig.runs("a")
    rig.store.request_cancel(run.id, "ann@desk", rig.clock.now())
    rig.world.live[run.id] = replace(run, cancel_requested_at=rig.clock.now(), cancel_requested_by="ann@desk")
    rig.runner._hear(NeverStarted(run_id=run.id))
    refuse_once(rig, monkeypatch, "finished")
    rig.settle()
    rig.wait(6)
    assert [(run.state, run.reason) for run in rig.runs("a")] == [(RunState.CANCELLED, Reason.CANCELLED)]


def test_a_cancelled_run_whose_end_is_lost_is_not_tried_again(rig: Rig) -> None:
    rig.file("a.yaml", "name: a\nrun: {command: [x]}\non_lost: rerun\nretry: {attempts: 3}\n")
    rig.look()
    rig.runner._script = lambda launch: Script(takes=None, ignores_term=True)
    rig.ask("trigger", "default/a")
    rig.settle()
    (run,) = rig.runs("a")
    rig.ask("cancel", "default/a")
    rig.settle()
    rig.runner.lose(run.id)
    rig.settle()
    assert [(run.state, run.reason) for run in rig.runs("a")] == [(RunState.CANCELLED, Reason.LOST)]


def test_that_runs_cannot_be_handed_over_is_logged_once_and_that_they_can_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    real = rig.runner.launch

    def nobody_there(launches: Sequence[Launch]) -> None:
        if launches:
            raise OSError("no process can be made")

    monkeypatch.setattr(rig.runner, "launch", nobody_there)
    rig.ask("trigger", "default/a")
    rig.loop._inbox_at = 0.0
    with caplog.at_level("INFO"):
        for _ in range(5):
            rig.loop.run_pass()
        monkeypatch.setattr(rig.runner, "launch", real)
        rig.settle()
    told = [record.message for record in caplog.records if "supervisor" in record.message]
    assert told == [
        "cannot hand runs to the supervisor: no process can be made; they are stored, and it is tried again",
        "the supervisor takes runs again",
    ]
