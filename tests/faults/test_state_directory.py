"""The state directory is deleted, replaced or damaged, and the settings are wrong: one clear word, no second daemon."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.household import Household, eventually

MANUAL = "name: a\nrun: {command: ['true']}\n"


def deleted(directory: Path) -> bool:
    """Deletes it, and says whether nothing is left: the daemon may have written into it meanwhile."""
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


@pytest.mark.parametrize("what", ["everything", "lock", "database"])
def test_a_daemon_whose_state_is_deleted_ends_and_says_so(what: str, household: Household) -> None:
    household.commit({"a.yaml": MANUAL})
    household.start()
    eventually(lambda: household.job("default/a"), "the job is known")
    if what == "everything":
        eventually(lambda: deleted(household.home.state), "nothing is left of the state directory")
    else:
        (household.home.lock if what == "lock" else household.home.database).unlink()
    assert household.daemon is not None
    assert household.daemon.wait(15) == 7
    assert "was deleted or replaced while the daemon ran" in household.log()
    household.start()
    eventually(lambda: household.job("default/a"), "the next daemon goes on")
    assert household.stop() == 0


@pytest.mark.parametrize(
    ("statement", "code", "message"),
    [
        pytest.param("PRAGMA user_version = 999", 7, "written by a newer jobsctl", id="newer"),
        pytest.param(None, 1, "not an SQLite database", id="garbage"),
    ],
)
def test_a_database_that_cannot_be_used_is_left_as_it_is(
    statement: str | None, code: int, message: str, household: Household
) -> None:
    household.commit({"a.yaml": MANUAL})
    household.start()
    assert household.stop() == 0
    if statement is None:
        household.home.database.write_bytes(b"garbage " * 1000)
    else:
        connection = sqlite3.connect(household.home.database)
        connection.execute(statement)
        connection.close()
    before = household.home.database.read_bytes()
    for words in (("daemon", "--listen", "none"), ("list",)):
        refused = household.jobsctl(*words, check=False)
        assert refused.returncode == code
        assert message in refused.stderr
        assert "hint:" in refused.stderr
    assert household.home.database.read_bytes() == before


def test_a_database_locked_for_a_while_delays_and_loses_nothing(household: Household) -> None:
    household.commit({"a.yaml": MANUAL})
    household.start()
    eventually(lambda: household.job("default/a"), "the job is known")
    locker = sqlite3.connect(household.home.database, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    asked = household.jobsctl("trigger", "a", "--timeout", "1s", check=False)
    assert asked.returncode == 6
    eventually(lambda: "locked by another process" in household.log(), "the log tells", 8)
    assert "locked by another process" in household.jobsctl("status", check=False).stdout
    locker.execute("ROLLBACK")
    locker.close()
    eventually(lambda: [run.state for run in household.runs("default/a")] == ["succeeded"], "it is done after all", 8)
    assert household.stop() == 0


def test_wrong_settings_are_shown_with_their_place_and_nothing_starts(household: Household) -> None:
    household.home.config.write_text("htpp: null\n", encoding="utf-8")
    refused = household.jobsctl("daemon", check=False)
    assert refused.returncode == 3
    assert "jobsctl.yaml:1:1: unknown key `htpp`" in refused.stderr


def test_a_state_directory_that_others_can_write_is_closed(household: Household) -> None:
    household.home.state.mkdir()
    household.home.state.chmod(0o777)
    household.home.requests.mkdir()
    household.home.requests.chmod(0o775)
    household.start()
    assert household.home.state.stat().st_mode & 0o022 == 0
    assert household.home.requests.stat().st_mode & 0o022 == 0
    assert "could be written by others" in household.log()
    assert household.stop() == 0
