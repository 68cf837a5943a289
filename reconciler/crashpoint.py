"""Lines where a crash matters, by name, so that a test can make the process die exactly there.

`JOBSCTL_CRASH_AT=name` kills the process (SIGKILL) when it reaches `crashpoint("name")`; `name:3` the third time.
Without the variable a call costs one comparison.
"""

from __future__ import annotations

import os
import signal

_name, _, _count = os.environ.get("JOBSCTL_CRASH_AT", "").partition(":")
_left = int(_count or 1)


def crashpoint(name: str) -> None:
    """Die here if the environment says so."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
