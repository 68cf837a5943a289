"""Purging a job of which nothing is left: found by the simulation (seed 4), which it stopped for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.housekeeping import EVERY
from state.inbox import Request, write_request
from tests.deciding.driving import MANUAL, Rig

MONTH = 31 * 86_400


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def test_purging_a_job_whose_last_history_went_with_retention_is_answered_and_the_loop_goes_on(rig: Rig) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.file("b.yaml", MANUAL.format(name="b"))
    rig.look()
    rig.file("a.yaml", None)
    rig.look()
    rig.clock.sleep(5)
    rig.look()
    assert rig.job("a").archived_at is not None
    rig.wait(MONTH)
    rig.wait(2 * EVERY)
    assert rig.store.job_by_identity("default/a") is None

    request = Request(
        id=f"{7:026d}", kind="delete", identity="default/a", requested_by="ann@desk", requested_at=rig.clock.now(),
        params={"purge": True},
    )  # fmt: skip
    write_request(rig.home, request)
    rig.settle()
    rig.look()

    answer = rig.store.request(request.id)
    assert answer is not None and answer.outcome == "done" and "gone already" in answer.message
    rig.ask("trigger", "default/b")
    rig.settle()
    assert len(rig.runs("b")) == 1
