"""What DESIGN names and this version does not build. Used by `specs.load`: refused by name, never ignored.

An entry leaves this module when the thing works. Nothing else may know these names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

VERSION = "0.1"

FIELDS = frozenset(
    {
        "retry",
        "overlap",
        "max_concurrent",
        "missed",
        "jitter",
        "on_lost",
        "depends_on",
        "on_dependency_failure",
        "repeat",
        "until",
        "start_at",
        "end_at",
        "pool",
        "priority",
        "calendar",
        "notify",
        "callback",
        "retention",
        "on_delete",
        "prune",
        "params",
        "renamed_from",
        "success_codes",
    }
)
KINDS = frozenset({"Defaults", "Agent", "Notifier", "Pool", "Calendar"})
RUN_TYPES = frozenset({"container", "http", "llm", "cluster"})
_CONTINUOUS = re.compile(r"\s*continuous(?:\s.*)?", re.IGNORECASE | re.DOTALL)
_FROM_FINISH = re.compile(r".*\bfrom(?:\s+the)?[\s:]+finish\s*", re.IGNORECASE | re.DOTALL)

Loc = tuple[str | int, ...]


def refusals(document: dict[str, Any]) -> Iterator[tuple[Loc, bool, str]]:
    """`(place, whether its key is meant, what it is called)` of every unbuilt thing in a `Job` document."""
    for name in document:
        if name in FIELDS:
            yield (name,), True, f"`{name}`"
    run = document.get("run")
    if isinstance(run, dict) and isinstance(run.get("type"), str) and run["type"] in RUN_TYPES:
        yield ("run", "type"), False, f"run type `{run['type']}`"
    schedule = document.get("schedule")
    entries = enumerate(schedule) if isinstance(schedule, list) else [(None, schedule)]
    for index, entry in entries:
        loc: Loc = ("schedule",) if index is None else ("schedule", index)
        yield from _in_schedule(loc, entry)


def _in_schedule(loc: Loc, entry: object) -> Iterator[tuple[Loc, bool, str]]:
    if isinstance(entry, str) and _CONTINUOUS.fullmatch(entry):
        yield loc, False, "schedule `continuous`"
    elif isinstance(entry, str) and _FROM_FINISH.fullmatch(entry):
        yield loc, False, "`from finish`"
    elif isinstance(entry, dict):
        for name in ("continuous", "delay", "from"):
            if name in entry:
                yield (*loc, name), True, f"`{name}`"


def message(what: str) -> str:
    """The one sentence about a thing that is not built."""
    return f"{what} is not built yet in jobsctl {VERSION}; remove it"
