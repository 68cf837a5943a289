"""What hints, messages and help tell people to type exists: the command and its options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.main import COMMANDS, LazyGroup, program
from state.errors import InvalidRunTransition

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "jobsctl", "reconciler", "runners", "specs", "state", "status")
TYPED = re.compile(r"(?:`|^\s*|: |\$ )jobsctl((?: (?!jitter \d:)[^\s`;,()]+)*)", re.MULTILINE)
"""In backticks, at the start of a line, or after a colon."""


PROSE = ("cannot", "has")
"""Besides verbs in the third person: what follows `jobsctl` in a sentence."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module with their lines; what an f-string fills in reads `X`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def wrong_with(words: list[str]) -> str | None:
    """Why this cannot be typed after `jobsctl`; None when it can, or when it names no command."""
    command = next((word for word in words if not word.startswith("-")), None)
    if command is None or not re.fullmatch(r"[a-z]+", command):
        return None
    assert isinstance(program, LazyGroup)
    if command not in {name for section in COMMANDS.values() for name in section}:
        tells = command.endswith("s") or command in PROSE  # "jobsctl starts it again": a sentence
        return None if tells else f"there is no command {command}"
    known = program.get_command(click.Context(program), command)
    assert known is not None
    if isinstance(known, click.Group):
        parts = [known.get_command(click.Context(known), word) for word in words]
        known = next((part for part in parts if part is not None), known)
    options = {text for each in (*program.params, *known.params) for text in (*each.opts, *each.secondary_opts)}
    asked = {word.partition("=")[0].rstrip(".:'\"]") for word in words if re.match(r"--?[a-z]", word)}
    unknown = asked - options - {"--help", "-h", "--version"}
    return f"{command} has no {', '.join(sorted(unknown))}" if unknown else None


MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "_app" not in path.parts]


def test_every_command_that_a_text_tells_to_type_exists() -> None:
    checked, wrong = 0, []
    for path in MODULES:
        for line, text in texts(path):
            for match in TYPED.finditer(text):
                checked += 1
                if problem := wrong_with(match[1].split()):
                    wrong.append(f"{path.relative_to(ROOT)}:{line}: `jobsctl{match[1]}`: {problem}")
    assert wrong == []
    assert checked > 60, "the pattern finds the hints"


def test_a_refused_transition_says_what_to_type() -> None:
    hint = InvalidRunTransition("1" * 26, "succeeded", "cancelled").hint or ""
    assert hint.startswith(f"`jobsctl run {'1' * 26}`")


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("run X", None),
        ("apply --confirm-prune", None),
        ("--home DIR status", None),
        ("session show X", "there is no command session"),
        ("apply --force", "apply has no --force"),
    ],
)
def test_the_judge_of_hints_finds_what_is_wrong(typed: str, problem: str | None) -> None:
    words = [word for word in typed.split() if word != "DIR"]
    assert wrong_with(words) == problem
