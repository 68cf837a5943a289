"""The daemon, the supervisor, or both die at every marked line; the next daemon accounts for every slot.

The marked lines are found in the source, so a new mark is tested without a word here.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.crashing import ledger
from tests.household import ROOT, Household, eventually

_MARK = re.compile(r"""(?<!def )crashpoint\(["']([a-z-]+)["']\)""")

SLEEPER = """\
name: sleeper
run:
  command: [sleep, "2"]
"""


def marks(folder: str) -> list[str]:
    """Every mark below `folder`, once."""
    files = [path for path in (ROOT / folder).rglob("*.py") if not path.name.startswith("crash")]
    return sorted({name for path in files for name in _MARK.findall(path.read_text(encoding="utf-8"))})


DELETING_MARKS = ["directories-removed", "history-pruned"]
"""Reached only when there is history to delete."""
DAEMON_MARKS = sorted(set(marks("reconciler")) - set(DELETING_MARKS))
SUPERVISOR_MARKS = marks("runners")


def test_there_are_marks_to_die_at() -> None:
    assert len(DAEMON_MARKS) >= 6
    assert len(SUPERVISOR_MARKS) >= 4
    assert not set(DAEMON_MARKS) & set(SUPERVISOR_MARKS), "a mark must name one process"


def prepare(household: Household) -> Path:
    """A ticker that runs every second and a sleeper that is running, left behind by a killed daemon."""
    witness = household.home.root / "witness.txt"
    household.commit({"ticker.yaml": ledger.spec(witness), "sleeper.yaml": SLEEPER})
    household.start()
    eventually(lambda: household.job("default/sleeper"), "the sleeper is known")
    household.jobsctl("trigger", "sleeper")
    eventually(lambda: ledger.witnessed(witness), "the ticker ran")
    household.kill()
    return witness


def provoke(household: Household, number: int) -> None:
    """Give the dying daemon something of everything to do."""
    household.write("sleeper.yaml", SLEEPER + f"description: edit {number}\n")
    household.jobsctl("suspend", "sleeper", "--reason", "test", "--timeout", "0.1s", check=False)


def recovered(household: Household, witness: Path) -> None:
    """A healthy daemon takes over and goes on, then stops with nothing in flight."""
    before = len(ledger.witnessed(witness))
    household.start()
    eventually(lambda: len(ledger.witnessed(witness)) >= before + 2, f"the ticker goes on\n{household.log()}")
    household.jobsctl("suspend", "ticker", "--reason", "the end")
    eventually(
        lambda: all(run.state in ledger.TERMINAL_STATES for run in household.runs("default/ticker")),
        "the last run ended",
    )
    assert household.stop() == 0


def judge(household: Household, witness: Path, *, lost: int) -> None:
    ledger.check(*household.books("default/ticker"), witness, lost=lost)
    assert all(run.state in ledger.TERMINAL_STATES for run in household.runs("default/sleeper"))


@pytest.mark.parametrize("mark", DAEMON_MARKS)
@pytest.mark.parametrize("both", [False, True], ids=["daemon", "both"])
def test_the_daemon_dies_at(mark: str, both: bool, household: Household) -> None:
    witness = prepare(household)
    household.start(env={"JOBSCTL_CRASH_AT": mark}, ready=False)
    daemon = household.daemon
    assert daemon is not None
    for number in range(40):
        if daemon.poll() is not None:
            break
        provoke(household, number)
    assert daemon.wait(20) == -signal.SIGKILL, f"the mark {mark} was not reached\n{household.log()}"
    if both:
        for pid in household.supervisors():
            os.kill(pid, signal.SIGKILL)
    recovered(household, witness)
    judge(household, witness, lost=2 if both else 0)


def run_directories(household: Household) -> set[str]:
    return {path.name for path in household.home.runs.glob("default/ticker/*")}


@pytest.mark.parametrize("mark", DELETING_MARKS)
def test_the_daemon_dies_while_deleting_history_at(mark: str, household: Household) -> None:
    """Afterwards no directory is left of a run that the database does not know."""
    assert mark in marks("reconciler")
    witness = prepare(household)
    household.start()
    eventually(lambda: len(run_directories(household)) >= 4, "there is something to prune")
    household.kill()
    (household.home.root / "jobsctl.yaml").write_text("retention: {max_runs: 1}\n", encoding="utf-8")
    # The first bite looks for what is too old, and finds nothing.
    at = "history-pruned:2" if mark == "history-pruned" else mark
    household.start(env={"JOBSCTL_CRASH_AT": at}, ready=False)
    assert household.daemon is not None
    assert household.daemon.wait(20) == -signal.SIGKILL, f"the mark {mark} was not reached\n{household.log()}"
    stored = {run.id for run in household.runs("default/ticker")}
    assert mark != "history-pruned" or run_directories(household) - stored, "nothing was left to clean up"
    recovered(household, witness)
    kept = {run.id for run in household.runs("default/ticker")}
    eventually(lambda: not stored - kept & run_directories(household), "what the first left is gone")
    assert run_directories(household) <= kept


def died(household: Household) -> bool:
    """The daemon noticed the death of its supervisor, and has another."""
    return re.search(r"supervisor \S+ ended; new runs go to", household.log()) is not None


@pytest.mark.parametrize("mark", SUPERVISOR_MARKS)
def test_the_supervisor_dies_at(mark: str, household: Household) -> None:
    witness = prepare(household)
    household.start(env={"JOBSCTL_CRASH_AT": mark})
    for number in range(40):
        if died(household):
            break
        provoke(household, number)
    assert died(household), f"the mark {mark} was not reached\n{household.log()}"
    household.kill()
    recovered(household, witness)
    judge(household, witness, lost=2)
