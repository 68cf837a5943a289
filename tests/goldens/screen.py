"""Typing a command in a house and reading the screen: in this process, with the clock standing still."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from cli.main import run
from cli.options import Settings
from state.ids import first_id
from tests.commands.conftest import StoppedClock
from tests.goldens.transcript import Call

_COLORS = {
    "0": "/", "1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "34": "blue", "35": "magenta",
    "36": "cyan",
}  # fmt: skip
_ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


_SIZES = re.compile(r'(files, |"bytes": )[0-9.]+( [KM]iB|)')
"""Of a backup: they depend on the version of SQLite."""


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
    # The descriptor too: some commands read it past Python's stream.
    kept = os.dup(0)
    given = os.open(root / call.stdin if call.stdin else os.devnull, os.O_RDONLY)
    os.dup2(given, 0)
    os.close(given)
    typed = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    sys.stdin, sys.stdout, sys.stderr = typed, out, err
    for name in list(os.environ):
        if name.startswith(("JOBSCTL_", "XDG_")) or name in ("NO_COLOR", "FORCE_COLOR"):
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
        os.dup2(kept, 0)
        os.close(kept)
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.clear()
        os.environ |= before


@contextmanager
def _same_every_time() -> Iterator[None]:
    """Who asks is ann at her desk, on a machine like any other, and what is drawn by lot is drawn already."""
    requests = count(200)
    with (
        patch("cli.asking.requester", lambda: "ann@desk"),
        patch("cli.asking.new_id", lambda at: f"{first_id(at)[:10]}{next(requests):016d}"),
        patch("secrets.token_hex", lambda length: "ab" * length),
        patch("secrets.token_urlsafe", lambda length: "T0ken" * (length // 4)),
        patch("cli.notifytest.time", SimpleNamespace(monotonic=count(0, 0.25).__next__)),
        patch("cli.callbacktest.time", SimpleNamespace(monotonic=count(0, 0.25).__next__)),
        patch("cli.callbacktest.new_id", lambda at: f"{first_id(at)[:10]}{300:016d}"),
        patch("cli.importing.accounts.home_of", lambda user: {None: "/home/ann", "www-data": "/var/www"}.get(user)),
        patch("platform.platform", lambda: "Linux-6.1-x86_64"),
        patch("sqlite3.sqlite_version", "3.45.0"),
        patch("platform.python_version", lambda: "3.11.7"),
        patch("os.getloadavg", lambda: (0.42, 0.36, 0.3)),
    ):
        yield


def screen_of(call: Call, root: Path) -> str:
    """What stands there afterwards, with the house's own path as `<home>`."""
    with _same_every_time(), _typed_in(root, call) as (out, err):
        code = run(list(call.arguments), Settings(clock=StoppedClock()))
    shown = out.text()
    if shown and not shown.endswith("\n"):
        shown += "(no line feed)\n"
    told = "".join(f"! {line}\n" if line else "!\n" for line in err.text().splitlines())
    ending = f"(exit {int(code)})\n" if code else ""
    text = (shown + told + ending).replace(str(root), "<home>")
    if {"backup", "restore"} & {*call.arguments}:
        text = _SIZES.sub(lambda found: f"{found[1]}<size>{found[2]}", text)
    text = _ESCAPE.sub(lambda found: f"<{' '.join(_COLORS.get(part, part) for part in found[1].split(';'))}>", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
