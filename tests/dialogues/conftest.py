"""The home, the database and the daemon's stand-in of the commands' tests, and a terminal to call the program on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.commands.conftest import daemon, home, jobsctl, known, plain_environment
from tests.dialogues.terminal import PROGRAM, Terminal

__all__ = ["daemon", "home", "jobsctl", "known", "plain_environment"]


@pytest.fixture
def terminal(home) -> Iterator[Callable[..., Terminal]]:
    """`terminal("list", "-w", columns=40)`: jobsctl on the home. `program=` for another one."""
    opened: list[Terminal] = []

    def start(*arguments: object, program: tuple[str, ...] | None = None, **given: object) -> Terminal:
        command = (*PROGRAM, "--home", home.root, *arguments) if program is None else (*program, *arguments)
        opened.append(Terminal(*command, **given))
        return opened[-1]

    yield start
    for each in opened:
        each.close()
