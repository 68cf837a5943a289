"""The README's commands, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components import lacking

ROOT = Path(__file__).resolve().parents[2]
LEAVE_NOTHING = "set -m\ntrap 'kill %1 || true' EXIT\n"
"""A command that fails ends the script: the daemon must not stay, with its port and our pipe."""
STOP_DAEMON = "\nkill %1\nwait %1 || true\n"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tree as a new user has it after `make install`.

    Its .venv has the parts of the environment these tests run in, and a stamp of its own, newer than all, so that no
    make here ever installs into that environment.
    """
    if not (Path(sys.prefix) / ".installed").exists():
        lacking("not in an environment made by `make install`")
    clone = tmp_path / "jobsctl"
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".git", ".venv*", ".*_cache", "__pycache__"))
    (clone / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != ".installed":
            (clone / ".venv" / part.name).symlink_to(part)
    (clone / ".venv" / ".installed").touch()
    return clone


@pytest.mark.timeout(90)
def test_every_command_of_the_readme_works(clone: Path) -> None:
    """`make install` finds itself done: CI has just run it for real, from the same lock."""
    script = "\n".join(blocks(ROOT / "README.md", "sh"))
    assert "make install" in script
    assert "make demo" in script
    home = clone.parent / "home"
    home.mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "DEMO_SECONDS": "6",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", LEAVE_NOTHING + script + STOP_DAEMON],
        cwd=clone,
        env=env,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=80,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d\d:\d\d:\d\d$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^(default/)?tick +Every 10 seconds", done.stdout, re.MULTILINE), done.stdout


def test_the_readme_is_short_and_shows_a_picture() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 100
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
