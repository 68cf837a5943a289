"""What the daemon says about itself, in one file: its pulse, its last pass, its last error, its queue.

Written by the loop, read by `status.heartbeat` and the command line. A reader that finds it old knows the daemon
hangs or is gone, which the daemon itself could not say. It must be told on a full disk above all, so it is written over
the blocks of the one before the last.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from state.exchange import exchange, fill

INTERVAL = 5.0
"""Seconds between two beats: three missed ones are noticed within Prometheus's usual scrape interval of 15 s."""

ROOM = 4096
"""Bytes it takes, filled up with blanks: what there is to say when things go wrong must not need another block."""


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
        data = json.dumps(beat, separators=(",", ":")).encode().ljust(ROOM)
        path, spare = os.fspath(self._path), os.fspath(self._spare)
        fill(spare, data)
        if not exchange(spare, path):
            self._spare.replace(self._path)
            fill(spare, data)

    def remove(self) -> None:
        """An orderly end: no daemon, and none expected.

        Raises:
            OSError: the disk is read-only.
        """
        self._spare.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
