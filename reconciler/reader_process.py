"""A process that tells people, kept running by the daemon: the status process (HTTP, metrics, status files), the notify
process (notifications, callbacks).

Processes of their own so that no reader and no receiver can delay a start. Each is told by one byte on its stdin that
something changed, and to end by closing it; it is started again, with backoff, when it dies.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence

from reconciler.backoff import delay
from reconciler.world import log


class ReaderProcess:
    """At most one child. Driven by the loop: `keep` now and then, `tell` after a commit, `close` at the end."""

    def __init__(self, name: str, argv: Sequence[str], *, wanted: Callable[[], bool] = lambda: True) -> None:
        """
        Args:
            name: `status`, `notify`: for the log.
            wanted: whether it is needed; asked until it is started, for what runs is left to run.
        """
        self._name = name
        self._argv = list(argv)
        self._wanted = wanted
        self._child: subprocess.Popen[bytes] | None = None
        self._bell = -1
        self._failures = 0
        self._not_before = 0.0
        self._started = 0.0

    def state(self) -> dict[str, object]:
        """For the heartbeat: the address it is to serve (None: status files only), and how often it ended at once."""
        words = iter(self._argv)
        return {"listen": next(words, None) if "--listen" in words else None, "failures": self._failures}

    def keep(self, monotonic: float) -> None:
        """Start it when it is not there and its backoff is over."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            self._failures = 0 if monotonic - self._started > 60 else self._failures + 1
            wait = delay(self._failures)
            self._not_before = monotonic + wait
            log.error("the %s process ended (%s); starting it again in %.0f s", self._name, code, wait)
            self._drop()
        if monotonic < self._not_before or not self._wanted():
            return
        reading, self._bell = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._bell, False)
        self._started = monotonic
        try:
            self._child = subprocess.Popen(self._argv, stdin=reading, start_new_session=True)
        except OSError as error:
            self._failures += 1
            self._not_before = monotonic + delay(self._failures)
            log.error("cannot start the %s process: %s", self._name, error)
            self._drop()
        finally:
            os.close(reading)

    def tell(self) -> None:
        """Something changed. A full pipe means it knows already."""
        if self._bell >= 0:
            try:
                os.write(self._bell, b"\n")
            except (BlockingIOError, BrokenPipeError):
                pass

    def hang_up(self) -> None:
        """Have it end, without waiting for it."""
        if self._bell >= 0:
            os.close(self._bell)
            self._bell = -1

    def close(self) -> None:
        """End it, and wait a little; then end it the hard way."""
        child = self._child
        self._drop()
        if child is None:
            return
        try:
            child.wait(3)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _drop(self) -> None:
        if self._bell >= 0:
            os.close(self._bell)
        self._bell, self._child = -1, None
