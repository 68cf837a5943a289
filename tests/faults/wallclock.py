"""A wall clock that a test sets, for real processes: the daemon, its supervisor, its readers and the commands.

The library (`wallclock.c`) is compiled once per test session. Jobs do not get it: they inherit nothing.
"""

from __future__ import annotations

import mmap
import struct
import subprocess
import sys
import time
from pathlib import Path

from state.inbox import ring
from tests.components import program
from tests.household import ROOT, Household

SOURCE = Path(__file__).with_name("wallclock.c")
PYTHON = """#!/bin/sh
exec env LD_PRELOAD={library} WALLCLOCK={shared} {python} "$@"
"""
MAIN = "import sys; sys.executable = {python!r}; sys.argv[0] = 'jobsctl'; from cli.main import main; main()"


def build(folder: Path) -> Path:
    """The compiled library."""
    library = folder / "wallclock.so"
    subprocess.run(
        [program("cc"), "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True
    )
    return library


def real_now() -> int:
    """Microseconds, of the machine."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME) // 1000


class WallClock:
    """What the processes of one home take for the time. Starts right; `set` makes it jump."""

    def __init__(self, folder: Path, library: Path) -> None:
        shared = folder / "wallclock"
        shared.write_bytes(bytes(4096))
        with shared.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 4096)
        self._counter = 0
        self.offset = 0
        """Microseconds added to the real time."""
        self.python = folder / "python"
        self.python.write_text(PYTHON.format(library=library, shared=shared, python=sys.executable), encoding="utf-8")
        self.python.chmod(0o755)

    def household(self, root: Path) -> Household:
        """A home whose programs live in this time."""
        python = str(self.python)
        return Household(root, program=[python, "-c", MAIN.format(python=python)], env={"PYTHONPATH": str(ROOT)})

    def now(self) -> int:
        """Microseconds."""
        return real_now() + self.offset

    def jump(self, seconds: float, house: Household | None = None) -> None:
        """Set it forward or back. `house`: wakes its daemon, as the kernel wakes who waits for a clock that is set."""
        self.offset += round(seconds * 1_000_000)
        self._counter += 2
        struct.pack_into("=q", self._memory, 0, self._counter - 1)
        struct.pack_into("=q", self._memory, 8, self.offset * 1000)
        struct.pack_into("=q", self._memory, 0, self._counter)
        if house is not None:
            ring(house.home)

    def set(self, instant: int, house: Household | None = None) -> None:
        """Jump to an instant, microseconds."""
        self.jump((instant - self.now()) / 1_000_000, house)

    def close(self) -> None:
        self._memory.close()
