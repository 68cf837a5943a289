"""The program's standard streams: closed ones, full ones, and characters that an encoding lacks.

`cli.main.main` calls `prepare` first and `finish` last. Loaded by `jobsctl --help`, so it imports nothing heavy.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import TextIO

from cli.exits import Exit

A_DAY = 86_400
"""Seconds. What waits longer looks once a day: poll(2) takes no more than 24 of them."""
_CLOSED = {0: os.O_RDONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}
"""How the null device takes the place of a closed stream. Standard output to be read only: writing there has to fail,
since what was asked for gets nowhere. Messages may get lost."""


def prepare() -> None:
    """Make all three usable.

    A closed one (`>&-`) must not stay so: the next file opened, a database perhaps, would get its number and be
    written into. A name that the terminal's encoding lacks must not end the program.
    """
    for number, flags in _CLOSED.items():
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest free number: the ones below are open
    sys.stdin = sys.stdin or _opened(0, "r")
    sys.stdout = sys.stdout or _opened(1, "w")
    sys.stderr = sys.stderr or _opened(2, "w")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # A terminal has an encoding; what goes into a pipe or file is UTF-8 everywhere: JSON has to be.
        encoding = None if stream.isatty() else "utf-8"
        stream.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]


def finish(code: int) -> int:
    """Write what is still held; the exit code. Python would do it later, and complain about a reader that went away."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
            if number == 1 and code == Exit.OK:
                code = Exit.PIPE_CLOSED if isinstance(error, BrokenPipeError) else Exit.FAILED
    return code


def rest(seconds: float, *wake: int) -> None:
    """Do nothing until then, or until one of the descriptors `wake` can be read.

    Raises:
        BrokenPipeError: the reader of standard output went away: as `tail -f`, what follows something must not wait for
            the next line to notice.
    """
    # By number: `sys.stdout` may be a picture that is being drawn.
    waiting = select.poll()
    waiting.register(1, 0)  # of a pipe without a reader POLLERR is told, whether asked for or not
    for descriptor in wake:
        waiting.register(descriptor, select.POLLIN)
    if any(number == 1 and told & select.POLLERR for number, told in waiting.poll(min(seconds, A_DAY) * 1000)):
        raise BrokenPipeError


def stdout_fails() -> bool:
    """Whether standard output cannot be written: then an error without a file's name is about it."""
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return False


def write_error(text: str) -> None:
    """To standard error. When that is full or closed nobody can be told: the work goes on, its exit code tells."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _opened(number: int, mode: str) -> TextIO:
    return open(number, mode, encoding="utf-8", closefd=False)  # type: ignore[return-value]
