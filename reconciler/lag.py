"""How late slots were handed to the runner: a cumulative histogram, Prometheus's shape."""

from __future__ import annotations

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Seconds: from a start nobody would call late to a minute, cron's grain."""


class LagHistogram:
    """Counts per bound since the daemon started."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        self.sum += seconds
        for index, bound in enumerate(BOUNDS):
            if seconds <= bound:
                self._counts[index] += 1
                return
        self._counts[-1] += 1

    @property
    def count(self) -> int:
        return sum(self._counts)

    def buckets(self) -> list[tuple[float, int]]:
        """(upper bound in seconds, slots at most that late)."""
        total, out = 0, []
        for bound, count in zip(BOUNDS, self._counts, strict=False):
            total += count
            out.append((bound, total))
        return out
