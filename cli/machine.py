"""The programs of this machine, as a job that the daemon starts would find them. Used by `validate --here` and `apply`.

The rules are the supervisor's (`runners.supervisor.spawn.resolve`): a name without `/` is looked for in the PATH of
the job, a relative path starts at its working directory.
"""

from __future__ import annotations

import os
from pathlib import Path

from specs import outside

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The daemon's, where its environment has none."""


class ThisMachine:
    """`specs.lint.Programs` of the machine that this process is on."""

    def __init__(self, base_dir: Path, path: str | None) -> None:
        """
        Args:
            base_dir: where relative paths of specs start.
            path: PATH of the daemon, as far as it is known: of this process.
        """
        self._base_dir = base_dir
        self._path = path or DEFAULT_PATH

    def missing(self, program: str, *, path: str | None, working_dir: str | None, user: str | None) -> str | None:
        """As `specs.lint.Programs.missing`."""
        folder = self._base_dir / (working_dir or "")
        if "/" in program:
            if not folder.is_dir() and not program.startswith("/"):
                return f"starts at {folder}, which is not there"
            return _wrong(folder / program, user)
        folders = (path if path is not None else self._path).split(":")
        found = [_wrong(folder / each / program, user) for each in folders]
        if None in found:
            return None
        there = next((why for why in found if why is not None and not why.startswith(_ABSENT)), None)
        return there or (f"is not in the job's PATH ({path})" if path is not None else "is not in PATH")


_ABSENT = "is not there"


def _wrong(path: Path, user: str | None) -> str | None:
    """`user`: another one than ours may be allowed what we are not, so that only its absence can be told."""
    if not os.path.lexists(path) or not path.exists():
        return f"{_ABSENT}: {path}"
    if path.is_dir():
        return f"is a folder: {path}"
    return None if user is not None or os.access(path, os.X_OK) else f"is not executable: {path}"


def base_dir(specs_root: Path, home: Path) -> Path:
    """Where relative paths of specs start, by the daemon's rule."""
    return outside.base_dir(specs_root.resolve(), home.resolve())
