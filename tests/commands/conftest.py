"""A home in a temporary folder, and the real program called on it: in this process, with a clock that stands still."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import jobsctl as jobsctl_package
from cli.main import run
from cli.options import Settings
from state.home import Home

NOW = 1_795_248_000_000_000
"""2026-11-21 08:00:00Z."""


@dataclass(frozen=True)
class Done:
    """What a call left behind."""

    code: int
    out: str
    err: str


class StoppedClock:
    """Wall clock stands still; the monotonic one goes on, so that waiting ends."""

    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return self.monotonic()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, tmp_path):
    """No variable of the developer's shell reaches a test; programs that a test starts find the checkout."""
    for name in list(os.environ):
        if name.startswith("JOBSCTL_") or name == "NO_COLOR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(Path(jobsctl_package.__file__).parents[1]))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home: `jobs/` only."""
    home = Home(tmp_path / "home")
    home.specs.mkdir(parents=True)
    return home


@pytest.fixture
def jobsctl(capsysbinary, home) -> Callable[..., Done]:
    """`jobsctl("list", "-o", "json")` on `home`."""

    def call(*arguments: object) -> Done:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments], Settings(home_option=home.root, clock=StoppedClock()))
        captured = capsysbinary.readouterr()
        return Done(int(code), captured.out.decode(), captured.err.decode())

    return call
