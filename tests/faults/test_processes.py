"""No process to be had, processes killed at any moment, a daemon that is stopped for a while."""

from __future__ import annotations

import json
import os
import random
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.supervisor import cgroup
from state.records import TERMINAL_STATES, Reason, RunState
from tests.components import lacking
from tests.crashing import ledger
from tests.household import Household, eventually


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    """A control group that limits processes; emptied of its limit, and removed, at the end."""
    parent = cgroup.hierarchies().v1.get("pids")
    if parent is None:
        lacking("no pids control group can be made here")
    folder = Path(str(parent)) / f"jobsctl-test-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    yield folder
    (folder / "pids.max").write_text("max")
    for pid in (folder / "cgroup.procs").read_text().split():
        (folder.parent / "cgroup.procs").write_text(pid)
    folder.rmdir()


def ended(household: Household, identity: str) -> bool:
    return all(run.state in TERMINAL_STATES for run in household.runs(identity))


def settle(household: Household, witness: Path, *, lost: int = 0) -> None:
    """Suspend the ticker, wait for its last end, and hold the rows against what it wrote."""
    household.jobsctl("suspend", "ticker")
    eventually(lambda: ended(household, "default/ticker"), "the last run ended")
    job = household.job("default/ticker")
    assert job is not None
    ledger.check(job, household.runs("default/ticker"), witness, lost=lost)
    assert household.stop() == 0


def test_without_room_for_a_process_starts_wait_say_so_and_come_back(household: Household, group: Path) -> None:
    witness = household.home.root / "witness.txt"
    household.commit({"ticker.yaml": ledger.spec(witness)})
    household.start("--listen", "127.0.0.1:0")
    eventually(lambda: ledger.witnessed(witness), "the ticker ran")
    eventually(household.home.http.exists, "HTTP is up")
    address = json.loads(household.home.http.read_bytes())["listen"]
    assert household.daemon is not None
    (group / "cgroup.procs").write_text(str(household.daemon.pid))
    (group / "pids.max").write_text("1")
    for pid in household.supervisors():
        os.kill(pid, signal.SIGKILL)

    def problems() -> list[str]:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as answer:
            found: list[str] = json.load(answer)["problems"]
            return found

    eventually(lambda: "cannot be started" in " ".join(problems()), "health tells")
    assert household.jobsctl("status", check=False).returncode == 1
    (group / "pids.max").write_text("max")
    before = len(ledger.witnessed(witness))
    eventually(lambda: len(ledger.witnessed(witness)) > before, "it goes on by itself")
    settle(household, witness)
    assert len(list(household.home.supervisors.glob("*.err"))) <= 1, "failed attempts leave nothing"


def test_a_storm_of_kills_loses_and_doubles_nothing(household: Household) -> None:
    dice = random.Random(20261121)
    witness = household.home.root / "witness.txt"
    household.commit({"ticker.yaml": ledger.spec(witness)})
    household.start()
    eventually(lambda: ledger.witnessed(witness), "the ticker ran")
    supervisors_killed = 0
    until = time.monotonic() + 5
    while time.monotonic() < until:
        time.sleep(dice.uniform(0.02, 0.5))
        victims = dice.choice(["daemon", "supervisor", "both"])
        if victims != "supervisor":
            household.kill()
        if victims != "daemon":
            supervisors_killed += 1
            for pid in household.supervisors():
                os.kill(pid, signal.SIGKILL)
        if victims != "supervisor":
            household.start(ready=False)
    eventually(household.is_ready, "a daemon is ready")
    settle(household, witness, lost=supervisors_killed)


def test_slots_of_a_stopped_daemon_are_accounted_for(household: Household) -> None:
    witness = household.home.root / "witness.txt"
    household.commit({"ticker.yaml": ledger.spec(witness)})
    household.start()
    eventually(lambda: ledger.witnessed(witness), "the ticker ran")
    assert household.daemon is not None
    os.kill(household.daemon.pid, signal.SIGSTOP)
    time.sleep(3)
    os.kill(household.daemon.pid, signal.SIGCONT)
    before = len(ledger.witnessed(witness))
    eventually(lambda: len(ledger.witnessed(witness)) > before, "it goes on")
    skipped = [run for run in household.runs("default/ticker") if run.state is RunState.SKIPPED]
    assert sum(run.skipped_count or 0 for run in skipped if run.reason in (Reason.MISSED, Reason.OVERLAP)) >= 1
    settle(household, witness)
