"""Typing a command in a house and reading the screen: in this process, with the clock standing still."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.main import run
from cli.options import Settings
from tests.commands.conftest import StoppedClock
from tests.goldens.transcript import Call

_COLORS = {
    "0": "/", "1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "34": "blue", "35": "magenta",
    "36": "cyan",
}  # fmt: skip
_ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


class Stream(io.TextIOWrapper):
    """A standard stream that may be a terminal."""

    def __init__(self, tty: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True)
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty

    def text(self) -> str:
        """What was written."""
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


@contextmanager
def _typed_in(root: Path, call: Call) -> Iterator[tuple[Stream, Stream]]:
    streams = sys.stdin, sys.stdout, sys.stderr
    before, where = dict(os.environ), Path.cwd()
    out, err = Stream(call.tty), Stream(call.tty)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), out, err
    for name in list(os.environ):
        if name.startswith("JOBSCTL_") or name in ("NO_COLOR", "FORCE_COLOR"):
            del os.environ[name]
    os.environ |= {
        "COLUMNS": str(call.columns),
        "LINES": "24",
        "TZ": "UTC",
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    }
    if not call.color:
        os.environ["NO_COLOR"] = "1"
    os.environ |= call.environment
    os.chdir(root)
    try:
        yield out, err
    finally:
        os.chdir(where)
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.clear()
        os.environ |= before


def screen_of(call: Call, root: Path) -> str:
    """What stands there afterwards, with the house's own path as `<home>`."""
    with _typed_in(root, call) as (out, err):
        code = run(list(call.arguments), Settings(clock=StoppedClock()))
    shown = out.text()
    if shown and not shown.endswith("\n"):
        shown += "(no line feed)\n"
    told = "".join(f"! {line}\n" if line else "!\n" for line in err.text().splitlines())
    ending = f"(exit {int(code)})\n" if code else ""
    text = (shown + told + ending).replace(str(root), "<home>")
    text = _ESCAPE.sub(lambda found: f"<{' '.join(_COLORS.get(part, part) for part in found[1].split(';'))}>", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
