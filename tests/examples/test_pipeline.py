"""examples/pipeline: jobs start when what they follow has succeeded, with its files, params and results."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.examples.repository import Jobsctl, copy_example, daemon


@pytest.fixture
def jobsctl(tmp_path: Path) -> Iterator[Jobsctl]:
    with daemon(copy_example("pipeline", tmp_path / "home")) as running:
        yield running


def ended(jobsctl: Jobsctl, job: str, number: int) -> list[dict[str, Any]]:
    """The runs of a job, oldest first, once that many have ended."""
    deadline = time.monotonic() + 30
    while True:
        runs = [run for run in jobsctl.json("runs", job)["items"] if run["finishedAt"] is not None]
        if len(runs) >= number:
            return runs[::-1]
        assert time.monotonic() < deadline, jobsctl("runs").stdout
        time.sleep(0.1)


def test_a_load_follows_the_runs_it_waited_for_and_the_report_follows_the_load(jobsctl: Jobsctl) -> None:
    jobsctl("trigger", "extract-rates", "--wait")
    jobsctl("trigger", "extract-orders", "--param", "day=2027-01-15", "--wait")
    (load,) = ended(jobsctl, "load", 1)
    (report,) = ended(jobsctl, "report", 1)
    assert (load["state"], load["trigger"], report["state"]) == ("succeeded", "dependency", "succeeded")
    assert load["upstream"] == {
        "default/extract-orders": jobsctl.json("runs", "extract-orders")["items"][0]["id"],
        "default/extract-rates": jobsctl.json("runs", "extract-rates")["items"][0]["id"],
    }
    assert report["result"]["days"] == 1
    with closing(sqlite3.connect(jobsctl.home / "warehouse.db")) as database:
        assert database.execute("SELECT DISTINCT day FROM orders").fetchall() == [("2027-01-15",)]

    # Rates may be of an earlier run: new orders are enough for the next load.
    jobsctl("trigger", "extract-orders", "--param", "day=2027-01-16", "--wait")
    assert ended(jobsctl, "report", 2)[1]["result"]["days"] == 2


def test_a_param_that_does_not_match_is_refused_and_starts_nothing(jobsctl: Jobsctl) -> None:
    refused = jobsctl("trigger", "extract-orders", "--param", "day=tomorrow", check=False)
    assert refused.returncode != 0
    assert r"yesterday|\d{4}-\d{2}-\d{2}" in refused.stderr
    assert jobsctl.json("runs", "extract-orders")["items"] == []
