"""A store on a real file, checked and closed after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.reads import Reader
from state.store import Store
from tests.storing.making import NOON, check_sums


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".jobsctl" / "jobsctl.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(path, now=NOON)
    yield store
    check_sums(store)
    store.close()


@pytest.fixture
def reader(store: Store) -> Iterator[Reader]:
    with Reader(store.path) as reader:
        yield reader
