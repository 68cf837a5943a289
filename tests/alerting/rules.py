"""The shipped alert rules, and a copy of them in a hurry."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "jobsctl.rules.yaml"
AMOUNT = re.compile(r"\b\d+ \* (?:60|3600|86400)\b")
"""How the rules write seconds."""
RANGE = re.compile(r"\[\d+[smhd]\]")

Rules = dict[str, Any]


def shipped() -> Rules:
    """The parsed file."""
    found: Rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return found


def alerts(rules: Rules) -> Iterator[dict[str, Any]]:
    """Every alert of every group."""
    for group in rules["groups"]:
        yield from group["rules"]


def hurried(rules: Rules, *, patient: Collection[str] = ()) -> Rules:
    """The same rules for a test that has seconds: what they look at stays as it is, how long they wait does not.

    `for` becomes 1 second, ranges become 10 seconds (30 scrapes), amounts of seconds (`7 * 86400`) become 2. Amounts of
    alerts in `patient` are left: their cause can be made as old as it must be.
    """
    found = copy.deepcopy(rules)
    for group in found["groups"]:
        group["interval"] = "300ms"
    for alert in alerts(found):
        alert["for"] = "1s"
        alert["expr"] = RANGE.sub("[10s]", alert["expr"])
        if alert["alert"] not in patient:
            alert["expr"] = AMOUNT.sub("2", alert["expr"])
    return found
