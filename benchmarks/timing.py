"""Interleaved timing: candidates take turns, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

Work = Callable[[], Any]


def interleaved(candidates: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Seconds of every call of every candidate; the order turns from round to round. One call of each goes before."""
    names = list(candidates)
    for name in names:
        candidates[name]()
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            gc.collect()
            began = time.perf_counter()
            kept = candidates[name]()
            taken[name].append(time.perf_counter() - began)
            del kept
    return taken
