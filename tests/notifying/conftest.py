"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notifying.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A home without a daemon; the process is started by the test."""
    rig = Rig(tmp_path / "home")
    yield rig
    rig.close()
