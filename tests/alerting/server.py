"""A real Prometheus with rules, on loopback."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.alerting.rules import Rules
from tests.components import program


def free_port() -> int:
    """A port nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Prometheus:
    """A server with some targets, scraped and judged three times a second."""

    def __init__(self, folder: Path, targets: Sequence[str], rules: Rules) -> None:
        self.targets = targets
        folder.mkdir()
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
        config = folder / "prometheus.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "global": {
                        "scrape_interval": "300ms",
                        "scrape_timeout": "300ms",
                        "evaluation_interval": "300ms",
                    },
                    "rule_files": ["rules.yaml"],
                    "scrape_configs": [{"job_name": "jobsctl", "static_configs": [{"targets": list(targets)}]}],
                }
            ),
            encoding="utf-8",
        )
        port = free_port()
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10, trust_env=False, verify=False
        )
        command = [
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
            "--query.lookback-delta=2s",
        ]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def get(self, path: str, **parameters: str) -> Any:
        """`data` of an answer of its API; None while it does not answer, or refuses."""
        try:
            answer = self._client.get(f"/{path}", params=parameters)
        except httpx.TransportError:
            return None
        return answer.json()["data"] if answer.status_code == 200 else None

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Series of an instant query."""
        found = self.get("query", query=expression)
        return found["result"] if found else []

    def firing(self, alert: str, **labels: str) -> bool:
        """Whether an alert with these labels fires now."""
        return bool(self.query(_fires(alert, labels)))

    def has_fired(self, alert: str, **labels: str) -> bool:
        """Whether it does, or did within the last ten minutes."""
        return bool(self.query(f"max_over_time({_fires(alert, labels)}[10m])"))

    def close(self) -> None:
        self._client.close()
        self.process.kill()
        self.process.wait(10)


def _fires(alert: str, labels: Mapping[str, str]) -> str:
    wanted = {"alertname": alert, "alertstate": "firing", **labels}
    return "ALERTS{" + ",".join(f'{name}="{value}"' for name, value in wanted.items()) + "}"
