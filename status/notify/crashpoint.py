"""Lines of the notify process where a crash matters, by name, so that a test can make it die exactly there.

`JOBSCTL_CRASH_AT=name` kills the process (SIGKILL) when it reaches `crashpoint("name")`. Names begin with `notify-`:
the daemon, which reads the same variable, knows others.
"""

from __future__ import annotations

import os
import signal

_name = os.environ.get("JOBSCTL_CRASH_AT", "")


def crashpoint(name: str) -> None:
    """Die here if the environment says so."""
    if name == _name:
        os.kill(os.getpid(), signal.SIGKILL)
