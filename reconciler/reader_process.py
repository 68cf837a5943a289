"""A process that tells people, kept running by the daemon: the status process (HTTP, metrics, status files), the notify
process (notifications, callbacks).

Processes of their own so that no reader and no receiver can delay a start. Each is told by one byte on its stdin that
something changed, and to end by closing it. When it dies the loop wakes (pidfd_open(2)), and it is started again, with
backoff.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
from collections.abc import Callable, Collection, Sequence

from reconciler.backoff import delay
from reconciler.wake import Wakeup
from reconciler.world import log


class ReaderProcess:
    """At most one child. Driven by the loop: `keep` when it ended and now and then, `tell` after a commit, `close` at
    the end."""

    def __init__(
        self, name: str, argv: Sequence[str], *, wakeup: Wakeup, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """
        Args:
            name: `status`, `notify`: for the log.
            wakeup: its wait ends when the child does.
            wanted: whether it is needed; asked until it is started, for what runs is left to run.
        """
        self._name = name
        self._argv = list(argv)
        self._wanted = wanted
        self._child: subprocess.Popen[bytes] | None = None
        self._bell = -1
        self._pidfd = -1
        self._wakeup = wakeup
        self._failures = 0
        self._not_before = 0.0
        self._started = 0.0

    def state(self) -> dict[str, object]:
        """For the heartbeat: the address it is to serve (None: status files only), and how often it ended at once."""
        words = iter(self._argv)
        return {"listen": next(words, None) if "--listen" in words else None, "failures": self._failures}

    def ended(self, ready: Collection[int]) -> bool:
        """Whether its end is among what ended a wait (`Wakeup.wait`)."""
        return self._pidfd in ready

    def keep(self, monotonic: float) -> float:
        """Start it when it is not there and its backoff is over. When it wants to be kept again; infinity: when it
        ended, or now and then."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return math.inf
            self._failures = 0 if monotonic - self._started > 60 else self._failures + 1
            wait = delay(self._failures)
            self._not_before = monotonic + wait
            log.error("the %s process ended (%s); starting it again in %.0f s", self._name, code, wait)
            self._drop()
        if monotonic < self._not_before:
            return self._not_before
        if not self._wanted():
            return math.inf
        self._started = monotonic
        try:
            self._start()
        except OSError as error:
            self._failures += 1
            self._not_before = monotonic + delay(self._failures)
            log.error("cannot start the %s process: %s", self._name, error)
            self._drop()
            return self._not_before
        return math.inf

    def _start(self) -> None:
        """Raises OSError, as without a descriptor left."""
        reading, self._bell = os.pipe2(os.O_CLOEXEC)
        try:
            os.set_blocking(self._bell, False)
            self._child = subprocess.Popen(self._argv, stdin=reading, start_new_session=True)
        finally:
            os.close(reading)
        with contextlib.suppress(OSError):  # no descriptor left: the next beat notices its end
            pidfd = os.pidfd_open(self._child.pid)
            try:
                self._wakeup.watch(pidfd)
            except BaseException:
                os.close(pidfd)
                raise
            self._pidfd = pidfd

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
        if self._pidfd >= 0:
            self._wakeup.unwatch(self._pidfd)
            os.close(self._pidfd)
        self._bell = self._pidfd = -1
        self._child = None
