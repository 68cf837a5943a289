"""A supervisor that cannot be started leaves nothing: no socket, no process, no descriptor."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runners import links
from runners.links import Folder


def refused(*_: object, **__: object) -> None:
    raise OSError(24, "Too many open files")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("place", "name"), [(Folder, "_connect"), (os, "open"), (subprocess, "Popen")], ids=["connecting", "log", "process"]
)
def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: object, name: str) -> None:
    folder = Folder(tmp_path / "supervisors", "0123456789")
    before = descriptors()
    started: list[object] = []
    real = links.subprocess.Popen
    monkeypatch.setattr(links.subprocess, "Popen", lambda *a, **k: started.append(a) or real(*a, **k))
    monkeypatch.setattr(place, name, refused)
    with pytest.raises(OSError, match="Too many"):
        folder.start({})
    monkeypatch.undo()
    assert (started, list(folder.path.iterdir())) == ([], [])
    assert descriptors() == before
    folder.close()
