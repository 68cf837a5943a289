"""The machine below: facts that outlive the process but not a boot, and memory that is given back to it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Boot:
    """This boot of the machine."""

    id: str
    """/proc/sys/kernel/random/boot_id."""
    at: int
    """When it began, microseconds UTC at second grain (`btime` of proc(5)): the slot of `@reboot`."""


def read_boot() -> Boot:
    """Read it from /proc."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        if line.startswith("btime "):
            return Boot(boot_id, int(line.split()[1]) * 1_000_000)
    raise OSError("/proc/stat has no btime line")


def return_memory() -> None:
    """Give freed memory back, where the C library can: thousands of files read at once leave 10 MB of holes."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        pass  # another libc
