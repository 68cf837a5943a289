"""Everything the loop's steps act on, in one place, owned by the loop's thread.

Made once by `reconciler.daemon`; each step (`act`, `ending`, `looking`, `asking`, `recovery`) is functions over it.
Memory follows the database: entries change only after the commit that says so.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.clock import Clock
from reconciler.lag import LagHistogram
from reconciler.machine import Boot
from reconciler.pools import Pools
from reconciler.sync import PrunePolicy
from reconciler.table import JobTable
from reconciler.timers import Timers
from runners.base import Message, Runner
from specs.calendar import Calendars, JobCalendar
from specs.policy import Policy
from state.home import Home
from state.records import DocumentRecord, Run
from state.store import Store

log = logging.getLogger("jobsctl")

STAGGER_ABOVE = 20
"""With so few jobs all may be caught up at once: that is no stampede."""
STAGGER_EACH, STAGGER_MOST = 50_000, 60_000_000
"""Microseconds a job, and in all: 20 starts a second are well below what any machine does."""


@dataclass(slots=True)
class World:
    """The store, the runner, the clock, and what is known in memory."""

    home: Home
    store: Store
    runner: Runner
    clock: Clock
    jobs: JobTable
    boot: Boot
    environ: Mapping[str, str]
    """The daemon's environment: where secrets `from_env` come from."""
    base_dir: Path
    """What relative working directories are relative to."""
    prune_policy: PrunePolicy = field(default_factory=PrunePolicy)
    timers: Timers = field(default_factory=Timers)
    live: dict[str, Run] = field(default_factory=dict)
    """Active runs by id, as last stored."""
    unlaunched: list[str] = field(default_factory=list)
    """Stored runs that could not be handed to the runner yet."""
    refused: bool = False
    """The runner did not take the last ones."""
    messages: list[Message] = field(default_factory=list)
    """What the runner told and the database does not hold yet."""
    untold: deque[Run] = field(default_factory=deque)
    """Ended runs whose `run.json` is not written yet."""
    pools: Pools = field(default_factory=Pools)
    calendars: dict[str, JobCalendar] = field(default_factory=dict)
    """By name, compiled. Changed by `set_calendar`."""
    _together: dict[tuple[str, ...], Calendars] = field(default_factory=dict)
    documents: dict[tuple[str, str], DocumentRecord] = field(default_factory=dict)
    """Pools and calendars as stored, by kind and name."""
    spare_documents: bool = False
    """Some have no file any more, but a job names them still."""
    up_since: int = 0
    """When this daemon began to decide, microseconds."""
    settled_at: int = 0
    """When it began, or the clock jumped last: catch-ups are staggered from then on."""
    stagger: int = 0
    """Over how many microseconds."""
    missing: set[str] = field(default_factory=set)
    """Identities that no file names, not pruned yet."""
    confirm_prune: bool = False
    looked: bool = False
    """A first look at the files was applied: only then does anything start."""
    lag: LagHistogram = field(default_factory=LagHistogram)
    changed: Callable[[], None] = lambda: None
    """Called after a commit that readers can see."""

    def calendars_of(self, policy: Policy) -> Calendars | None:
        """The calendars a job names, as far as they are defined; None when it names none."""
        names = policy.calendars
        if not names:
            return None
        known = self._together.get(names)
        if known is None:  # kept, because it remembers its last search
            known = self._together[names] = Calendars(
                tuple(self.calendars[name] for name in names if name in self.calendars)
            )
        return known

    def set_calendar(self, name: str, calendar: JobCalendar | None) -> None:
        """Define a calendar; None: it is gone."""
        self._together.clear()
        if calendar is None:
            self.calendars.pop(name, None)
        else:
            self.calendars[name] = calendar

    def settle_at(self, now: int) -> None:
        """Stagger what is to be caught up from `now` on."""
        self.settled_at = now
        live = sum(not entry.archived for entry in self.jobs)
        self.stagger = 0 if live <= STAGGER_ABOVE else min(live * STAGGER_EACH, STAGGER_MOST)
