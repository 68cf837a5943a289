"""A mistake of the program about one job, one request or one condition holds back nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler import asking, looking, records
from state.records import JobRecord, RunState
from tests.deciding.driving import EVERY_10S, MANUAL, Rig


def test_a_job_whose_file_cannot_be_applied_goes_on_as_it_was_and_the_others_are_applied(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        rig.file(f"{name}.yaml", EVERY_10S.format(name=name))
    rig.look()
    real = records.configured

    def configured(old: JobRecord, *arguments: Any, **more: Any) -> JobRecord:
        if old.name == "a":
            raise RuntimeError("boom")
        return real(old, *arguments, **more)

    monkeypatch.setattr(looking.records, "configured", configured)
    for name in ("a", "b"):
        rig.file(f"{name}.yaml", EVERY_10S.format(name=name) + "description: new\n")
    rig.look()
    assert (rig.job("a").generation, rig.job("b").generation) == (1, 2)
    assert "RuntimeError: boom" in (rig.job("a").stalled or "")
    rig.wait(10)
    assert rig.runs("a")[-1].state is RunState.SUCCEEDED

    monkeypatch.undo()
    rig.file("a.yaml", EVERY_10S.format(name="a") + "description: newer\n")
    rig.look()
    assert (rig.job("a").generation, rig.job("a").stalled) == (2, None)


def test_a_request_the_daemon_stumbles_over_is_answered_and_not_met_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()

    def stumble(*arguments: object) -> str:
        raise RuntimeError("boom")

    monkeypatch.setattr(asking, "_trigger", stumble)
    request = rig.ask("trigger", "default/a")
    rig.settle()
    answer = rig.store.request(request)
    assert answer is not None
    assert (answer.outcome, "RuntimeError: boom" in answer.message) == ("refused", True)
    assert not list(rig.home.requests.glob("*.json"))
    monkeypatch.undo()
    rig.ask("trigger", "default/a")
    rig.settle()
    assert [run.state for run in rig.runs("a")] == [RunState.SUCCEEDED]
