"""What an exception that no command expected means to a person: never a traceback.

Called by `cli.main` only, when something was raised: the rooms below are imported here and not before.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from cli.exits import Exit


@dataclass(frozen=True, slots=True)
class Explained:
    """The message, what to do next, and the exit code."""

    message: str
    hint: str | None
    exit: Exit


def explain(error: Exception) -> Explained:
    """Errors of our own rooms carry their cause and hint; errors of the machine are named; the rest is a bug."""
    from specs.diagnostic import InvalidSpec

    if isinstance(error, InvalidSpec):
        return Explained(str(error), "correct the file and try again", Exit.INVALID_SPEC)
    ours = _state_error(error)
    if ours is not None:
        return ours
    if isinstance(error, sqlite3.Error):
        return Explained(f"the database cannot be read: {error}", None, Exit.FAILED)
    if isinstance(error, OSError):
        subject = f"{error.filename}: " if error.filename else ""
        return Explained(f"{subject}{error.strerror or error}", None, Exit.FAILED)
    return Explained(
        f"something unexpected happened: {type(error).__name__}: {error}",
        "this is a bug in jobsctl; JOBSCTL_DEBUG=1 shows where",
        Exit.FAILED,
    )


def _state_error(error: Exception) -> Explained | None:
    from state.errors import StateError

    if not isinstance(error, StateError):
        return None
    return Explained(str(error), getattr(error, "hint", None), Exit.FAILED)
