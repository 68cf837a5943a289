"""CPU time and memory of live runs, as a series: `series.bin`, records of '<qQQ'.

A record is the instant (microseconds UTC), the CPU time the whole tree has used so far (microseconds) and the memory it
holds (bytes, resident). Called by the loop's sweep.
"""

from __future__ import annotations

import os

from runners.supervisor.files import open_own
from runners.supervisor.tree import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.run import Run

NAME = b"/series.bin"
RECORD = 24


def next_in(age: float) -> float:
    """Seconds to the next sample of a run of this age."""
    if age < 60:
        return 1.0
    return 5.0 if age < 600 else 15.0


def record(run: Run, members: list[Process], at: int) -> None:
    """Append one sample of `run`, whose living processes are `members`."""
    memory = sum(process.rss for process in members)
    used = run.cpu_us + sum(process.cpu_us for process in members)
    run.cpu_seen = max(run.cpu_seen, used)  # a process that ends unwaited takes its time with it
    run.peak = max(run.peak, memory)
    data = at.to_bytes(8, "little", signed=True) + run.cpu_seen.to_bytes(8, "little") + memory.to_bytes(8, "little")
    try:
        fd = open_own(run.dir + NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:
        return
    try:
        os.write(fd, data)
    except OSError:
        pass  # a full disk costs a sample, never the run
    finally:
        os.close(fd)
