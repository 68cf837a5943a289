"""A household per test, emptied of processes afterwards."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.household import Household

# A shell starts what runs in its background with SIGINT ignored, and what the tests start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# An example may take as long as it takes, here as everywhere: 200 ms are a matter of who else uses the machine.
settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    house = Household(tmp_path / "home")
    yield house
    house.close()
