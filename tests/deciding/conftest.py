"""A real loop per test, closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deciding import ledger
from tests.deciding.driving import Rig
from tests.deciding.scenes import Scene


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def scene(rig: Rig) -> Iterator[Scene]:
    """A house whose books are checked at the end."""
    scene = Scene(rig)
    yield scene
    ledger.check(rig, scene.excused)
