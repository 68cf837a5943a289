"""What every door says: the log, `jobsctl status`, `/healthz` and `/metrics`. A fault is told on all of them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.household import Household, eventually


def get(house: Household, path: str) -> bytes:
    """An answer of HTTP, whatever its code. Waits until there is one: a killed server leaves its address behind."""
    bodies: list[bytes] = []

    def answered() -> bool:
        try:
            address = json.loads(house.home.http.read_bytes())["listen"]
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                bodies.append(answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                bodies.append(refused.read())
        except (OSError, ValueError):
            return False
        return True

    eventually(answered, "HTTP answers")
    return bodies[-1]


def health(house: Household) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(get(house, "/healthz"))
    return body


def metric(house: Household, name: str, **labels: str) -> float | None:
    """The value of one sample; None when it is not there."""
    for family in text_string_to_metric_families(get(house, "/metrics").decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def told(house: Household, words: str) -> None:
    """Every door says `words`, in time."""
    eventually(lambda: words in house.log(), f"the log tells {words!r}")
    eventually(lambda: words in " ".join(health(house)["problems"]), f"health tells {words!r}")
    status = house.jobsctl("status", check=False)
    assert status.returncode == 1
    assert words in status.stdout
    assert (metric(house, "jobsctl_last_error_timestamp_seconds") or 0) > 0
    eventually(
        lambda: (metric(house, "jobsctl_reconcile_total", result="error") or 0) > 0, "the failed passes are counted"
    )


def well(house: Household) -> None:
    """Every door is content again."""
    eventually(lambda: health(house)["problems"] == [], "health is content again")
    assert house.jobsctl("status", check=False).returncode == 0
