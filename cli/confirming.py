"""The one question before something severe. A person is asked; a program has to say `--yes` beforehand."""

from __future__ import annotations

import sys
import termios
from contextlib import suppress

from cli.errors import Refused
from cli.streams import write_error
from cli.terminal import one_line

ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}
"""Enter alone means no."""


def can_ask() -> bool:
    """Whether a person sits there: what is typed comes from a terminal, and the question is seen on one."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool) -> bool:
    """Whether to go on.

    Raises:
        Refused: nobody can be asked, and `yes` was not given.
        KeyboardInterrupt: Ctrl-C.
    """
    if yes:
        return True
    if not can_ask():
        raise Refused(f"nobody can be asked: {question}", hint="give --yes if it is meant")
    return read_answer(f"{one_line(question)} [y/N] ")


def read_answer(prompt: str) -> bool:
    """Ask on stderr until the answer is one; the end of what is typed (Ctrl-D) means no."""
    # What was typed before the question was seen, or pasted with the command, is no answer to it.
    with suppress(termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    while True:
        try:
            write_error(prompt)
            typed = sys.stdin.readline()
        except KeyboardInterrupt:
            write_error("\n")
            raise
        if not typed:
            write_error("\n")
            return False
        answer = ANSWERS.get(typed.strip().lower())
        if answer is not None:
            return answer
        write_error("Please type y for yes or n for no.\n")
