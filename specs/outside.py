"""Opening what a spec takes from outside: a file, a variable of the daemon's environment, a systemd credential.

Called when a secret is used, and then only: by `runners.process` for a run's environment, by `status.notify` for
addresses and keys. Needs no pydantic: takes canonical JSON. What it returns is kept nowhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

LARGEST = 131_071 - 257
"""Bytes. One environment string is at most 128 KiB (MAX_ARG_STRLEN), its name included."""


def base_dir(specs_root: Path, home: Path) -> Path:
    """Where relative paths of specs start: the root of their repository, else the home."""
    for folder in (specs_root, *specs_root.parents):
        if (folder / ".git").exists():
            return folder
    return home if specs_root.is_relative_to(home) else specs_root


class OutsideUnreadable(Exception):
    """Raised when a value cannot be had: of what, why, and what to do. Never holds a value."""

    def __init__(self, subject: str, cause: str, hint: str) -> None:
        super().__init__(subject, cause, hint)
        self.subject = subject
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.subject}: {self.cause}; {self.hint}"


def read_value(value: object, *, subject: str, base_dir: Path, environ: Mapping[str, str]) -> str:
    """The text that is meant.

    Args:
        value: a text, or a mapping with one of `from_file`, `from_env` and `credential`.
        subject: what it is for, as `env TOKEN`: errors begin so.
        base_dir: what relative paths start at: the root of the specs' repository.
        environ: the daemon's own environment.

    Raises:
        OutsideUnreadable: it cannot be had now. It may be had later.
    """
    match value:
        case str():
            return value
        case {"from_env": str(name)}:
            if name not in environ:
                raise OutsideUnreadable(
                    subject,
                    f"the daemon has no environment variable {name}",
                    "set it where the daemon is started, and restart the daemon",
                )
            return environ[name]
        case {"from_file": str(name)}:
            return _content(subject, base_dir / name)
        case {"credential": str(name)}:
            folder = environ.get("CREDENTIALS_DIRECTORY")
            if not folder:
                raise OutsideUnreadable(
                    subject,
                    f"credential {name}: the daemon was given no credentials",
                    f"add LoadCredential={name}:PATH to the daemon's systemd unit",
                )
            return _content(subject, Path(folder) / name)
    raise OutsideUnreadable(subject, "its stored form is of no use to this version", "save its file again")


def _content(subject: str, path: Path) -> str:
    """The file's text without one trailing newline. Never waits on a pipe."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OutsideUnreadable(subject, f"{path} is not a regular file", "name a file that holds the value")
            data = os.read(fd, LARGEST + 1)
        finally:
            os.close(fd)
    except OSError as error:
        hint = "create it" if isinstance(error, FileNotFoundError) else "let the daemon's user read it"
        raise OutsideUnreadable(subject, f"cannot read {path}: {error.strerror}", hint) from None
    if len(data) > LARGEST:
        raise OutsideUnreadable(subject, f"{path} is larger than {LARGEST} bytes", "let the job read the file itself")
    return os.fsdecode(data.removesuffix(b"\n"))
