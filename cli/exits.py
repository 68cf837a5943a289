"""What the number says that `jobsctl` ends with. Stable: scripts depend on it; documented in docs/cli.md."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. A command returns one, or raises a `cli.errors.CliError` that carries one."""

    OK = 0
    FAILED = 1
    """The thing asked about or for failed: a run, a job that is not well, `diff` found differences."""
    USAGE = 2
    """The command line is wrong."""
    INVALID_SPEC = 3
    NOT_FOUND = 4
    DAEMON_DOWN = 5
    """Only a daemon could have answered, and none is running."""
    TIMED_OUT = 6
    """Waited as long as `--timeout` allows; what was asked for may still happen."""
    REFUSED = 7
    """Understood and not done: conflict, locked, prune guard."""
    INTERRUPTED = 130
    """Ctrl-C."""
    PIPE_CLOSED = 141
    """Whoever read our output went away: what a shell reports for any program ended by SIGPIPE."""
