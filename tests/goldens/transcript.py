"""Transcripts: what a person types and what stands on the screen then, as text that a reviewer reads.

    # Lines before the first command say what this shows.

    $ [rich] jobsctl list
    JOB            SCHEDULE          PHASE
    default/hello  Every 10 minutes  active
    ! a line of stderr
    (exit 1)

In brackets: the house the command is typed in (`tests.goldens.houses`), then what the terminal is like: `tty` (else
stdout is a pipe), a number of columns, `color` (escape sequences are shown as `<red>`), `NAME=value` for the
environment, `<FILE` for what comes from standard input (a file of the house). `(exit N)` is there when N is not 0.
Blank lines of output are kept; one blank line ends a command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "transcripts"
_COMMAND = re.compile(r"\$ \[([^\]]+)\] jobsctl ?(.*)")


@dataclass(frozen=True)
class Call:
    """One command and what it should leave."""

    house: str
    arguments: tuple[str, ...]
    typed: str
    """The first line, as it stands in the file."""
    tty: bool = False
    color: bool = False
    columns: int = 80
    environment: dict[str, str] = field(default_factory=dict)
    stdin: str | None = None
    """A file of the house. None: standard input is empty."""
    screen: str = ""

    @property
    def id(self) -> str:
        """For pytest."""
        return self.typed.removeprefix("$ ")


@dataclass(frozen=True)
class Transcript:
    """One file."""

    path: Path
    preface: str
    calls: tuple[Call, ...]

    def text(self, screens: list[str]) -> str:
        """The file, with these screens in place of its own."""
        parts = [f"{call.typed}\n{screen}" for call, screen in zip(self.calls, screens, strict=True)]
        return "\n".join([self.preface.rstrip("\n") + "\n", *parts]) if self.preface.strip() else "\n".join(parts)


def read(path: Path) -> Transcript:
    """Raises ValueError for a first line that is none."""
    preface: list[str] = []
    calls: list[tuple[str, list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("$ "):
            calls.append((line, []))
        elif calls:
            calls[-1][1].append(line)
        else:
            preface.append(line)
    return Transcript(path, "\n".join(preface), tuple(_call(typed, lines) for typed, lines in calls))


def _call(typed: str, lines: list[str]) -> Call:
    found = _COMMAND.fullmatch(typed)
    if found is None:
        raise ValueError(f"not `$ [house] jobsctl ...`: {typed}")
    house, *traits = shlex.split(found[1])
    while lines and not lines[-1]:
        lines.pop()
    return Call(
        house=house,
        arguments=tuple(shlex.split(found[2])),
        typed=typed,
        tty="tty" in traits,
        color="color" in traits,
        columns=next((int(trait) for trait in traits if trait.isdecimal()), 80),
        stdin=next((trait[1:] for trait in traits if trait.startswith("<")), None),
        environment=dict(trait.split("=", 1) for trait in traits if "=" in trait),
        screen="".join(f"{line}\n" for line in lines),
    )


def transcripts() -> Iterator[Transcript]:
    """All files, by name."""
    return (read(path) for path in sorted(FOLDER.glob("*.txt")))
