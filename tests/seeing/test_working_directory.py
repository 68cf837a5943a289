"""What lies in the folder in which the daemon was started is not imported: a repository of specs may hold anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.daemon import notify_command, status_command
from specs.config import Config
from state.store import Store
from status.notify.sending import Note, send_apart
from tests.notifying.receivers import http_receiver
from tests.seeing.building import NINE, make_home

TRAP = "import os\nos._exit(77)\n"


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("queue", "jobsctl", "orjson", "apprise", "state"):
        (tmp_path / f"{name}.py").write_text(TRAP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("child", ["status", "notify"])
def test_the_daemons_children_import_nothing_from_there(trap: Path, child: str) -> None:
    home = make_home(trap / "home")
    home.config.write_text("resync: 1m\n")
    Store.open(home.database, now=NINE).close()
    command = status_command(home, None, Config()) if child == "status" else notify_command(home, "UTC")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_who_sends_imports_nothing_from_there(trap: Path) -> None:
    with http_receiver() as received:
        assert send_apart(f"json://127.0.0.1:{received.port}", Note("title", "body")) is None
