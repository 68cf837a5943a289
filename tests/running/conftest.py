from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running.rig import Rig


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """One test at a time, whatever workers there are: runs are called `r1` here, and by their id in the environment
    strays are found and ended, also those of the test beside."""
    with (Path(tempfile.gettempdir()) / f"jobsctl-tests-running-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A runner with a real supervisor; its processes are gone after the test."""
    rig = Rig(tmp_path)
    try:
        yield rig
    finally:
        rig.clean()
