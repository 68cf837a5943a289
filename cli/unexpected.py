"""What an exception that no command expected means to a person: never a traceback.

Called by `cli.main` only, when something was raised: the rooms below are imported here and not before.
"""

from __future__ import annotations

import sqlite3

from cli.exits import Exit
from cli.streams import stdout_fails
from specs.frozen import frozen


@frozen
class Explained:
    """The message, what to do next, and the exit code."""

    message: str
    hint: str | None
    exit: Exit


def explain(error: Exception) -> Explained:
    """Errors of our own rooms carry their cause and hint; errors of the machine are named; the rest is a bug."""
    from specs.diagnostic import InvalidSpec

    if isinstance(error, InvalidSpec):
        first = error.diagnostics[0]
        more = f" (and {len(error.diagnostics) - 1} more)" if len(error.diagnostics) > 1 else ""
        place = f"{first.path}:{first.line}:{first.column}"
        hint = "`jobsctl validate` shows all of them" if more else f"`jobsctl explain {first.code}` tells more"
        message = f"{place}: {first.message} [{first.code}]{more}"
        return Explained(message, f"correct the file; {hint}", Exit.INVALID_SPEC)
    ours = _state_error(error)
    if ours is not None:
        return ours
    if isinstance(error, sqlite3.Error):
        return Explained(f"the database cannot be read: {error}", None, Exit.FAILED)
    if isinstance(error, OSError):
        subject = f"{error.filename}: " if error.filename else "standard output: " if stdout_fails() else ""
        return Explained(f"{subject}{error.strerror or error}", None, Exit.FAILED)
    return Explained(
        f"something unexpected happened: {type(error).__name__}: {error}",
        "this is a bug in jobsctl; JOBSCTL_DEBUG=1 shows where",
        Exit.FAILED,
    )


def _state_error(error: Exception) -> Explained | None:
    from state import errors

    if not isinstance(error, errors.StateError):
        return None
    hint = error.hint
    match error:
        case errors.NoDatabase():
            return Explained("nothing is known yet: no daemon ever ran on this home", _START, Exit.DAEMON_DOWN)
        case errors.OlderSchema():
            code = Exit.DAEMON_DOWN
        case errors.NotFound():
            code = Exit.NOT_FOUND
        case errors.Ambiguous():
            code, hint = Exit.USAGE, hint or "say which: " + ", ".join(error.candidates)
        case errors.InvalidQuery() | errors.InvalidRequest():
            code = Exit.USAGE
        case errors.Conflict() | errors.NewerSchema():
            code = Exit.REFUSED
        case _:
            code = Exit.FAILED
    return Explained(error.message, hint, code)


_START = "start one with `jobsctl daemon`; another home is named with --home DIR"
