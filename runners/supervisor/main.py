"""Entry of the supervisor process: `python -I -S main.py <directory> <name> <fd of the listening socket>`.

Run by `runners.supervised`. The working directory is /, the descriptors 0 to 2 are taken, everything else is closed.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import sys

_SIGHUP, _SIGINT, _SIGQUIT, _SIGTERM, _SIGCHLD = 1, 2, 3, 15, 17


def main(directory: str, name: str, listener: int) -> int:
    """Serve until nothing lives and nobody needs an answer."""
    from runners.supervisor import crash, libc
    from runners.supervisor.serve import Supervisor
    from runners.supervisor.spawn import IGNORED_BY_PYTHON

    # Whoever started the daemon may have ignored signals (nohup does), and a job would inherit that.
    for number in _signal.valid_signals():
        if number not in IGNORED_BY_PYTHON and _signal.getsignal(number) is _signal.SIG_IGN:
            _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    libc.become_subreaper()
    libc.ask_for_short_slices()
    crash.arm()
    awake, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    supervisor = Supervisor(directory, name, listener, awake)
    _signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    _signal.signal(_SIGCHLD, lambda number, frame: None)
    # A machine that shuts down, or a service manager, sends these to everybody. The jobs decide for themselves; their
    # ends must still be written down. So: stay until the last one is over.
    for number in (_SIGTERM, _SIGINT, _SIGHUP, _SIGQUIT):
        _signal.signal(number, lambda number, frame: supervisor.leave())
    supervisor.serve()
    return 0


if __name__ == "__main__":
    # Behind the standard library: a folder of this project must not hide one of its modules.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    raise SystemExit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
