"""Reads cannot hurt: whatever is done to the process that answers readers, starts are in time."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.crashing import ledger
from tests.household import Household, eventually

CONNECTIONS = 500
"""A quarter of what was tried by hand: the test process has descriptors to keep, too."""


@pytest.fixture
def served(household: Household) -> Iterator[tuple[Household, Path, dict[str, Any]]]:
    """A ticking home that answers readers: with the witness and what `http.json` says."""
    witness = household.home.root / "witness.txt"
    household.commit({"ticker.yaml": ledger.spec(witness)})
    household.start("--listen", "127.0.0.1:0")
    eventually(lambda: ledger.witnessed(witness), "the ticker ran")
    eventually(household.home.http.exists, "HTTP is up")
    yield household, witness, json.loads(household.home.http.read_bytes())
    assert household.stop() == 0


def in_time(household: Household, witness: Path) -> None:
    """Three more slots run, each but rarely within a quarter of a second of its instant."""
    late = household.heartbeat()["lag"]
    before = len(ledger.witnessed(witness))
    eventually(lambda: len(ledger.witnessed(witness)) >= before + 3, "starts go on", 6)
    eventually(lambda: household.heartbeat()["lag"]["count"] >= late["count"] + 3, "the lag is told", 10)
    now = household.heartbeat()["lag"]
    assert (now["sum"] - late["sum"]) / (now["count"] - late["count"]) < 0.25


def test_a_crowd_of_slow_clients_delays_no_start(served: tuple[Household, Path, dict[str, Any]]) -> None:
    household, witness, told = served
    host, _, port = told["listen"].rpartition(":")
    with ExitStack() as crowd:
        for number in range(CONNECTIONS):
            client = crowd.enter_context(socket.create_connection((host, int(port)), timeout=5))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + (b"\r\n" if number % 2 else b"X-Slow: "))
        in_time(household, witness)


def test_a_frozen_status_process_delays_no_start(served: tuple[Household, Path, dict[str, Any]]) -> None:
    household, witness, told = served
    os.kill(told["pid"], signal.SIGSTOP)
    in_time(household, witness)
    os.kill(told["pid"], signal.SIGCONT)


def test_a_killed_status_process_is_started_again(served: tuple[Household, Path, dict[str, Any]]) -> None:
    household, _, told = served
    os.kill(told["pid"], signal.SIGKILL)

    def successor() -> bool:
        try:
            return bool(json.loads(household.home.http.read_bytes())["pid"] != told["pid"])
        except (FileNotFoundError, ValueError):
            return False

    eventually(successor, "another answers")


def test_a_port_that_is_taken_is_told_in_the_overview(household: Household) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        household.commit({"a.yaml": "name: a\nrun: {command: ['true']}\n"})
        household.start("--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        told = "status files are not served: the process for them ends as soon as it is started"
        eventually(lambda: told in household.jobsctl("status", check=False).stdout, "the overview tells", 30)
    assert household.stop() == 0
