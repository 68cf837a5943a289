"""What the loop sleeps on: descriptors, one absolute wall-clock timer, and a bound on the sleep.

The timer is a timerfd on CLOCK_REALTIME (timerfd_create(2)): a clock that is set, or a machine that wakes from suspend,
ends the sleep at once (`TFD_TIMER_CANCEL_ON_SET`), and a wake-up is some 60 us late where epoll's own timeout is up to
1 ms. Python has `os.timerfd_*` from 3.13; ctypes serves 3.11 and 3.12.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import struct
from collections.abc import Collection

_TFD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_TIMER_ABSTIME, _CANCEL_ON_SET = 1, 2
_CLOCK_REALTIME = 0

_libc = ctypes.CDLL(None, use_errno=True)


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", ctypes.c_long * 2), ("value", ctypes.c_long * 2))


class Wakeup:
    """One epoll set. Not thread-safe; `eventfd`s made by `doorbell` may be rung from any thread."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._timer = _libc.timerfd_create(_CLOCK_REALTIME, _TFD_FLAGS)
        if self._timer < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._epoll.register(self._timer, select.EPOLLIN)
        self._bells: set[int] = set()

    def watch(self, fd: int) -> None:
        """End a wait while `fd` is readable."""
        self._epoll.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        """Before `fd` is closed: a copy that a child was born with would keep it in the set."""
        self._epoll.unregister(fd)

    def doorbell(self) -> Doorbell:
        """A bell that any thread may ring to end the wait; it is silent again after the wait."""
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._bells.add(fd)
        self.watch(fd)
        return Doorbell(fd)

    def watch_bell(self, fd: int) -> None:
        """End a wait when `fd` is readable, and take what is in it: for `signal.set_wakeup_fd`."""
        self._bells.add(fd)
        self.watch(fd)

    def wait(self, until: int | None, at_most: float) -> Collection[int]:
        """Sleep until the wall clock shows `until` (microseconds; None: no timer), a descriptor is readable, or
        `at_most` seconds passed. The readable descriptors."""
        self._arm(until)
        ready = {fd for fd, _ in self._epoll.poll(max(0.0, at_most))}
        if self._timer in ready:
            ready.discard(self._timer)
            with contextlib.suppress(OSError):  # ECANCELED: the clock was set, which ended the wait
                os.read(self._timer, 8)
        for fd in ready & self._bells:
            os.read(fd, 4096)
        return ready

    def close(self) -> None:
        for fd in (self._timer, *self._bells):
            os.close(fd)
        self._epoll.close()

    def _arm(self, until: int | None) -> None:
        # An instant of zero disarms; without a job to wait for, a far one keeps the notice of clock steps.
        seconds, rest = divmod(until if until is not None else 1 << 61, 1_000_000)
        spec = _Itimerspec((0, 0), (min(max(seconds, 0), 1 << 40), rest * 1000 or 1))
        while _libc.timerfd_settime(self._timer, _TIMER_ABSTIME | _CANCEL_ON_SET, ctypes.byref(spec), None) < 0:
            # ECANCELED: the clock was set since the last call and nobody read it; the call has armed it all the same.
            if ctypes.get_errno() == errno.ECANCELED:
                return
            raise OSError(ctypes.get_errno(), "timerfd_settime")


class Doorbell:
    """Rings a `Wakeup` from any thread."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def ring(self) -> None:
        os.write(self.fd, struct.pack("=Q", 1))
