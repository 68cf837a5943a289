"""The supervisor, and the daemon's loop, ask for short slices of the processor; what they start does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runners.supervisor.libc import SLICE

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import subprocess, threading
from runners.supervisor.libc import ask_for_short_slices
read = lambda: open("/proc/thread-self/sched").read()
ask_for_short_slices()
print(read())
print("---")
print(subprocess.run(["cat", "/proc/self/sched"], capture_output=True, text=True).stdout)
print("---")
thread = threading.Thread(target=lambda: print(read()))
thread.start()
thread.join()
"""


def slices(*before: str) -> list[int]:
    """In ns: of the thread that asks, of a process and of a thread it starts. Skips where the kernel tells none."""
    done = subprocess.run(
        [*before, sys.executable, "-c", ASK], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    lines = [line.split(":")[1] for line in done.stdout.splitlines() if line.startswith("se.slice")]
    if not lines:
        pytest.skip("this kernel does not tell the slice of a process (CONFIG_SCHED_DEBUG, Linux 6.12)")
    return [int(line) for line in lines]


def test_who_asks_has_the_shortest_slice_and_what_it_starts_the_usual_one() -> None:
    own, process, thread = slices()
    (usual,) = {process, thread}
    assert own == SLICE < usual


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives priority")
def test_nobody_loses_a_priority_that_was_given() -> None:
    own, process, thread = slices("nice", "-n", str(-5 - os.nice(0)))  # also where the tests run at a lower one
    assert own == process == thread
