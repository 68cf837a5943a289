"""Looks after the output files of live runs: when which byte came (`.idx`), and how much is kept (`.gap`).

Called by the loop's sweep and once more at the end of a run. Offsets are those of what the job wrote, also after a cut:
the cut is a hole in the file.

The directory belongs to the job, which may run as another user and may put links and pipes where our files are: all are
opened by `open_own`.
"""

from __future__ import annotations

import errno
import os
import stat

from runners.supervisor import libc
from runners.supervisor.redact import Redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.run import Run

_BLOCK = 4096
_COPY = 1 << 20
_DOCUMENT = (1 << 16) + 1
"""Bytes. Longer documents are read by nobody (`state.runfiles.MAX_DOCUMENT`)."""


_SPARE = 16
"""Descriptors that are kept for what is opened for a moment: /proc, the journal, the next program's files."""


def scarce(fd: int) -> bool:
    """Whether the last descriptors are in use: the kernel gives out the lowest free number, so a new one tells."""
    return fd >= os.sysconf("SC_OPEN_MAX") - _SPARE


def open_own(path: bytes, flags: int) -> int:
    """A descriptor of one of our files in a run directory. Raises OSError for what the job put in its place.

    A link would have us write, with our rights, where the job may not; a pipe would have us wait for its reader.
    """
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(fd)
        raise OSError(errno.EPERM, "not the file that was made for it", path)
    return fd


def look_after(run: Run, at: int, last: bool = False) -> None:
    """Sample the sizes at `at` (microseconds), cut what is over the limit. `last`: all writers are gone."""
    total = 0
    for stem in run.stems:
        path = run.dir + b"/" + stem
        try:
            size = os.lstat(path + b".log").st_size
        except OSError:  # the job may delete its own output; then there is nothing to look after
            continue
        total += size
        before = run.sizes.get(stem)
        if size != (before or 0):
            line = b"%d %d\n" % (at, size)
            _append(path + b".idx", line if before is not None else b"%d 0\n%s" % (run.started_at, line))
            run.sizes[stem] = size
        if size > run.output_max:
            _cut(run, stem, size, last)
    run.output_size = total


def hide_secrets(run: Run) -> None:
    """Mask secrets in `progress.json` and `result.json`, which the daemon stores and shows, once the job is over."""
    for name in (b"/progress.json", b"/result.json") if run.needles else ():
        try:
            fd = open_own(run.dir + name, os.O_RDWR)
        except OSError:  # there is none, or it is no file: nobody reads it
            continue
        try:
            data = os.pread(fd, _DOCUMENT, 0)
            if any(needle in data for needle in run.needles):
                masked = Redactor(run.needles).feed(data, last=True)
                os.ftruncate(fd, os.pwrite(fd, masked, 0))
        finally:
            os.close(fd)


def _append(path: bytes, data: bytes) -> None:
    try:
        fd = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:
        return
    try:
        os.write(fd, data)
    except OSError:
        pass  # a full disk costs times of lines, never the run
    finally:
        os.close(fd)


def _cut(run: Run, stem: bytes, size: int, last: bool) -> None:
    """Keep the first quarter and the last three, whole blocks; free what is between."""
    head = run.output_max // 4
    start = -(-head // _BLOCK) * _BLOCK
    end = (size - (run.output_max - head)) // _BLOCK * _BLOCK
    done = run.cuts.get(stem, start)
    if end <= done:
        return
    path = run.dir + b"/" + stem
    cut = False
    try:
        # The gap is told before it is there: a reader must never take a hole for output.
        _tell(path + b".gap", start, end)
        fd = open_own(path + b".log", os.O_RDWR)
        try:
            cut = libc.punch_hole(fd, done, end)
            if not cut and last:
                _copy_around(fd, path + b".log", start, end, size)
                cut = True
        finally:
            os.close(fd)
    except OSError as error:
        run.details["output"] = f"over its limit of {run.output_max} bytes and could not be cut: {error.strerror}"
        return
    if cut:
        run.cuts[stem] = end
        run.details["output"] = (
            f"limited to {run.output_max} bytes; {end - start} from the middle of {stem.decode()}.log were cut"
        )


def _tell(path: bytes, start: int, end: int) -> None:
    fd = open_own(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.write(fd, b"%d %d\n" % (start, end))  # over the old line: `start` stays, `end` only gets longer
    finally:
        os.close(fd)


def _copy_around(fd: int, path: bytes, start: int, end: int, size: int) -> None:
    """For file systems that cannot free a part of a file: a copy that never wrote it. Needs all writers gone."""
    new = open_own(path + b".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for at, stop in ((0, start), (end, size)):
            while at < stop:
                data = os.pread(fd, min(_COPY, stop - at), at)
                at += os.pwrite(new, data, at)
        owner = os.fstat(fd)
        os.fchown(new, owner.st_uid, owner.st_gid)
        os.rename(path + b".new", path)
    except OSError:
        os.unlink(path + b".new")
        raise
    finally:
        os.close(new)
