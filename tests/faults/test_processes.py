"""No process to be had, a daemon or its supervisor that is stopped for a while."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.supervisor import cgroup
from state.records import Reason
from tests.components import lacking
from tests.crashing import ledger
from tests.faults.ticking import goes_on, settle, ticking, ticks_again
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


def test_slots_of_a_stopped_daemon_are_accounted_for(household: Household) -> None:
    """One catch-up, and the rest is one record: not a start for each, nor one record for each."""
    witness = ticking(household)
    assert household.daemon is not None
    os.kill(household.daemon.pid, signal.SIGSTOP)
    time.sleep(4.2)
    os.kill(household.daemon.pid, signal.SIGCONT)
    ticks_again(household, witness)
    rows = household.runs("default/ticker")
    missed = [run for run in rows if run.reason is Reason.MISSED]
    assert len(missed) == 1
    assert missed[0].skipped_count in (2, 3, 4)
    assert missed[0].skipped_first is not None
    assert missed[0].scheduled_for is not None
    during = [run for run in rows if missed[0].skipped_first <= (run.scheduled_for or 0) <= missed[0].scheduled_for]
    assert during == missed
    settle(household, witness)


def test_a_frozen_supervisor_delays_and_doubles_nothing(household: Household) -> None:
    witness = ticking(household, long=True)
    (supervisor,) = household.supervisors()
    os.kill(supervisor, signal.SIGSTOP)
    goes_on(household)
    before = len(ledger.witnessed(witness))
    time.sleep(1.5)
    assert len(ledger.witnessed(witness)) <= before + 1, "its socket takes what it cannot do yet"
    os.kill(supervisor, signal.SIGCONT)
    ticks_again(household, witness)
    settle(household, witness)
