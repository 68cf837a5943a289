"""What is being done right now, on a terminal: one line that is written over and goes away. Elsewhere nothing.

Used by commands that may take longer than a second.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType

from cli.terminal import one_line


class Progress:
    """`with Progress() as tell: tell("copying the database")`."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Progress:
        return self

    def __call__(self, what: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{one_line(what)} ...")
            sys.stderr.flush()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
