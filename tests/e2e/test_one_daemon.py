"""Two daemons on one home: the second one refuses, the first one does not notice."""

from __future__ import annotations

from tests.household import Household


def test_a_second_daemon_refuses_and_names_the_first(household: Household) -> None:
    household.start()
    assert household.daemon is not None
    second = household.jobsctl("daemon", "--listen", "none", check=False)
    assert second.returncode == 7
    assert str(household.daemon.pid) in second.stderr
    assert household.stop() == 0
