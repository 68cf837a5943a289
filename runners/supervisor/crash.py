"""Where a crash matters: tests end the supervisor exactly there. Called by its modules, armed by `main`.

In the daemon, which imports some of them, nothing is armed: a mark names one process.
"""

from __future__ import annotations

import os

_wanted = ""
_left = 0

POINTS = (
    "intent", "prepared", "spawned", "started", "exit", "reaped", "tree", "ended", "told", "acknowledged",
)  # fmt: skip
"""In the order of one run's life. `intent`: journaled, nothing done. `spawned`: the program runs, nobody knows.
`started`: journaled. `exit`: the status is journaled, the process not reaped. `reaped`: its tree may live.
`tree`: gone. `ended`: journaled. `told`: in the socket. `acknowledged`: the journal forgot it."""


def arm() -> None:
    """Heed JOBSCTL_CRASH_AT=name[:n]."""
    global _wanted, _left
    _wanted, _, count = os.environ.get("JOBSCTL_CRASH_AT", "").partition(":")
    _left = int(count or 1)


def crashpoint(name: str) -> None:
    """Kill this process, as `kill -9` would, at the n-th passing of the point that is armed."""
    global _left
    if name == _wanted:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), 9)
