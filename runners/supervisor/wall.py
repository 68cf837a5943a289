"""The machine's clocks, for the process that no clock can be passed to."""

from __future__ import annotations

import time


def now_us() -> int:
    """Microseconds since the epoch, UTC."""
    return time.time_ns() // 1000  # noqa: TID251  (a bare process of its own: what it records are facts of this machine)


def monotonic() -> float:
    """Seconds that also pass while the machine sleeps: a timeout is wall clock time."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def since_boot_ns() -> int:
    """The same clock as `monotonic`, in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Which boot of the machine this is."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
