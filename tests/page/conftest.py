"""The month of history that the tests of the page look at: made once, copied where a test writes."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from state.home import Home
from tests.page.month import make_month


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The month, to be read only. Its `now` is `tests.page.month.FULL`."""
    return make_month(tmp_path_factory.mktemp("month") / "home")


@pytest.fixture
def own_month(month: Home, tmp_path: Path) -> Home:
    """A copy of it, to be changed."""
    root = tmp_path / "home"
    shutil.copytree(month.root, root, symlinks=True)
    home = Home(root)
    with closing(sqlite3.connect(home.database)) as database, database:
        database.execute("UPDATE source SET root = ?", (str(home.specs),))
    return home
