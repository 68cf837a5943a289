"""What is being done right now, on a terminal: one line that is written over and goes away. Elsewhere nothing.

Used by commands that may take longer than a second. The line comes only when the work takes that long, and is written
by a thread, so that nothing below has to know about it.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from types import TracebackType

from cli.streams import write_error
from cli.terminal import one_line, visible

PATIENCE = 0.5
"""Seconds before the first line: a person does not wonder yet, and quick commands do not flicker."""
INTERVAL = 1.0
"""Seconds between two lines, which count the seconds."""
ERASE = "\r\x1b[K"


class Progress:
    """`with Progress("reading the files") as tell: ...; tell("copying the database")`."""

    def __init__(self, what: str = "working", *, typing: bool = False) -> None:
        """`typing`: standard input is read meanwhile; from a terminal nothing must be written between what is typed."""
        self._what = what
        on_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = on_terminal and not (typing and sys.stdin.isatty())
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if self._shown:
            # A daemon: nothing that ends the program waits for it.
            self._thread = threading.Thread(target=self._write, name="progress", daemon=True)
            self._thread.start()
        return self

    def __call__(self, what: str) -> None:
        """What is done from now on."""
        self._what = what

    def say(self, message: str) -> None:
        """A line that stays, above the one that goes away."""
        write_error(f"{ERASE if self._shown else ''}{visible(message)}\n")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._over.set()
            thread.join()

    def _write(self) -> None:
        began = time.monotonic()
        if self._over.wait(PATIENCE):
            return
        try:
            while True:
                write_error(ERASE + _line(self._what, time.monotonic() - began))
                if self._over.wait(INTERVAL):
                    return
        finally:
            write_error(ERASE)


def _line(what: str, seconds: float) -> str:
    """One line of the terminal: a longer one could not be erased."""
    text = f"{one_line(what)} ..." + (f" {seconds:.0f}s" if seconds >= 1 else "")
    room = max(shutil.get_terminal_size().columns - 1, 1)
    if text.isascii():
        return text[:room]
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= room else set_cell_size(text, room)
