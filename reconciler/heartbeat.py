"""What the daemon says about itself, in one file: its pulse, its last pass, its last error, its queue.

Written by the loop, read by `status.heartbeat` and the command line. A reader that finds it old knows the daemon
hangs or is gone, which the daemon itself could not say.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INTERVAL = 5.0
"""Seconds between two beats: three missed ones are noticed within Prometheus's usual scrape interval of 15 s."""


class Heartbeat:
    """The file. A failed write is told to the caller, who reports it; the daemon goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spare = path.with_suffix(".tmp")

    def write(self, beat: Mapping[str, Any]) -> None:
        """Replace the file atomically. Not synced: after a power cut there is no daemon to speak of.

        Raises:
            OSError: the disk is full or read-only.
        """
        data = json.dumps(beat, separators=(",", ":")).encode()
        fd = os.open(self._spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, data)
        finally:
            os.close(fd)
        self._spare.replace(self._path)

    def remove(self) -> None:
        """An orderly end: no daemon, and none expected."""
        self._path.unlink(missing_ok=True)
