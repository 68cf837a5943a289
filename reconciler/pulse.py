"""What the daemon knows about itself, for the heartbeat. Owned by the loop."""

from __future__ import annotations

import os
import sqlite3
from typing import Any, Protocol

from reconciler.sync import SyncPlan
from reconciler.world import World
from specs.source import Look
from state.errors import Busy


class Watching(Protocol):
    """How the watcher of the files is: part of `specs.source.SourceThread`."""

    @property
    def watch_up(self) -> bool: ...

    @property
    def watch_events(self) -> int: ...

    @property
    def watch_restarts(self) -> int: ...

    @property
    def watch_error(self) -> str | None: ...


class Pulse:
    """Counters and last things since the start of this daemon. Instants are microseconds UTC."""

    def __init__(self, *, version: str, started_at: int) -> None:
        self.state = "starting"
        self.clock_jumps = 0
        self._version = version
        self._started_at = started_at
        self._passes = self._errors = self._busy = 0
        self._seconds = 0.0
        self._last_pass_at: int | None = None
        self._last_seconds = 0.0
        self._last_error: str | None = None
        self._last_error_at: int | None = None
        self._scan: dict[str, Any] = {}
        self._revision: str | None = None
        self._root = ""

    def passed(self, now: int, seconds: float) -> None:
        self._passes += 1
        self._seconds += seconds
        self._last_pass_at, self._last_seconds = now, seconds

    def failed(self, error: Exception, now: int) -> None:
        self._errors += 1
        self._busy += isinstance(error, Busy)
        self._last_error, self._last_error_at = str(error), now

    def looked(self, look: Look, plan: SyncPlan) -> None:
        desired = look.desired
        self._root, self._revision = desired.root, desired.revision
        self._scan = {
            "at": desired.scanned_at,
            "seconds": (desired.scanned_at - desired.started_at) / 1_000_000,
            "files": desired.files,
            "parsed": desired.parsed,
            "jobs": len(desired.jobs),
            "invalid": len(desired.invalid),
            "changes": len(plan.changes),
            "problem": desired.problem,
        }

    def beat(self, world: World, source: Watching, now: int) -> dict[str, Any]:
        """The heartbeat's content."""
        return {
            "pid": os.getpid(),
            "version": self._version,
            "started_at": self._started_at,
            "at": now,
            "state": self.state if world.looked or self.state != "ready" else "starting",
            "last_pass_at": self._last_pass_at,
            "last_pass_seconds": self._last_seconds,
            "last_error": self._last_error,
            "last_error_at": self._last_error_at,
            "passes": self._passes,
            "reconcile": {"ok": self._passes, "error": self._errors, "seconds_sum": self._seconds},
            "timezone": world.jobs.default_timezone,
            "root": self._root,
            "revision": self._revision,
            "scan": self._scan,
            "watch": {
                "up": source.watch_up,
                "events": source.watch_events,
                "restarts": source.watch_restarts,
                "error": source.watch_error,
            },
            "queue": {"depth": len(world.timers), "retrying": sum(entry.failures > 0 for entry in world.jobs)},
            "runs": {"active": len(world.live), "unlaunched": len(world.unlaunched)},
            "lag": {"buckets": world.lag.buckets(), "sum": world.lag.sum, "count": world.lag.count},
            "clock_jumps": self.clock_jumps,
            "db": {"busy": self._busy},
            "supervisor": world.runner.name,
            "sqlite": sqlite3.sqlite_version,
        }
