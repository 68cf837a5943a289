"""Pages of the database are overwritten by garbage: a clear refusal at the start, a clear word while running."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.faults.doors import told, well
from tests.faults.ticking import goes_on, settle, ticking, ticks_again
from tests.household import Household, eventually

PAGE = 4096


class Damage:
    """The first page of a table, overwritten. `mend` puts back what was there."""

    def __init__(self, house: Household, table: str) -> None:
        self.path = house.home.database
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        self.at = (root - 1) * PAGE
        with self.path.open("r+b") as file:
            file.seek(self.at)
            self.before = file.read(PAGE)
        self._write(b"\xff" * PAGE)

    def mend(self) -> None:
        self._write(self.before)

    def _write(self, data: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(self.at)
            file.write(data)


def test_damage_found_at_the_start_is_refused_with_what_to_do(household: Household) -> None:
    """After a stop that was not clean the file is read whole."""
    witness = ticking(household)
    household.kill()
    eventually(lambda: not household.supervisors(), "the supervisor ended with its last run")
    damage = Damage(household, "run")
    damaged = household.home.database.read_bytes()
    refused = household.jobsctl("daemon", "--listen", "none", check=False)
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert "hint:" in refused.stderr
    assert ".recover" in refused.stderr
    assert "Traceback" not in refused.stderr
    after = household.home.database.read_bytes()
    assert after[PAGE:] == damaged[PAGE:], "a damaged file is left as it is"
    damage.mend()
    household.start()
    ticks_again(household, witness)
    settle(household, witness)


def test_damage_found_at_work_is_told_and_disturbs_no_run(household: Household) -> None:
    """After a clean stop it is not, and the damage shows when the page is used."""
    witness = ticking(household, long=True)
    assert household.stop() == 0
    damage = Damage(household, "event")
    household.start("--listen", "127.0.0.1:0")
    told(household, "damaged")
    goes_on(household)
    assert household.daemon is not None
    assert household.daemon.poll() is None
    household.kill()
    damage.mend()
    household.start("--listen", "127.0.0.1:0")
    ticks_again(household, witness)
    well(household)
    settle(household, witness)
