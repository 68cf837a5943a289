"""The example for Alertmanager, in a real one: who is told what, and what is not told twice."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.alerting.rules import RULES
from tests.alerting.server import free_port
from tests.components import program
from tests.household import eventually

EXAMPLE = RULES.with_name("alertmanager.yaml")
LATE = {"alertname": "JobsctlJobMissedSuccess", "severity": "warning", "job": "jobsctl", "instance": "a",
        "project": "p", "job_name": "j"}  # fmt: skip
FAILS = LATE | {"alertname": "JobsctlJobLastRunFailed"}
OTHER_FAILS = FAILS | {"job_name": "other"}
DOWN = {"alertname": "JobsctlDaemonDown", "severity": "critical", "job": "jobsctl", "instance": "b"}
LATE_THERE = LATE | {"instance": "b"}
SOURCE_THERE = {"alertname": "JobsctlSourceDown", "severity": "critical", "job": "jobsctl", "instance": "b"}


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        pytest.param(DOWN, "on-call", id="critical"),
        pytest.param(LATE, "operators", id="a job"),
        pytest.param(LATE | {"project": "data"}, "data-team", id="a job of a project with a team"),
        pytest.param({"alertname": "Other", "severity": "critical"}, "operators", id="an alert of another system"),
    ],
)
def test_an_alert_goes_to_who_is_in_charge(labels: dict[str, str], receiver: str) -> None:
    done = subprocess.run(
        [program("amtool"), "config", "routes", "test", f"--config.file={EXAMPLE}",
         *(f"{name}={value}" for name, value in labels.items())],
        capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [receiver]


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = [
        program("prometheus-alertmanager"), f"--config.file={EXAMPLE}", f"--storage.path={tmp_path}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False, verify=False)
    try:
        eventually(lambda: _ready(client), "Alertmanager answers")
        yield client
    finally:
        client.close()
        process.kill()
        process.wait(10)


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_what_follows_from_something_graver_is_not_told_besides(alertmanager: httpx.Client) -> None:
    given = (LATE, FAILS, OTHER_FAILS, DOWN, LATE_THERE, SOURCE_THERE)
    alertmanager.post("/api/v2/alerts", json=[{"labels": labels} for labels in given]).raise_for_status()

    def told() -> list[dict[str, str]]:
        found: list[dict[str, Any]] = alertmanager.get("/api/v2/alerts").json()
        if len(found) < len(given) or any(alert["status"]["state"] == "unprocessed" for alert in found):
            return []
        return [alert["labels"] for alert in found if not alert["status"]["inhibitedBy"]]

    seen = eventually(told, "all were judged")
    assert sorted(seen, key=str) == sorted((LATE, OTHER_FAILS, DOWN), key=str)
