"""A home whose daemon a Prometheus looks at: does an alert fire for it, has it fired, does it resolve."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from tests.alerting.runbooks import first_command
from tests.alerting.server import Prometheus
from tests.household import Household, eventually

PATIENCE = 40.0


class Watched:
    """One of the targets of a Prometheus. `close` ends its daemon."""

    def __init__(self, root: Path, prometheus: Prometheus, address: str) -> None:
        self.root, self.prometheus, self.address = root, prometheus, address
        self.household = Household(root / "home")

    def close(self) -> None:
        self.household.close()

    def firing(self, alert: str, **labels: str) -> bool:
        """Whether it fires now."""
        return self.prometheus.firing(alert, instance=self.address, **labels)

    def fires(self, alert: str, **labels: str) -> None:
        """Waits until it does."""
        eventually(lambda: self.firing(alert, **labels), f"{alert} fires", PATIENCE)

    def fired(self, alert: str, **labels: str) -> None:
        """As `fires`, but it may be past already."""
        eventually(
            lambda: self.prometheus.has_fired(alert, instance=self.address, **labels), f"{alert} fires", PATIENCE
        )

    def resolves(self, alert: str, **labels: str) -> None:
        """Waits until it does not fire, with a Prometheus that is well."""
        eventually(
            lambda: self.prometheus.query("up") and not self.firing(alert, **labels), f"{alert} resolves", PATIENCE
        )

    def runbook(self, alert: str) -> str:
        """What the first command of its page prints here."""
        return self.household.jobsctl(*shlex.split(first_command(alert))[1:], check=False).stdout


def job(name: str, script: str, *lines: str) -> str:
    """A spec."""
    return "\n".join([f"name: {name}", *lines, "run:", f"  script: {json.dumps(script)}", ""])
