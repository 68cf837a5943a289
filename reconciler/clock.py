"""The one place that reads a clock. Made by the composition root, passed to whoever needs it; tests pass a fake."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall clock and monotonic clock."""

    def now(self) -> int:
        """Microseconds since the epoch, UTC. May jump."""

    def monotonic(self) -> float:
        """Seconds; never goes back, stands still while the machine sleeps."""

    def boottime(self) -> float:
        """Seconds; never goes back, goes on while the machine sleeps."""

    def sleep(self, seconds: float) -> None:
        """At least so long."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        return time.time_ns() // 1000  # noqa: TID251  (the one place)

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
