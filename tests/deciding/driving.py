"""The real loop over a real store and the product fake of a runner, driven pass by pass in made-up time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path

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
from runners.stub import StubRunner
from specs.source import Look, Source
from state.home import Home
from state.inbox import Request, RequestKind, write_request
from state.records import JobRecord, Run
from state.store import Store

SECOND = 1_000_000
THE_HOUR = 1_800_000_000 * SECOND
"""2027-01-15T08:00:00Z."""
EVERY_10S = "name: {name}\nschedule: every 10s\nrun: {{command: [x]}}\n"
MANUAL = "name: {name}\nrun: {{command: [x]}}\n"


class FakeClock:
    """Stands still until told."""

    def __init__(self, now: int = THE_HOUR) -> None:
        self.at = now
        self.passed = 0.0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    def boottime(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.at += round(seconds * SECOND)
        self.passed += seconds


class Watched:
    """A source that is looked at when the test says so."""

    watch_up, watch_events, watch_restarts, watch_error = True, 0, 0, None

    def __init__(self) -> None:
        self.wanted = 0

    def look_now(self) -> None:
        self.wanted += 1


class Rig:
    """A home with a loop on it. `crash` forgets everything in memory; what the supervisor and the disk hold stays."""

    def __init__(self, root: Path, *, now: int = THE_HOUR) -> None:
        self.home = Home(root)
        for folder in (self.home.specs, self.home.state, self.home.requests):
            folder.mkdir(parents=True, exist_ok=True)
        self.clock = FakeClock(now)
        self.booted_at = now - 3600 * SECOND
        self.runner = StubRunner(now=self.clock.now)
        self._requests = 0
        self._open()

    def _open(self) -> None:
        self.store = Store.open(self.home.database, now=self.clock.now())
        self.source = Source(self.home.specs, now=self.clock.now)
        self.looks: deque[Look] = deque()
        self.wakeup = Wakeup()
        self.wakeup.watch(self.runner.fileno())
        self.doorbell = DoorbellSocket(self.home.doorbell)
        self.world = World(
            home=self.home,
            store=self.store,
            runner=self.runner,
            clock=self.clock,
            jobs=JobTable("UTC"),
            boot=Boot(self.runner.boot_id, self.booted_at),
            environ={"PATH": "/usr/bin:/bin"},
            base_dir=self.home.root,
        )
        self.loop = Loop(
            self.world,
            source=Watched(),
            looks=self.looks,
            wakeup=self.wakeup,
            doorbell=self.doorbell,
            heartbeat=Heartbeat(self.home.heartbeat),
            pulse=Pulse(version="test", started_at=self.clock.now()),
            housekeeping=Housekeeping(max_age=30 * 86_400 * SECOND, max_runs=1000),
            readers=(),
            cache_version="test",
        )
        recover(self.world, self.clock.now())

    def close(self) -> None:
        self.loop.close()
        self.doorbell.close()
        self.wakeup.close()
        self.store.close()

    def crash(self) -> None:
        """The daemon is gone and another one starts."""
        self.close()
        self.runner = self.runner.successor()
        self._open()

    # -- what happens outside

    def file(self, name: str, text: str | None) -> None:
        path = self.home.specs / name
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")
        self.clock.sleep(3)  # older than what a look distrusts

    def ask(
        self,
        kind: RequestKind,
        identity: str | None = None,
        *,
        run_id: str | None = None,
        params: Mapping[str, object] | None = None,
    ) -> str:
        self._requests += 1
        request = Request(
            id=f"{self._requests:026d}",
            kind=kind,
            identity=identity,
            run_id=run_id,
            requested_by="ann@desk",
            requested_at=self.clock.now(),
            params=params or {},
        )
        write_request(self.home, request)
        return request.id

    # -- the daemon

    def look(self) -> None:
        """A look at the files, and passes until nothing is left to do."""
        self.looks.append(self.source.look())
        self.settle()

    def settle(self) -> None:
        self.loop._inbox_at = 0.0  # as if somebody had rung
        for _ in range(50):
            self.runner.advance()
            more = self.loop.run_pass()
            due = self.world.timers.next_at() if self.world.looked else None
            if not (more or self.wakeup.wait(None, 0) or (due is not None and due <= self.clock.now())):
                return
        raise AssertionError("the loop never comes to rest")

    def wait(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.settle()

    def until(self, at: int) -> None:
        """Let time pass, with a pass whenever a timer is due or a run ends."""
        while (now := self.clock.at) < at:
            ends = [run.ends_at for run in self.runner._runs.values() if run.end is None and run.ends_at is not None]
            timer = self.world.timers.next_at() if self.world.looked else None
            upcoming = min((each for each in (*ends, timer) if each is not None and each > now), default=at)
            upcoming = min(upcoming, at)
            self.clock.at, self.clock.passed = upcoming, self.clock.passed + (upcoming - now) / SECOND
            self.settle()

    def job(self, name: str) -> JobRecord:
        record = self.store.job_by_identity(f"default/{name}")
        assert record is not None
        return record

    def runs(self, name: str) -> list[Run]:
        ids = [row[0] for row in self.store._connection.execute(
            "SELECT run.id FROM run JOIN job ON job.id = run.job_id WHERE job.name = ? ORDER BY run.id", (name,)
        )]  # fmt: skip
        return [run for run_id in ids if (run := self.store.run(run_id)) is not None]
