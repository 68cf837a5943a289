"""What is to become of the slots that are due: the rules of the documents, told once more and in another way.

`reconciler.decide` is not asked: what it decided is held against this.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.simulation.clock import MINUTE


@dataclass(frozen=True, slots=True)
class Situation:
    """A job at the instant at which its due slots are decided."""

    spec: bytes
    now: int
    applied_at: int
    active: int
    """Runs that are not over."""
    overridden: bool
    """`jobsctl suspend`."""


RUN = "run"


@lru_cache(maxsize=4096)
def fields_of(spec: bytes) -> dict[str, Any]:
    """Of a canonical spec."""
    found: dict[str, Any] = json.loads(spec)
    return found


def suspended(spec: bytes, overridden: bool) -> bool:
    return overridden or fields_of(spec).get("suspend", False) is not False


def verdicts(situation: Situation, slots: Sequence[int], *, once: bool) -> list[str]:
    """For every due slot in order: `run`, or the reason why it is skipped."""
    if suspended(situation.spec, situation.overridden):
        return ["suspended"] * len(slots)
    if once and slots[-1] < situation.applied_at - MINUTE:
        return ["past"]
    last = "overlap" if situation.active else RUN
    return ["missed"] * (len(slots) - 1) + [last]


def trigger_of(slot: int, now: int) -> str:
    """A start within a minute is on time."""
    return "schedule" if now - slot < MINUTE else "catch_up"


def limit_of(spec: bytes) -> int:
    """How many runs of the job may be active at once."""
    return 1
