"""Where the output of a run goes: into its own files, or through a pipe when it must be changed before it reaches the
disk.

`Outputs` makes the descriptors at the start, `Pipe` carries redacted or stamped output. `runners.supervisor.files`
looks after the files while they grow.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

from runners.supervisor import libc
from runners.supervisor.files import scarce
from runners.supervisor.redact import Redactor
from runners.supervisor.wall import now_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.run import Run

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_PIPE, _CHUNK = 1 << 20, 1 << 18
"""Bytes. A program that writes fast waits for us less often than with the usual 64 KiB; one chunk is still one short
write. The kernel gives an unprivileged user 64 pipes of this size, and smaller ones then."""
_KEPT = 1 << 20
"""Bytes. A chunk and its changed copy: taken from the kernel anew for each chunk, they cost as much as all the rest."""
_F_SETPIPE_SZ = 1031


class Outputs:
    """The descriptors a program gets as standard output and error. The supervisor closes its copies after the start."""

    __slots__ = ("_childs", "err", "out", "run")

    def __init__(self, run: Run) -> None:
        """Raises OSError when a file cannot be made."""
        self.run = run
        self._childs: list[int] = []
        try:
            for stem in run.stems:
                file = os.open(run.dir + b"/" + stem + b".log", _APPEND, 0o600)
                if not run.piped:
                    self._childs.append(file)
                    continue
                try:
                    source, sink = os.pipe2(os.O_CLOEXEC)
                except BaseException:
                    os.close(file)
                    raise
                os.set_blocking(source, False)
                try:
                    fcntl.fcntl(source, _F_SETPIPE_SZ, _PIPE)
                except OSError:
                    pass  # it stays as it is
                self._childs.append(sink)
                run.pipes.append(Pipe(run, source, file))
                if scarce(sink):
                    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        except BaseException:
            self.close_childs()
            self.abandon()
            raise
        self.out, self.err = self._childs[0], self._childs[-1]

    def close_childs(self) -> None:
        """Once the program has them."""
        for fd in self._childs:
            os.close(fd)

    def abandon(self) -> None:
        """The program was not started."""
        for pipe in self.run.pipes:
            pipe.close()
        self.run.pipes.clear()


class Pipe:
    """One stream of one run, read here and written to its file."""

    __slots__ = ("_at_line_start", "_redactor", "_stamp", "fd", "file", "run")

    def __init__(self, run: Run, fd: int, file: int) -> None:
        libc.keep_freed(_KEPT)
        self.run = run
        self.fd = fd
        """Non-blocking."""
        self.file = file
        self._redactor = Redactor(run.needles) if run.needles else None
        self._stamp = run.stamp
        self._at_line_start = True

    def pump(self) -> bool:
        """Carry at most one chunk. False at the end of the stream. BlockingIOError when nothing is there now."""
        data = os.read(self.fd, _CHUNK)
        self._carry(data, last=not data)
        return bool(data)

    def drain(self) -> None:
        """Carry what is still in the pipe, when all who wrote to it are gone, and close it."""
        try:
            while self.pump():
                pass
        except BlockingIOError:  # somebody who could not be killed holds it
            self._carry(b"", last=True)
        self.close()

    def _carry(self, data: bytes, last: bool) -> None:
        if self._redactor is not None:
            data = self._redactor.feed(data, last)
        if data:
            self._write(self._stamped(data) if self._stamp else [data])

    def _write(self, pieces: list[bytes | memoryview]) -> None:
        left = sum(map(len, pieces))
        try:
            while left:
                written = os.writev(self.file, pieces)
                left -= written
                if left:
                    pieces = [memoryview(b"".join(pieces))[written:]]
        except OSError as error:
            # The job must not hang because the disk is full: it is told that bytes are missing, and so is the reader.
            self.run.piped_lost += left
            self.run.details["output"] = f"{self.run.piped_lost} bytes were lost: {os.strerror(error.errno or 0)}"

    def _stamped(self, data: bytes) -> list[bytes | memoryview]:
        """The instant before every line that begins in `data`; in pieces, so that nothing is copied twice."""
        now = now_us()
        stamp = b"%s.%06dZ " % (_second(now // 1_000_000), now % 1_000_000)
        body = memoryview(data.replace(b"\n", b"\n" + stamp))
        first, self._at_line_start = self._at_line_start, data.endswith(b"\n")
        if self._at_line_start:
            body = body[: -len(stamp)]  # the line after the last one has not begun
        return [stamp, body] if first else [body]

    def close(self) -> None:
        os.close(self.fd)
        os.close(self.file)


def _second(seconds: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode()
