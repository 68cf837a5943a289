"""The one question before something severe. A person is asked; a program has to say `--yes` beforehand."""

from __future__ import annotations

import sys

import click

from cli.errors import Refused
from cli.terminal import visible


def can_ask() -> bool:
    """Whether a person sits there: what is typed comes from a terminal, and the question is seen on one."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool) -> bool:
    """Whether to go on. Enter alone means no.

    Raises:
        Refused: nobody can be asked, and `yes` was not given.
    """
    if yes:
        return True
    if not can_ask():
        raise Refused(f"nobody can be asked: {question}", hint="give --yes if it is meant")
    return click.confirm(visible(question), default=False, err=True)
