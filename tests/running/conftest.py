from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A runner with a real supervisor; its processes are gone after the test."""
    rig = Rig(tmp_path)
    try:
        yield rig
    finally:
        rig.clean()
