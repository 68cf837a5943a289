"""A state directory without room: said on every door; nothing that runs stops, no slot is lost."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from state.records import TERMINAL_STATES
from tests.components import lacking
from tests.crashing import ledger
from tests.household import Household, eventually

LONG = """\
name: long
run:
  script: |
    i=0
    while [ ! -e {root}/enough ]; do i=$((i+1)); echo $i > {root}/count; sleep 0.1; done
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Household]:
    """A home whose state directory is 12 MiB of memory."""
    state = tmp_path / "home" / ".jobsctl"
    state.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(state)], capture_output=True, check=False
    )
    if mounted.returncode:
        lacking("only root may mount a small file system")
    house = Household(tmp_path / "home")
    try:
        yield house
    finally:
        house.close()
        subprocess.run(["umount", "--lazy", str(state)], check=True)


def fill(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        os.close(descriptor)


def count(house: Household) -> int:
    try:
        return int((house.home.root / "count").read_text() or 0)
    except FileNotFoundError:
        return 0


def health(address: str) -> Any:
    with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as answer:
        return json.load(answer)


def test_a_full_disk_is_told_stops_nothing_and_is_survived(small: Household) -> None:
    witness = small.home.root / "witness.txt"
    small.commit({"ticker.yaml": ledger.spec(witness), "long.yaml": LONG.format(root=small.home.root)})
    small.start("--listen", "127.0.0.1:0")
    eventually(lambda: small.job("default/long"), "the jobs are known")
    small.jobsctl("trigger", "long")
    eventually(lambda: ledger.witnessed(witness), "the ticker ran")
    eventually(small.home.http.exists, "HTTP is up")
    address = json.loads(small.home.http.read_bytes())

    ballast = small.home.state / "ballast"
    fill(ballast)
    eventually(lambda: "no space left" in small.log(), "the log tells")
    told = eventually(
        lambda: [text for text in health(address["listen"])["problems"] if text.startswith("last error")],
        "health tells",
    )
    assert "no space left" in told[0]
    status = small.jobsctl("status", check=False)
    assert status.returncode == 1
    assert "no space left" in status.stdout
    refused = small.jobsctl("suspend", "ticker", check=False)
    assert refused.returncode == 1
    assert "free some space" in refused.stderr
    before = count(small)
    eventually(lambda: count(small) > before + 3, "what runs goes on")

    ballast.unlink()
    starts = len(ledger.witnessed(witness))
    eventually(lambda: len(ledger.witnessed(witness)) > starts + 1, "the ticker goes on by itself", 8)
    (small.home.root / "enough").touch()
    small.jobsctl("suspend", "ticker")
    eventually(lambda: all(run.state in TERMINAL_STATES for run in small.runs("default/long")), "long ended")
    eventually(lambda: all(run.state in TERMINAL_STATES for run in small.runs("default/ticker")), "all ended")
    job = small.job("default/ticker")
    assert job is not None
    ledger.check(job, small.runs("default/ticker"), witness)
    assert [run.exit_code for run in small.runs("default/long")] == [0]
    assert small.stop() == 0
