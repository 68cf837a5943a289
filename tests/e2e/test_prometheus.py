"""A real Prometheus scrapes a real daemon: runs are there, under their own labels, and a restart takes none away."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.components import program
from tests.household import Household, eventually

TICK = 'name: tick\nschedule: every 1s\nrun:\n  command: ["true"]\n'
SCRAPE = """\
global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
scrape_configs:
  - job_name: jobsctl
    static_configs: [{{targets: ["{target}"]}}]
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Prometheus:
    """A server on loopback with one target."""

    def __init__(self, folder: Path, target: str) -> None:
        folder.mkdir()
        config = folder / "prometheus.yml"
        config.write_text(SCRAPE.format(target=target), encoding="utf-8")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def query(self, expression: str) -> list[dict[str, Any]]:
        try:
            answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=5)
        except httpx.TransportError:
            return []
        found: list[dict[str, Any]] = answer.json()["data"]["result"] if answer.status_code == 200 else []
        return found

    def value(self, expression: str) -> float:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else 0.0

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def served(household: Household) -> Household:
    household.commit({"tick.yaml": TICK})
    household.start("--listen", f"127.0.0.1:{free_port()}")
    eventually(household.home.http.exists, "the status process listens")
    return household


@pytest.fixture
def prometheus(served: Household, tmp_path: Path) -> Iterator[Prometheus]:
    address = json.loads(served.home.http.read_bytes())["listen"]
    server = Prometheus(tmp_path / "prometheus", address)
    yield server
    server.close()


def test_runs_are_counted_under_their_own_labels_and_a_restart_takes_none_away(
    served: Household, prometheus: Prometheus
) -> None:
    runs = 'jobsctl_runs_total{job_name="tick",state="succeeded"}'
    eventually(lambda: prometheus.value(runs) >= 2, "two runs are counted")
    (series,) = prometheus.query(runs)
    assert "exported_job" not in series["metric"], "one of our labels collides with Prometheus's own"
    assert prometheus.value('up{job="jobsctl"}') == 1
    assert prometheus.value('time() - jobsctl_job_last_success_timestamp_seconds{job_name="tick"}') < 30
    before = prometheus.value(runs)
    address = json.loads(served.home.http.read_bytes())["listen"]
    served.kill()
    served.start("--listen", address)
    eventually(lambda: prometheus.value(runs) > before, "counting goes on from where it was")
    assert prometheus.value(f"resets({runs}[1m])") == 0
