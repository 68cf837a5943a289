"""How long to wait after repeated failures. Pure."""

from __future__ import annotations

FIRST = 1.0
LONGEST = 900.0
"""Seconds. Flux waits from 750 ms to 15 min for one object; the last step is how late a mended world is noticed."""


def delay(failures: int) -> float:
    """Seconds to wait after `failures` failures in a row (1, 2, 3 ...): 1, 2, 4 ... at most 900."""
    return min(LONGEST, FIRST * 2.0 ** min(max(failures, 1) - 1, 32))
