"""The exceptions of the command line, in one tree. `cli.main` prints them and ends with their exit code.

Raised by commands and the modules they share; must not import other rooms (it is loaded by `jobsctl --help`).
"""

from __future__ import annotations

from cli.exits import Exit


class CliError(Exception):
    """Raised when a command cannot do what was asked. Says what happened, and as `hint` what to do next.

    Exit code of the class; a subclass per code, so that nobody passes numbers around.
    """

    exit = Exit.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CliError):
    """Raised when the command line asks for something that makes no sense, or is not built yet."""

    exit = Exit.USAGE


class InvalidFiles(CliError):
    """Raised when spec files or `jobsctl.yaml` have errors, after these were printed."""

    exit = Exit.INVALID_SPEC


class NotFound(CliError):
    """Raised when no job, run, file or home has the name that was given."""

    exit = Exit.NOT_FOUND


class DaemonDown(CliError):
    """Raised when only a running daemon could answer and none is there."""

    exit = Exit.DAEMON_DOWN


class TimedOut(CliError):
    """Raised when the answer did not come within `--timeout`."""

    exit = Exit.TIMED_OUT


class Refused(CliError):
    """Raised when what was asked for is understood and not done, because it would do harm or contradicts the state."""

    exit = Exit.REFUSED
