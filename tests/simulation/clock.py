"""The clocks of a simulated machine, in whole microseconds. Passed to everything that asks for the time."""

from __future__ import annotations

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class SimClock:
    """Stands still until told. `elapsed` is the true time since the simulation began; no program can see it."""

    def __init__(self, wall: int) -> None:
        self.wall = wall
        self.awake = 0
        """Stands still while the machine sleeps, begins anew at a boot: CLOCK_MONOTONIC."""
        self.since_boot = 0
        self.elapsed = 0

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.awake / SECOND

    def boottime(self) -> float:
        return self.since_boot / SECOND

    def go_on(self, time: int) -> None:
        self.wall += time
        self.awake += time
        self.since_boot += time
        self.elapsed += time

    def sleep(self, seconds: float) -> None:
        self.go_on(round(seconds * SECOND))

    def sleep_machine(self, time: int) -> None:
        """Suspend to RAM."""
        self.wall += time
        self.since_boot += time
        self.elapsed += time

    def set(self, by: int) -> None:
        """Somebody sets the wall clock."""
        self.wall += by

    def boot(self) -> None:
        self.awake = self.since_boot = 0
