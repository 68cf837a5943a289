"""The runbook pages, and the commands they tell people to type."""

from __future__ import annotations

import re
from pathlib import Path

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
SPAN = re.compile(r"`(jobsctl\s[^`]*)`")


def commands_of(text: str) -> list[str]:
    """Command lines of jobsctl in blocks and between backquotes."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("jobsctl ")]
    without = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return lines + [" ".join(found.split()) for found in SPAN.findall(without)]


def first_command(alert: str) -> str:
    """What its page has people type first."""
    return commands_of((RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8"))[0]
