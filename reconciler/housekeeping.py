"""Work that can wait: stories of ended runs, history past its retention; in bites small enough not to delay a start."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.ending import write_stories
from reconciler.world import World, log
from state import runfiles

EVERY = 600.0
"""Seconds between two rounds: a job that runs every second makes 600 rows in between, 60 % of its default history."""

BITE = 50
"""Runs per transaction: about 4 ms, then the loop looks at its timers again."""


@dataclass(slots=True)
class Housekeeping:
    """One round after another, a bite per idle pass."""

    max_age: int
    """Microseconds."""
    max_runs: int
    _next_round: float = field(default=0.0)

    def step(self, world: World, now: int, idle: bool) -> bool:
        """One bite when the loop is idle and a round is due. True when the round goes on.

        Raises:
            StateError: the database would not take it; the round starts again later.
        """
        if not idle:
            return False
        if world.untold:
            return write_stories(world, BITE)
        if world.clock.monotonic() < self._next_round:
            return False
        pruned = world.store.prune(now, max_age_us=self.max_age, max_runs=self.max_runs, limit=BITE)
        for project, job, run_id in pruned:
            runfiles.remove_run_dir(world.home, project, job, run_id)
        if not pruned:
            self._next_round = world.clock.monotonic() + EVERY
            return False
        log.debug("retention: %d runs removed", len(pruned))
        world.changed()
        return True
