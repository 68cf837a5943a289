"""What the processes that tell people (status, notify) owe the daemon that started them: to go last and to end with it.

Called by the composition roots `status.serve` and `status.notify.process`. Linux; elsewhere it does less.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

NICENESS = 5
"""A third of the weight of the daemon and of a run. With less (10, 19) no start in a storm of readers was measurably
earlier."""
_PR_SET_PDEATHSIG = 1
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def give_way() -> None:
    """Let the daemon and the runs go first. A courtesy: a sandbox may forbid it.

    Where sessions are scheduled as groups (sched(7), autogroup), niceness counts within ours only; the group has one of
    its own.
    """
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS), encoding="ascii")


def end_with_parent() -> None:
    """SIGTERM when the daemon dies, should the pipe's end be held open by somebody else. Linux only; else nothing."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def return_memory() -> None:
    """Have glibc give large blocks back when they are freed: else the largest moment stays as long as the process."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 128 * 1024)  # setting it also stops it from growing to 32 MB
        mallopt(_M_ARENA_MAX, 1)
    except (OSError, AttributeError):
        pass  # another libc
