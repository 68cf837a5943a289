"""A home with a job that runs every second and a job that runs for long, and how such a home is judged at the end.

Used by the tests of this folder: the fault comes between `ticking` and `settle`.
"""

from __future__ import annotations

from pathlib import Path

from state.records import TERMINAL_STATES
from tests.crashing import ledger
from tests.household import Household, eventually

LONG = """\
name: long
run:
  script: |
    i=0
    while [ ! -e {root}/enough ]; do i=$((i+1)); echo $i > {root}/count; sleep 0.1; done
"""


def ticking(house: Household, *options: str, long: bool = False) -> Path:
    """Start a daemon with a ticker that has run, and on demand a run that goes on. The ticker's witness."""
    witness = house.home.root / "witness.txt"
    files: dict[str, str | None] = {"ticker.yaml": ledger.spec(witness)}
    if long:
        files["long.yaml"] = LONG.format(root=house.home.root)
    house.commit(files)
    house.start(*options)
    if long:
        eventually(lambda: house.job("default/long"), "the jobs are known")
        house.jobsctl("trigger", "long")
        eventually(lambda: count(house) > 0, "long runs")
    eventually(lambda: ledger.witnessed(witness), "the ticker ran")
    return witness


def count(house: Household) -> int:
    """How far the long run is."""
    try:
        return int((house.home.root / "count").read_text() or 0)
    except FileNotFoundError:
        return 0


def goes_on(house: Household) -> None:
    """What runs is not disturbed."""
    before = count(house)
    eventually(lambda: count(house) > before + 3, "what runs goes on")


def ticks_again(house: Household, witness: Path, patience: float = 12) -> None:
    """The ticker starts again by itself."""
    before = len(ledger.witnessed(witness))
    eventually(lambda: len(ledger.witnessed(witness)) > before, f"it goes on by itself\n{house.log()}", patience)


def ended(house: Household, identity: str) -> bool:
    """No run of the job is active."""
    return all(run.state in TERMINAL_STATES for run in house.runs(identity))


def settle(house: Household, witness: Path, *, lost: int = 0, unstarted: bool = False) -> None:
    """Suspend the ticker, wait for the last ends, hold the rows against what the jobs wrote, and stop."""
    (house.home.root / "enough").touch()
    house.jobsctl("suspend", "ticker")
    eventually(lambda: ended(house, "default/ticker"), "the last run ended")
    ledger.check(*house.books("default/ticker"), witness, lost=lost, unstarted=unstarted)
    if house.job("default/long") is not None:
        eventually(lambda: ended(house, "default/long"), "long ended")
        assert [run.exit_code for run in house.runs("default/long")] == [0]
    assert house.stop() == 0
