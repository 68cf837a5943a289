"""What DESIGN names and this version does not build. Used by `specs.load`: refused by name, never ignored.

An entry leaves this module when the thing works. Nothing else may know these names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

VERSION = "0.1"

KINDS = frozenset({"Agent"})
RUN_TYPES = frozenset({"container", "http", "llm", "cluster"})
Loc = tuple[str | int, ...]


def refusals(document: Mapping[str, Any]) -> Iterator[tuple[Loc, str]]:
    """`(place, what it is called)` of every unbuilt thing in a `Job` document."""
    run = document.get("run")
    if isinstance(run, dict) and isinstance(run.get("type"), str) and run["type"] in RUN_TYPES:
        yield ("run", "type"), f"run type `{run['type']}`"


def message(what: str) -> str:
    """The one sentence about a thing that is not built."""
    return f"{what} is not built yet in jobsctl {VERSION}; remove it"
