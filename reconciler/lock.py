"""One daemon per home: an flock on `.jobsctl/lock`, held for the life of the process.

The kernel lets go when the process dies, however it dies; the file stays and says who held it.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


class AlreadyRunning(Exception):
    """Raised when another daemon holds the home."""


class StateGone(Exception):
    """Raised when the state directory was deleted or replaced under a running daemon: another could start beside it."""


def identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, whatever its name; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def take_lock(path: Path) -> int:
    """Lock `path` and write our pid into it. The descriptor; closing it lets go. It is not inherited by children.

    Raises:
        AlreadyRunning: with the pid of the holder, as far as the file tells.
        OSError: the file cannot be made.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(fd)
        os.close(fd)
        raise AlreadyRunning(
            f"another jobsctl daemon (pid {holder}) runs on this home; stop it first, or use another --home"
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _holder(fd: int) -> str:
    """The pid in the file; one that has just taken the lock writes it a moment later."""
    for _ in range(20):
        if pid := os.pread(fd, 32, 0).decode("ascii", "replace").strip():
            return pid
        time.sleep(0.005)
    return "unknown"
