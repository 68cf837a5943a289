"""Whatever lies in the inbox: what can be answered is answered, and nothing in it keeps the daemon from the rest."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.loop import REQUESTS
from state.inbox import RequestKind
from state.records import RunState
from tests.deciding.driving import Rig

MANUAL = "name: a\nrun: {command: [x]}\n"
ID = "0" * 25 + "1"
"""Sorts before what the rig asks."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig._requests = 1
    rig.file("a.yaml", MANUAL)
    rig.look()
    yield rig
    rig.close()


def document(**changes: Any) -> bytes:
    request = {"id": ID, "kind": "trigger", "identity": "default/a", "requested_by": "eve", "requested_at": 1}
    return json.dumps({**request, **changes}).encode()


def link(path: Path) -> None:
    path.symlink_to("/etc/shadow")


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(document(identity="../../etc/passwd"), id="path_as_job"),
        pytest.param(document(identity="default/\0"), id="nul_as_job"),
        pytest.param(document(kind="cancel", run_id="../../../x", identity=None), id="cancel_of_no_run"),
        pytest.param(document(kind="cancel", run_id="0" * 26, identity=None), id="cancel_of_a_pruned_run"),
        pytest.param(document(kind="delete", identity="default/nobody"), id="delete_of_nobody"),
        pytest.param(document(kind="suspend", identity="default/nobody"), id="suspend_of_nobody"),
        pytest.param(document(requested_at=1 << 63), id="instant_beyond_a_column"),
        pytest.param(document(requested_at=10**40), id="instant_beyond_a_number"),
        pytest.param(document(requested_at=-1), id="instant_before_time"),
        pytest.param(document(id="../x"), id="id_as_path"),
        pytest.param(b"[" * 60_000, id="deep"),
        pytest.param(b"x" * 10_000_000, id="huge"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe{}", id="no_text"),
        pytest.param(os.mkfifo, id="pipe"),
        pytest.param(Path.mkdir, id="folder"),
        pytest.param(link, id="link"),
    ],
)
def test_the_next_request_is_done(put: bytes | Callable[[Path], None], rig: Rig) -> None:
    path = rig.home.requests / f"{ID}.json"
    if isinstance(put, bytes):
        path.write_bytes(put)
    else:
        put(path)
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    assert [run.state for run in rig.runs("a")] == [RunState.SUCCEEDED]
    rig.clock.sleep(30)
    rig.look()
    assert not os.path.lexists(path)
    assert rig.loop._failures == 0


def test_a_refused_commit_is_in_the_log_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "jobsctl")
    for name in ("a", "new"):  # one that goes on as it was, one that nobody knows yet
        rig.file(f"{name}.yaml", MANUAL.replace("command", "comand").replace("name: a", f"name: {name}"))
    rig.look()
    rig.look()
    told = [record.getMessage() for record in caplog.records if "comand" in record.getMessage()]
    assert len(told) == 2
    assert told[0].startswith("default/a: a.yaml:2:7: error[JOB")
    assert told[1].startswith("new.yaml:2:7: error[JOB")


def test_due_slots_do_not_wait_for_a_flood_of_requests(rig: Rig) -> None:
    rig.file("b.yaml", "name: b\nschedule: every 10s\nrun: {command: [x]}\n")
    rig.look()
    for _ in range(3 * REQUESTS):
        rig.ask(RequestKind.RESUME, "default/a")
    rig.clock.sleep(10)
    rig.loop.run_pass()
    assert len(rig.runs("b")) == 1
    left = sum(path.suffix == ".json" for path in rig.home.requests.iterdir())
    assert left == 2 * REQUESTS
    for _ in range(2):
        rig.loop.run_pass()
    assert not any(path.suffix == ".json" for path in rig.home.requests.iterdir())
