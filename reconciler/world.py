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
from reconciler.sync import PrunePolicy
from reconciler.table import JobTable
from reconciler.timers import Timers
from runners.base import Message, Runner
from state.home import Home
from state.records import Run
from state.store import Store

log = logging.getLogger("jobsctl")


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
    messages: list[Message] = field(default_factory=list)
    """What the runner told and the database does not hold yet."""
    untold: deque[Run] = field(default_factory=deque)
    """Ended runs whose `run.json` is not written yet."""
    missing: set[str] = field(default_factory=set)
    """Identities that no file names, not pruned yet."""
    confirm_prune: bool = False
    looked: bool = False
    """A first look at the files was applied: only then does anything start."""
    lag: LagHistogram = field(default_factory=LagHistogram)
    changed: Callable[[], None] = lambda: None
    """Called after a commit that readers can see."""
