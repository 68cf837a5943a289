"""Work that can wait: stories of ended runs, history and output past their retention, directories of what is gone.

Called by the loop when it is idle; in bites small enough not to delay a start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.crashpoint import crashpoint
from reconciler.ending import write_stories
from reconciler.world import World, log
from state import runfiles
from state.changes import DoomedDirectory
from state.errors import StateError

EVERY = 600.0
"""Seconds between two rounds: a job that runs every second makes 600 rows in between, 60 % of its default history."""

BITE = 12
"""Runs per transaction, directories per pass at most: about a millisecond, then the loop looks at its timers again."""
PAUSE = 0.001
"""Seconds after which no further directory is begun in a pass: a busy disk may take milliseconds for each."""


@dataclass(slots=True)
class Housekeeping:
    """One round after another, a bite per idle pass."""

    max_age: int
    """Microseconds."""
    max_runs: int
    _next_round: float = field(default=0.0)
    _after: int = field(default=0)
    """The last doomed directory this round looked at; behind it are those that could not be removed."""

    def step(self, world: World, now: int, idle: bool) -> bool:
        """One bite when the loop is idle and a round is due. True when the round goes on.

        Raises:
            StateError: the database would not take it; the round starts again later.
        """
        if not idle:
            return False
        if world.untold:
            return write_stories(world, BITE)
        if self._remove_directories(world):
            return True
        if world.clock.monotonic() < self._next_round:
            return False
        pruned = world.store.prune(now, max_age_us=self.max_age, max_runs=self.max_runs, limit=BITE)
        if pruned is None:
            self._next_round = world.clock.monotonic() + EVERY
            self._after = 0
            return False
        crashpoint("history-pruned")
        if not pruned:
            return True
        log.debug("retention: %d runs removed", len(pruned))
        world.changed()
        return True

    def _remove_directories(self, world: World) -> bool:
        """A bite of the directories whose rows are gone. True when there was one.

        One that cannot be removed is logged, passed over and tried again in the next round.
        """
        doomed = world.store.doomed_directories(after=self._after, limit=BITE)
        if not doomed:
            return False
        removed = []
        until = world.clock.monotonic() + PAUSE
        for one in doomed:
            self._after = one.id
            try:
                _remove(world, one)
            except StateError as error:
                log.warning("retention: %s; %s", error, error.hint)
            else:
                removed.append(one.id)
            if world.clock.monotonic() >= until:
                break
        crashpoint("directories-removed")
        world.store.directories_removed(removed)
        return True


def _remove(world: World, doomed: DoomedDirectory) -> None:
    if doomed.run_id is not None and doomed.output_only:
        runfiles.remove_output(world.home, doomed.project, doomed.job, doomed.run_id)
    elif doomed.run_id is not None:
        runfiles.remove_run_dir(world.home, doomed.project, doomed.job, doomed.run_id)
    elif not doomed.job_lives:
        runfiles.remove_job_dir(world.home, doomed.project, doomed.job, and_project=not doomed.project_lives)
