"""Build the wheel of this tree, and install it beside the locked runtime only.

Used by the tests here and by whoever wants to test what people install instead of the checkout.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Built:
    wheel: Path
    sdist: Path


@dataclass(frozen=True, slots=True)
class Installed:
    """A virtual environment. `run` keeps the checkout out of sight: no inherited environment, another directory."""

    path: Path

    @property
    def jobsctl(self) -> Path:
        return self.path / "bin" / "jobsctl"

    def run(self, *argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        env = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "LANG": "C.UTF-8"}
        return subprocess.run(argv, cwd=cwd, env=env, text=True, capture_output=True, timeout=30, check=False)


def pinned(lock: Path) -> dict[str, str]:
    """Name -> version of a lock file."""
    return dict(re.findall(r"^([a-z0-9][-a-z0-9._]*)==([^ ]+) \\$", lock.read_text(), re.MULTILINE))


def build(out: Path) -> Built:
    """The sdist of the tree and the wheel of that sdist: a file missing from the sdist breaks the wheel."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(next(out.glob("*.whl")), next(out.glob("*.tar.gz")))


def install(wheel: Path, path: Path) -> Installed:
    """A fresh environment at `path`, without pip. The wheel is installed by pip; its dependencies are links to the very
    files this environment has of each distribution in requirements.lock, and of no other: what the lock lacks cannot
    be imported. Nothing is downloaded.
    """
    venv.create(path, with_pip=False, symlinks=True)
    site = next(path.glob("lib/python3.*/site-packages"))
    for name in pinned(ROOT / "requirements.lock"):
        for top in {file.parts[0] for file in metadata.distribution(name).files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(str(metadata.distribution(name).locate_file(top)))
    pip = [sys.executable, "-m", "pip", "--python", str(path / "bin" / "python"), "install", "--quiet"]
    offline = ["--no-deps", "--no-index", "--disable-pip-version-check", "--no-compile"]
    done = subprocess.run([*pip, *offline, str(wheel)], text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert shutil.which("jobsctl", path=str(path / "bin"))
    return Installed(path)
