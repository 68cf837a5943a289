"""Supervisor processes, as the daemon sees them: starting one, connecting to one. Used by `runners.supervised` only."""

from __future__ import annotations

import os
import secrets
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from runners.supervisor.wire import Channel

_MAIN = Path(__file__).resolve().parent / "supervisor" / "main.py"


class Link:
    """A connection to one living supervisor."""

    __slots__ = ("channel", "name", "process", "retired")

    def __init__(self, name: str, channel: Channel, process: subprocess.Popen[bytes] | None) -> None:
        self.name = name
        self.channel = channel
        self.process = process
        """When this daemon started it."""
        self.retired = False

    def fileno(self) -> int:
        return self.channel.socket.fileno()

    def let_go(self) -> None:
        """Hang up; the supervisor goes on without us."""
        self.channel.close()
        if self.process is not None and self.process.poll() is None:
            self.process.returncode = 0  # else Popen warns that it is still running: that is the point


class Folder:
    """The directory of the supervisors: for each a socket `<name>.sock`, a journal, and what it said when it failed."""

    def __init__(self, path: Path, boot_id: str) -> None:
        """Made when missing, 0700. Raises OSError."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        self.path = path
        self._boot = boot_id[:8]
        self._fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def start(self, environ: Mapping[str, str]) -> Link:
        """Start a new supervisor and connect to it. Raises OSError.

        Its socket is made here and inherited, so it can be connected to before it is up.
        """
        name = f"{self._boot}-{secrets.token_hex(6)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, ExitStack() as undo:
            listener.bind(self._address(name))
            undo.callback(self.sweep, name, journal=False)
            listener.listen(16)
            # Before there is a process: one that nobody is connected to could not be told to end.
            channel = self._connect(name)
            undo.callback(channel.close)
            log = os.open(self.path / f"{name}.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-OO", str(_MAIN), str(self.path), name, str(listener.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=dict(environ),
                    cwd="/",
                    pass_fds=[listener.fileno()],
                    start_new_session=True,
                )
            finally:
                os.close(log)
            undo.pop_all()
        return Link(name, channel, process)

    def connect(self, name: str) -> Link | None:
        """Connect to a supervisor of an earlier daemon; None when nobody listens there any more."""
        try:
            return Link(name, self._connect(name), None)
        except OSError:
            return None

    def _connect(self, name: str) -> Channel:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._address(name))
        except OSError:
            connection.close()
            raise
        connection.setblocking(False)
        return Channel(connection)

    def _address(self, name: str) -> str:
        # Through the descriptor of the directory: the path of a unix socket has at most 107 bytes.
        return f"/proc/self/fd/{self._fd}/{name}.sock"

    def let_through(self, run_dir: Path) -> None:
        """Let other users pass (not read) from the state directory down to a run's directory, which will be theirs.

        Files beside it are protected by their own modes. What cannot be changed shows as the job's own error.
        """
        state = self.path.parent
        for folder in (state, *(parent for parent in run_dir.parents if state in parent.parents)):
            try:
                mode = stat.S_IMODE(folder.stat().st_mode)
                if mode & 0o011 != 0o011:
                    folder.chmod(mode | 0o011)
            except OSError:
                continue

    def names(self) -> list[str]:
        """Supervisors that may have something to tell."""
        return sorted({path.stem for path in self.path.iterdir() if path.suffix in (".journal", ".sock")})

    def of_this_boot(self, name: str) -> bool:
        return name.startswith(self._boot)

    def journal(self, name: str) -> str:
        return str(self.path / f"{name}.journal")

    def complaint(self, name: str) -> str:
        """The last line of what a supervisor said when it failed."""
        try:
            lines = (self.path / f"{name}.err").read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return ""
        return next((line for line in reversed(lines) if line.strip()), "")

    def sweep(self, name: str, *, journal: bool) -> None:
        """Delete what a dead supervisor left; its journal when nothing in it counts any more."""
        for suffix in (".sock", ".err", *((".journal",) if journal else ())):
            (self.path / f"{name}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._fd)


Packed = tuple[Any, ...]
"""A message as it crosses: its kind, then its values."""
