"""Where a crash matters: tests end the process exactly there. Called by the supervisor's own modules."""

from __future__ import annotations

import os

_wanted, _, _count = os.environ.get("JOBSCTL_CRASH_AT", "").partition(":")
_left = int(_count or 1)

POINTS = (
    "intent", "prepared", "spawned", "started", "exit", "reaped", "tree", "ended", "told", "acknowledged", "compacted",
)  # fmt: skip
"""In the order of one run's life. `intent`: journaled, nothing done. `spawned`: the program runs, nobody knows.
`started`: journaled. `exit`: the status is journaled, the process not reaped. `reaped`: its tree may live. `tree`: gone.
`ended`: journaled. `told`: in the socket. `acknowledged`, `compacted`: the journal forgot it."""


def crashpoint(name: str) -> None:
    """Kill this process, as `kill -9` would, when the environment says JOBSCTL_CRASH_AT=name[:n], at the n-th passing."""
    global _left
    if name == _wanted:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), 9)
