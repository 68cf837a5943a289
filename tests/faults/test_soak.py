"""Everything at once, at random: kills, stops, second daemons, edits and commands, while many jobs run.

Ten seconds here; `make soak MINUTES=30` for longer, with a seed of its own that a failure prints.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from state.records import TERMINAL_STATES
from tests.crashing import ledger
from tests.household import Household, eventually

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.17"))
SEED = int(os.environ.get("SOAK_SEED", "20261121"))
TICKERS = 8
CHATTY = """\
name: chatty
schedule: every 2s
overlap: queue
retry: {{attempts: 2, delay: 1s}}
description: edit {edit}
run:
  script: |
    echo "$JOBSCTL_RUN_ID $JOBSCTL_SCHEDULED_FOR $JOBSCTL_ATTEMPT" >> {witness}
    head -c 20000 /dev/zero
    exit $(( $(date +%s) % 3 == 0 ))
"""


class Soak:
    """A home under load, and what is done to it."""

    def __init__(self, house: Household, dice: random.Random) -> None:
        self.house, self.dice = house, dice
        self.lost = 0
        """Runs of one job that may have been lost: one for each time supervisors were killed."""
        self.done: list[str] = []
        self.witnesses = {f"ticker-{number}": house.home.root / f"witness-{number}" for number in range(TICKERS)}
        self.chatty = house.home.root / "chatty"
        files: dict[str, str | None] = {
            f"{name}.yaml": ledger.spec(witness).replace("name: ticker", f"name: {name}")
            for name, witness in self.witnesses.items()
        }
        house.commit({**files, "chatty.yaml": CHATTY.format(edit=0, witness=self.chatty)})
        house.start()
        eventually(lambda: all(map(ledger.witnessed, self.witnesses.values())), "all run")

    def step(self) -> None:
        action = self.dice.choice(
            [self.kill, self.kill, self.kill_supervisors, self.kill_both, self.freeze, self.second, self.edit, self.ask]
        )
        self.done.append(action.__name__)
        action()
        time.sleep(self.dice.uniform(0.02, 0.7))

    def kill(self) -> None:
        self.house.kill()
        self.house.start(ready=False)

    def kill_supervisors(self) -> None:
        self.lost += 1
        for pid in self.house.supervisors():
            os.kill(pid, signal.SIGKILL)

    def kill_both(self) -> None:
        assert self.house.daemon is not None
        self.house.daemon.kill()
        self.kill_supervisors()
        self.house.daemon.wait(10)
        self.house.start(ready=False)

    def freeze(self) -> None:
        assert self.house.daemon is not None
        for pid in self.dice.choice([[self.house.daemon.pid], self.house.supervisors()]):
            try:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(self.dice.uniform(0.1, 1.5))
            finally:
                os.kill(pid, signal.SIGCONT)

    def second(self) -> None:
        words = [*self.house.program, "--home", str(self.house.home.root), "daemon", "--listen", "none"]
        eventually(self.house.is_ready, "a daemon is ready")
        refused = subprocess.run(words, capture_output=True, env=self.house.env, timeout=30, check=False)
        assert refused.returncode == 7

    def edit(self) -> None:
        self.house.write("chatty.yaml", CHATTY.format(edit=len(self.done), witness=self.chatty))

    def ask(self) -> None:
        word = self.dice.choice(["trigger", "cancel", "suspend", "resume"])
        self.house.jobsctl(word, "chatty", "--timeout", "0.1s", check=False)

    def judge(self) -> None:
        house = self.house
        eventually(house.is_ready, "a daemon is ready")
        for name in self.witnesses:
            house.jobsctl("suspend", name)
        house.jobsctl("suspend", "chatty")
        everything = [*self.witnesses, "chatty"]

        def over() -> bool:
            return all(run.state in TERMINAL_STATES for name in everything for run in house.runs(f"default/{name}"))

        eventually(over, "all ended", 60)
        for name, witness in self.witnesses.items():
            ledger.check(*house.books(f"default/{name}"), witness, lost=self.lost)
        starts = self.chatty.read_text(encoding="ascii").splitlines()
        assert len(starts) == len(set(starts)), "a run was started twice"
        assert {line.split()[0] for line in starts} <= {run.id for run in house.runs("default/chatty")}
        assert "Traceback" not in house.log(), house.log()
        assert house.stop() == 0


@pytest.fixture
def prunes_nothing(household: Household) -> None:
    """The judge needs every row."""
    household.home.config.write_text("retention: {max_runs: 1000000}\n", encoding="utf-8")


@pytest.mark.usefixtures("prunes_nothing")
@pytest.mark.timeout(60 * MINUTES + 180)
def test_kills_stops_and_edits_under_load_lose_and_double_nothing(household: Household) -> None:
    soak = Soak(household, random.Random(SEED))
    until = time.monotonic() + 60 * MINUTES
    try:
        while time.monotonic() < until:
            soak.step()
        soak.judge()
    except BaseException:
        print(f"SOAK_SEED={SEED}: {' '.join(soak.done)}")  # noqa: T201
        raise
