"""What `jobsctl token` does with the file of tokens: finds it, changes it as a whole, one at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.errors import CliError, NotFound, Refused, UsageError
from cli.options import Settings
from specs.config import load_config
from state.durability import sync_folder
from state.errors import from_os
from status.server.tokens import (
    Token,
    is_name,
    is_project,
    new_token,
    parse_tokens,
    read_tokens,
    without,
    write_tokens,
    wrong_lines,
)


def tokens_of(settings: Settings) -> Sequence[Token]:
    """Every token there is, in the order of the file. Raises as `add_token`."""
    path = _place(settings)
    return parse_tokens(_text(path))


def add_token(settings: Settings, name: str, project: str | None) -> tuple[str, Path]:
    """Make one; the token, and the file that keeps its hash.

    Raises:
        UsageError: no name of a token, or of a project.
        Refused: there is one of this name; the settings name no file.
        CliError: the file cannot be read or written.
    """
    if not is_name(name):
        raise UsageError(f"{name!r} is no name of a token", hint="use letters, digits and `._@-`, at most 63")
    if project is not None and not is_project(project):
        raise UsageError(f"{project!r} is no name of a project", hint="projects are `[a-z0-9-]`, at most 63 characters")
    path = _place(settings)
    text, token = new_token(name, project)
    with _changing(path):
        there = _text(path)
        if any(each.name == name for each in parse_tokens(there)):
            raise Refused(f"there is a token {name} already", hint=f"`jobsctl token revoke {name}` takes it away")
        end = "" if not there or there.endswith("\n") else "\n"
        _write(path, f"{there}{end}{token.line}")
    return text, path


def remove_token(settings: Settings, name: str) -> Path:
    """Take away the token of this name; the file. Raises NotFound, and as `add_token`."""
    path = _place(settings)
    with _changing(path):
        text, gone = without(_text(path), name)
        if not gone:
            raise NotFound(f"there is no token {name}", hint="`jobsctl token list` shows them")
        _write(path, text)
    return path


def _place(settings: Settings) -> Path:
    home = settings.existing_home()
    http = load_config(home.root).http
    if http is None or http.tokens is None:
        raise Refused(
            "jobsctl.yaml names no file of tokens: readers need none",
            hint="add `http: {tokens: tokens}` to it, then restart the daemon",
        )
    return home.root / http.tokens


def _text(path: Path) -> str:
    try:
        text = read_tokens(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", hint="look at its owner and mode") from None
    if wrong := wrong_lines(text):
        from cli.output import say

        say(f"warning: {path}:{wrong[0]}: not a token: it grants nothing")
    return text


def _write(path: Path, text: str) -> None:
    """Under the mode it has: who let a group read it meant to."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        write_tokens(path, text, mode)
        sync_folder(path.parent)
    except PermissionError as error:
        raise CliError(
            f"{path} cannot be written: {error.strerror}", hint="look at its folder's owner and mode"
        ) from None
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}", hint=from_os(error, path).hint) from None


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Alone: two that add at the same time would lose one."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CliError(f"{path.parent}: {error.strerror}", hint="`http.tokens` names a file in this folder") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
