"""The dead man's ping: a request made at regular times while the daemon works, so that its absence alarms somebody.

Driven by the notify process. What is pinged (Healthchecks, Cronitor, a server of one's own) raises the alarm when pings
stop: because the daemon is unwell or gone, this process is, or the network. A ping that fails is recorded and tried at
the next turn, never told loudly: whoever waits for it notices.
"""

from __future__ import annotations

import http.client
import os
import threading
import time
import urllib.error
import urllib.request

from specs.outside import OutsideUnreadable, read_value
from state.home import Home
from state.outbox.store import Outbox
from status.heartbeat import DOWN_AFTER, Heartbeat, read_heartbeat
from status.notify.settings import Ping
from status.words.instants import SECOND

TIMEOUT = 10.0
"""Seconds for the connection and for each answer of the network."""


class Pinger:
    """When to ping, and what came of it. One ping at a time: one that hangs is as good as none."""

    def __init__(self, home: Home, settings: Ping, *, version: str) -> None:
        self._home = home
        self._settings = settings
        self._version = version
        self._due = time.monotonic()
        self._thread: threading.Thread | None = None
        self._results: list[tuple[int, str | None]] = []

    @property
    def wait(self) -> float:
        """Seconds until the next."""
        return max(0.0, self._due - time.monotonic())

    def step(self, outbox: Outbox, now: int) -> None:
        """Ping when it is due and the daemon is well; note what came of the one before. `now` is µs."""
        while self._results:
            at, error = self._results.pop(0)
            with outbox.transaction():
                outbox.count("ping", "ping", "delivered" if error is None else "failed")
                outbox.note("ping", {"at": at, "error": error})
        if self.wait > 0 or (self._thread is not None and self._thread.is_alive()):
            return
        self._due = time.monotonic() + self._settings.every
        problem = unwell(read_heartbeat(self._home), now)
        if problem is not None:
            outbox.note("ping", {"at": now, "error": f"not sent: {problem}"})
            return
        self._thread = threading.Thread(target=self._ping, args=(now,), name="ping", daemon=True)
        self._thread.start()

    def _ping(self, now: int) -> None:
        try:
            url = read_value(
                self._settings.url, subject="ping.url", base_dir=self._home.root, environ=os.environ
            ).strip()
            error = ping(url, version=self._version)
        except OutsideUnreadable as problem:
            error = str(problem)
        self._results.append((now, error))


def unwell(beat: Heartbeat | None, now: int) -> str | None:
    """Why no ping is sent now; None when the daemon is there, ready, and its last look at the files was good.

    `now` is µs.
    """
    if beat is None:
        return "there is no heartbeat"
    if beat.age(now) > DOWN_AFTER:
        return f"the last heartbeat is {beat.age(now) // SECOND} s old"
    if beat.state != "ready":
        return f"the daemon is {beat.state}"
    if beat.last_error is not None and (beat.last_error_at or 0) > (beat.last_pass_at or 0):
        return f"last error: {beat.last_error}"
    return None


def ping(url: str, *, version: str, timeout: float = TIMEOUT) -> str | None:
    """GET the address. None when it answered 2xx (or led there), else why not. Never says the address.

    It is the operator's own (`jobsctl.yaml`), so it may be private. Raises nothing.
    """
    try:
        request = urllib.request.Request(url, headers={"user-agent": f"jobsctl/{version}"})
        if request.type not in ("http", "https"):
            return "the address is not http:// or https://"
        with urllib.request.urlopen(request, timeout=timeout):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"answered {error.code}"
    except urllib.error.URLError as error:
        return _words(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _words(error)


def _words(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "the address is not one, or the answer is not HTTP"
