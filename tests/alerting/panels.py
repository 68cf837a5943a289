"""The dashboard's panels and expressions, as tests ask them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from docs.generate_dashboard import FILE

DASHBOARD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]


def filled(expression: str) -> str:
    """With Grafana's variables as if everything were chosen."""
    for name, value in {"job": "jobsctl", "instance": ".*", "project": ".*", "job_name": ".*"}.items():
        expression = re.sub(rf"\${name}\b", value, expression)
    return re.sub(r"\$__(rate_)?interval\b", "1m", expression)


def expressions() -> Iterator[tuple[str, str]]:
    """Title and expression, filled, of every query."""
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield panel["title"], filled(target["expr"])
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], filled(annotation["expr"])
