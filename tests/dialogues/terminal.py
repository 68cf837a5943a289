"""A terminal for the real program: a pseudo-terminal, keys, what it wrote, and what a screen would show of it."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

PATIENCE = 40
"""Seconds until a text that does not come is an error: only reached when something is wrong."""
CTRL_C, CTRL_D = b"\x03", b"\x04"
OTHER_SCREEN, FIRST_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
LAST = b"\x00the end\x00"
PROGRAM = (sys.executable, "-m", "jobsctl")

Stream = int | IO[bytes] | None


class Terminal:
    """The program as the leader of a session on its own terminal; a stream may be something else.

    Args:
        stdin, stdout, stderr: None: the terminal. Else as `subprocess` takes them.
    """

    def __init__(
        self,
        *command: object,
        columns: int = 100,
        lines: int = 24,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._ours, self._theirs = os.openpty()
        self.resize(lines, columns)
        self._before = termios.tcgetattr(self._theirs)
        self.shown = b""
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=self._theirs if stdin is None else stdin,
            stdout=self._theirs if stdout is None else stdout,
            stderr=self._theirs if stderr is None else stderr,
            start_new_session=True,
            env={**plain_environment(), **(env or {})},
            preexec_fn=self._take,
        )

    def _take(self) -> None:
        """In the child: the terminal is the session's, so that its keys send signals."""
        fcntl.ioctl(self._theirs, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text: str | bytes, *, after: int = 0) -> int:
        """Read until `text` was written behind place `after`; the place behind it."""
        wanted = text.encode() if isinstance(text, str) else text
        deadline = time.monotonic() + PATIENCE
        while (found := self.shown.find(wanted, after)) < 0:
            assert time.monotonic() < deadline, f"no {wanted!r} in {self.shown[after:]!r}"
            if not self._read(0.1) and self.process.poll() is not None:
                self.end()
                assert wanted in self.shown[after:], f"ended without {wanted!r}: {self.shown[after:]!r}"
        return found + len(wanted)

    def press(self, keys: str | bytes) -> None:
        os.write(self._ours, keys.encode() if isinstance(keys, str) else keys)

    def until_read(self) -> None:
        """Until the program has read every line that was typed."""
        deadline = time.monotonic() + PATIENCE
        left = b"1"
        while any(left):
            assert time.monotonic() < deadline, f"does not read: {self.shown!r}"
            self._read(0.05)
            left = fcntl.ioctl(self._theirs, termios.FIONREAD, bytes(4))

    def end(self) -> int:
        """The exit code, with everything read."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"does not end: {self.shown!r}"
            self._read(0.05)
        # The kernel hands over what was written some time later: what we write ourselves comes after it.
        with suppress(OSError):
            os.write(self._theirs, LAST)
            while not self.shown.endswith(LAST):
                assert time.monotonic() < deadline, self.shown
                self._read(0.05)
            self.shown = self.shown.removesuffix(LAST)
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        with suppress(OSError):
            self.shown += os.read(self._ours, 65536)
            return True
        return False

    @property
    def text(self) -> str:
        return self.shown.decode(errors="replace").replace("\r\n", "\n")

    @property
    def is_as_before(self) -> bool:
        """Its modes are those of before, the cursor is shown, and the other screen was left."""
        screens, cursors = re.findall(rb"\x1b\[\?1049[hl]", self.shown), re.findall(rb"\x1b\[\?25[hl]", self.shown)
        given_back = (not screens or screens[-1] == FIRST_SCREEN) and (not cursors or cursors[-1] == SHOW_CURSOR)
        return given_back and termios.tcgetattr(self._theirs) == self._before

    def close(self) -> None:
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        os.close(self._ours)
        os.close(self._theirs)


def plain_environment() -> dict[str, str]:
    """Without what a developer's shell or a CI says about terminals."""
    ours = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONUNBUFFERED", "PYTHONIOENCODING"}
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("JOBSCTL_")}
    return {**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}


def on_screen(written: bytes) -> str:
    """What is left to be read of lines that were written over: `\\r` and erasing to the end of a line."""
    lines = [""]
    place = 0
    for piece in re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]|\n|\r|[^\x1b\n\r]+", written.decode(errors="replace")):
        if piece == "\n":
            lines.append("")
            place = 0
        elif piece == "\r":
            place = 0
        elif piece == "\x1b[K":
            lines[-1] = lines[-1][:place]
        elif not piece.startswith("\x1b"):
            lines[-1] = lines[-1][:place] + piece + lines[-1][place + len(piece) :]
            place += len(piece)
    return "\n".join(lines)
