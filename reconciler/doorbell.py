"""The daemon's doorbell: a Unix datagram socket in the state directory.

A request is a file; one datagram after it only says "look now", so nothing is lost when nobody listens. That somebody
listens is how the command line knows a daemon is there. See `state.inbox` for the side that rings.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path


class DoorbellSocket:
    """Bound while the daemon holds the lock: an old socket file is a dead daemon's and is replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        path.unlink(missing_ok=True)
        # A path longer than sun_path (108 bytes) is reached through the directory's descriptor.
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._socket.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        path.chmod(0o600)

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> None:
        """Take all that was rung."""
        while True:
            try:
                self._socket.recv(16)
            except BlockingIOError:
                return

    def close(self) -> None:
        self._socket.close()
        with contextlib.suppress(OSError):  # read-only by now, or gone: the next daemon replaces it
            self._path.unlink()
