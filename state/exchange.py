"""Replacing a small file again and again, whole for every reader, without a new inode or block each time.

The new text goes into a spare file, and the two change places. So it also works on a full disk, once both are there.
Used by the daemon's heartbeat and the status files.
"""

from __future__ import annotations

import ctypes
import os

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)  # glibc 2.28; older musl has none


def fill(path: str, data: bytes) -> None:
    """Make the file hold `data`, keeping its inode."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        written = os.pwrite(descriptor, data, 0)
        while written < len(data):  # a nearly full disk takes what fits; the next call says ENOSPC
            written += os.pwrite(descriptor, data[written:], written)
        if os.fstat(descriptor).st_size > len(data):  # to ask takes a quarter of cutting what needs no cut
            os.ftruncate(descriptor, len(data))
    finally:
        os.close(descriptor)


def exchange(one: str, other: str) -> bool:
    """Let two files change places, at once for every reader; False where that cannot be done."""
    if _renameat2 is None:
        return False
    return bool(_renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)
