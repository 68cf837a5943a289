"""The daemon's sign of life, as readers see it: `heartbeat.json`, rewritten by the daemon every few seconds.

Read by `status.api` (health), `status.metrics.exposition` and the command line. Tolerant: a missing, torn or newer
file gives what can be read, because health must be told above all when things are not well. Instants are microseconds
UTC.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import orjson

from specs.frozen import frozen
from state.home import Home

INTERVAL = 5_000_000
"""How often the daemon writes it, microseconds."""

DOWN_AFTER = 3 * INTERVAL
"""Older than this, the daemon is taken to be down: two beats may be late on a busy machine, three are not."""

LARGEST = 1 << 20


@frozen
class Heartbeat:
    """What the daemon last said of itself. `raw` is the whole document; the fields are those with a meaning here."""

    at: int
    """When it was written; 0 when it does not say."""
    state: str = "unknown"
    """`starting`, `ready` or `stopping`."""
    version: str | None = None
    pid: int | None = None
    started_at: int | None = None
    last_pass_at: int | None = None
    """When the daemon last finished a good look at the files and the reconcile after it."""
    last_error: str | None = None
    last_error_at: int | None = None
    revision: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    def age(self, now: int) -> int:
        """Microseconds since it was written; 0 when the clock was set back."""
        return max(now - self.at, 0)

    def number(self, *path: str) -> float | None:
        """A number inside `raw`, as `number("queue", "depth")`; None when it is not there or is none."""
        value: Any = self.raw
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, int | float) else None  # a bool is an int: True counts 1

    def text(self, *path: str) -> str | None:
        """A text inside `raw`; None when it is not there or is none."""
        value: Any = self.raw
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else None


def read_heartbeat(home: Home) -> Heartbeat | None:
    """The last heartbeat; None when there is none that can be read."""
    try:
        with home.heartbeat.open("rb") as file:
            data = orjson.loads(file.read(LARGEST))
    except (OSError, ValueError):
        return None
    return heartbeat_of(data)


class HeartbeatFile:
    """The last heartbeat, for who asks often: as `read_heartbeat`, read again only when it is another file.

    Each one is: the daemon writes a second file, and lets the two change places.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = str(home.heartbeat)
        self._seen: tuple[int, ...] | None = None
        self._beat: Heartbeat | None = None

    def read(self) -> Heartbeat | None:
        """None when there is none that can be read."""
        try:
            there = os.stat(self._path)  # noqa: PTH116  (thousands of times a second)
        except OSError:
            self._seen = None
            return None
        seen = there.st_dev, there.st_ino, there.st_mtime_ns, there.st_ctime_ns, there.st_size
        if seen != self._seen:
            self._beat = read_heartbeat(self._home)  # behind the look: one that comes in between is seen next time
            self._seen = seen
        return self._beat


def heartbeat_of(data: object) -> Heartbeat | None:
    """The heartbeat of a document; None when it is none."""
    if not isinstance(data, dict):
        return None
    return Heartbeat(
        at=_whole(data, "at") or 0,
        state=_text(data, "state") or "unknown",
        version=_text(data, "version"),
        pid=_whole(data, "pid"),
        started_at=_whole(data, "started_at"),
        last_pass_at=_whole(data, "last_pass_at"),
        last_error=_text(data, "last_error"),
        last_error_at=_whole(data, "last_error_at"),
        revision=_text(data, "revision"),
        raw=data,
    )


def _whole(data: Mapping[str, Any], key: str) -> int | None:
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None
