"""One life of the daemon on a simulated machine: the real loop and the real store, driven pass by pass.

As `reconciler.daemon` puts it together, with the threads, sockets and descriptors taken out: the machine asks when it
would wake, and jumps there.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.doorbell import DoorbellSocket
from reconciler.heartbeat import Heartbeat
from reconciler.housekeeping import Housekeeping
from reconciler.loop import Loop
from reconciler.machine import Boot
from reconciler.pulse import Pulse
from reconciler.recovery import recover
from reconciler.table import JobTable
from reconciler.wake import Wakeup
from reconciler.world import World
from specs.source import Look, Source
from state import ids
from state.home import Home
from state.store import Store
from tests.simulation.clock import DAY, SECOND, SimClock
from tests.simulation.faults import Faults, make_faulty
from tests.simulation.rows import Journal
from tests.simulation.supervisor import SimRunner, Supervisor

CACHE = "simulation"
MAX_RUNS = 60
MAX_AGE = 21 * DAY
_BELL = 7


class SimWakeup(Wakeup):
    """Notes what the loop would sleep for."""

    def __init__(self, clock: SimClock, bell: SimDoorbell) -> None:
        self.until: int | None = None
        self.at_latest = 0
        """In the time of `SimClock.awake`."""
        self._clock = clock
        self._doorbell = bell

    def wait(self, until: int | None, at_most: float) -> Collection[int]:
        self.until, self.at_latest = until, self._clock.awake + int(at_most * SECOND)
        return {_BELL} if self._doorbell.rung else ()

    def close(self) -> None:
        pass


class SimDoorbell(DoorbellSocket):
    """A flag."""

    def __init__(self) -> None:
        self.rung = False

    def fileno(self) -> int:
        return _BELL

    def drain(self) -> None:
        self.rung = False

    def close(self) -> None:
        pass


class SimHeartbeat(Heartbeat):
    """Keeps the last beat."""

    def __init__(self) -> None:
        self.last: Mapping[str, Any] = {}

    def write(self, beat: Mapping[str, Any]) -> None:
        self.last = beat

    def remove(self) -> None:
        pass


class SimSource:
    """The thread that looks at the files: the machine looks when it is `wanted`."""

    watch_up, watch_events, watch_restarts, watch_error = True, 0, 0, None

    def __init__(self) -> None:
        self.wanted = True

    def look_now(self) -> None:
        self.wanted = True


class Daemon:
    """Memory of one process. Whoever drops it has killed it."""

    loop: Loop

    def __init__(self, home: Home, clock: SimClock, supervisor: Supervisor, faults: Faults) -> None:
        """Opens the database; raises StateError when that cannot be done. `start` does the rest."""
        gc.unfreeze()  # what an earlier daemon froze is garbage by now
        ids._last = 0
        self.home, self.clock = home, clock
        self.store = Store.open(home.database, now=clock.now())
        self.journal = Journal(self.store._connection)
        make_faulty(self.store, faults, self.journal.begin)
        self.looks: deque[Look] = deque()
        self.bell = SimDoorbell()
        self.wakeup = SimWakeup(clock, self.bell)
        self.heartbeat = SimHeartbeat()
        self.thread = SimSource()
        self.runner = SimRunner(supervisor)

    def start(self, boot: Boot) -> None:
        """Raises Death when it dies on the way, StateError when the database does not take what was lost."""
        self.world = World(
            home=self.home,
            store=self.store,
            runner=self.runner,
            clock=self.clock,
            jobs=JobTable("UTC"),
            boot=boot,
            environ={"PATH": "/usr/bin:/bin"},
            base_dir=self.home.root,
        )
        recover(self.world, self.clock.now())
        self.source = Source(self.home.specs, now=self.clock.now, cache=self.store.each_cached_file(CACHE))
        self.loop = Loop(
            self.world,
            source=self.thread,
            looks=self.looks,
            wakeup=self.wakeup,
            doorbell=self.bell,
            heartbeat=self.heartbeat,
            pulse=Pulse(version="simulation", started_at=self.clock.now()),
            housekeeping=Housekeeping(max_age=MAX_AGE, max_runs=MAX_RUNS),
            readers=(),
            cache_version=CACHE,
        )

    @property
    def failing(self) -> bool:
        """The last pass failed, and the loop waits before it tries again."""
        return self.loop._failures > 0

    @property
    def complaint(self) -> str:
        """The last error."""
        return str(self.heartbeat.last.get("last_error"))

    @property
    def untroubled(self) -> bool:
        """It knows the files, and the database takes its writes."""
        return self.world.looked and not self.failing

    def one_pass(self) -> bool:
        """One iteration, as `Loop.run` does it. True when the loop would not sleep at all."""
        more = self.loop.run_pass()
        self.loop._sleep(0.0 if more else self.loop._nap())
        return more or self.wakeup.at_latest <= self.clock.awake

    def sleeps_for(self) -> int | None:
        """Microseconds from now until it wakes by itself for something to do; None: never.

        Beats and looks into the inbox, every five seconds, are left out: nothing comes of them.
        """
        clock, candidates = self.clock, []
        if self.wakeup.until is not None:
            candidates.append(self.wakeup.until - clock.wall)
        if self.failing:
            candidates.append(self.wakeup.at_latest - clock.awake)
        if (at := self.runner.next_at()) is not None:
            candidates.append(at - clock.awake)
        return max(0, min(candidates)) if candidates else None

    def stop(self) -> None:
        """An orderly end."""
        self.loop.close()
        self.runner.close()
        self.store.close()

    def drop(self) -> None:
        """SIGKILL: what was not committed is gone."""
        self.runner.close()
        self.store._database.close()
