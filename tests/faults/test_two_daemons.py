"""Several daemons are started on one home at once, again and again: one works, the others say who it is."""

from __future__ import annotations

import os
import signal
import subprocess

from tests.crashing import ledger
from tests.faults.ticking import settle
from tests.household import Household, eventually

AT_ONCE = 4
ROUNDS = 2


def race(house: Household) -> tuple[subprocess.Popen[str], list[subprocess.Popen[str]]]:
    """Start several daemons; the one that works, and the others, which have ended."""
    command = [*house.program, "--home", str(house.home.root), "daemon", "--listen", "none"]
    daemons = [
        subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=house.env)
        for _ in range(AT_ONCE)
    ]
    eventually(lambda: sum(daemon.poll() is not None for daemon in daemons) >= AT_ONCE - 1, "all but one gave up")
    (winner,) = [daemon for daemon in daemons if daemon.poll() is None]
    return winner, [daemon for daemon in daemons if daemon is not winner]


def test_of_daemons_started_at_once_one_works_and_no_slot_is_doubled(household: Household) -> None:
    witness = household.home.root / "witness.txt"
    household.commit({"ticker.yaml": ledger.spec(witness)})
    for _ in range(ROUNDS):
        winner, losers = race(household)
        for loser in losers:
            _, said = loser.communicate(timeout=10)
            assert loser.returncode == 7
            assert f"another jobsctl daemon (pid {winner.pid}) runs on this home" in said
        before = len(ledger.witnessed(witness))
        eventually(lambda count=before: len(ledger.witnessed(witness)) > count, "it works")  # type: ignore[misc]
        os.kill(winner.pid, signal.SIGKILL)
        winner.communicate(timeout=10)
    household.start()
    settle(household, witness)
