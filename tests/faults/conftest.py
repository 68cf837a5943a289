"""A home on a file system of its own: small, with few inodes, or to be made read-only. Root only; else skipped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import lacking
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
