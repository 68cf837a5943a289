"""The C calls that `os` does not have. `_ctypes` alone: the `ctypes` package costs a quarter megabyte for them."""

from __future__ import annotations

import _ctypes
import os

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_FALLOC_FL_KEEP_SIZE_PUNCH_HOLE = 3

_handle = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # this program itself


class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "l"


def _call(name: str, *arguments: object) -> int:
    return int(_ctypes.call_cdeclfunction(_ctypes.dlsym(_handle, name), arguments))


def become_subreaper() -> None:
    """Orphaned descendants become children of this process instead of init's."""
    _call("prctl", _PR_SET_CHILD_SUBREAPER, _Long(1), _Long(0), _Long(0), _Long(0))


def no_new_privileges() -> bool:
    """From now on no exec gives this process more rights (setuid bits, file capabilities)."""
    return _call("prctl", _PR_SET_NO_NEW_PRIVS, _Long(1), _Long(0), _Long(0), _Long(0)) == 0


def punch_hole(fd: int, start: int, end: int) -> bool:
    """Free the blocks of [start, end) bytes; the file keeps its length. False where the file system cannot."""
    return _call("fallocate", fd, _FALLOC_FL_KEEP_SIZE_PUNCH_HOLE, _Long(start), _Long(end - start)) == 0


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed(size: int) -> None:
    """Keep up to `size` bytes of freed memory for the next use, where glibc would return them to the kernel."""
    try:
        _call("mallopt", _M_TRIM_THRESHOLD, size)
        _call("mallopt", _M_MMAP_THRESHOLD, size)
    except OSError:
        pass  # another libc


_CLOCK_BOOTTIME = 7
_TFD_NONBLOCK_CLOEXEC = 0o2004000


def timer() -> int:
    """A descriptor that becomes readable when `set_timer` says; `os` has none before Python 3.13."""
    fd = _call("timerfd_create", _CLOCK_BOOTTIME, _TFD_NONBLOCK_CLOEXEC)
    if fd < 0:
        raise OSError("timerfd_create failed")
    return fd


def set_timer(fd: int, seconds: float) -> None:
    """Readable once after `seconds`; never for 0."""
    whole, part = divmod(int(seconds * 1e9), 1_000_000_000)
    spec = b"".join(number.to_bytes(8, "little") for number in (0, 0, whole, part))
    _call("timerfd_settime", fd, 0, spec, None)


_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Numbers of the system call; the C library has no function for it."""
_RESET_ON_FORK = 1
SLICE = 100_000
"""Nanoseconds, the least there is."""


def ask_for_short_slices() -> None:
    """Let this thread run soon after it wakes, also where others keep all processors busy: it asks for little at once.

    sched_setattr(2): since Linux 6.12 `sched_runtime` of a SCHED_OTHER thread is the slice it asks for, and the one
    with the nearer deadline goes first (EEVDF). Older kernels change nothing. Threads and processes made later have
    usual slices again. So would they have the usual nice value in the place of a lower one: then this does nothing.
    """
    number, nice = _SCHED_SETATTR.get(os.uname().machine), os.getpriority(os.PRIO_PROCESS, 0)
    if number is None or nice < 0 or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    fields = ((56, 4), (os.SCHED_OTHER, 4), (_RESET_ON_FORK, 8), (nice, 4), (0, 4), (SLICE, 8), (0, 24))
    attributes = b"".join(value.to_bytes(size, "little") for value, size in fields)
    _call("syscall", _Long(number), _Long(0), attributes, _Long(0))
