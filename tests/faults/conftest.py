"""A home on a file system of its own (root only; else skipped), and one that lives in a time of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import lacking
from tests.faults.wallclock import WallClock, build
from tests.household import Household


@pytest.fixture
def mounted_options() -> str:
    """What the state directory's file system is like."""
    return "size=12m"


@pytest.fixture
def small(tmp_path: Path, mounted_options: str) -> Iterator[Household]:
    """A home whose state directory is a tmpfs."""
    state = tmp_path / "home" / ".jobsctl"
    state.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", mounted_options, "tmpfs", str(state)], capture_output=True, check=False
    )
    if mounted.returncode:
        lacking("only root may mount a small file system")
    house = Household(tmp_path / "home")
    try:
        yield house
    finally:
        house.close()
        subprocess.run(["umount", "--lazy", str(state)], check=True)


@pytest.fixture(scope="session")
def clock_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The preloaded clock, compiled."""
    return build(tmp_path_factory.mktemp("wallclock"))


@pytest.fixture
def clock(tmp_path: Path, clock_library: Path) -> Iterator[WallClock]:
    """A wall clock that the test sets."""
    clock = WallClock(tmp_path, clock_library)
    yield clock
    clock.close()


@pytest.fixture
def timed(tmp_path: Path, clock: WallClock) -> Iterator[Household]:
    """A home that lives in the time of `clock`."""
    house = clock.household(tmp_path / "home")
    yield house
    house.close()
