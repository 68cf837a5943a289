"""A home made a daemon's own: its folders closed to others, the lock, and the doorbell.

Called by `jobsctl daemon` before it loads the rest of the daemon, which takes most of its start: whoever asks for
something meanwhile waits for the answer, and is not told that no daemon is there. So this must not import the database,
the runner or the specs.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.doorbell import DoorbellSocket
from reconciler.lock import take_lock
from state.errors import from_os
from state.home import Home

log = logging.getLogger("jobsctl")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a daemon holds of its home."""

    home: Home
    doorbell: DoorbellSocket


@contextmanager
def claimed(home: Home) -> Iterator[Claim]:
    """Hold the home for the block; the lock goes last.

    Raises:
        AlreadyRunning: another daemon holds it.
        StateError: the state directory cannot be used.
    """
    try:
        _make_private(home)
        lock = take_lock(home.lock)
    except OSError as error:
        raise from_os(error, home.state) from error
    try:
        try:
            doorbell = DoorbellSocket(home.doorbell)
        except OSError as error:
            raise from_os(error, home.state) from error
        try:
            yield Claim(home, doorbell)
        finally:
            doorbell.close()
    finally:
        os.close(lock)


def _make_private(home: Home) -> None:
    for folder in (home.state, home.requests, home.supervisors, home.runs, home.status):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o022:
            # Who can write here can run programs as this user: the database says what is started.
            log.warning("%s could be written by others (mode %o); closing it", folder, mode)
            folder.chmod(mode & ~0o022)
    ignore = home.state / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")
