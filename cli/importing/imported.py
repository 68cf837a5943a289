"""What reading another system's file gives: jobs as YAML trees, with where they came from and what did not fit.

Made by the readers (`crontab`, `systemd`, ...), used by `writing`, `checking`, `report` and `delivering`. Pure data:
opens no file, reads no clock, and imports only `specs.diagnostic`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from specs.diagnostic import Diagnostic

Level = Literal["lost", "changed", "info"]
Tree = Mapping[str, Any]
"""A document in terms of YAML: texts, numbers, booleans, lists and mappings, in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """One file to be imported, as it was handed in."""

    path: str
    """As people know it; `-` for standard input."""
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something stood."""

    path: str
    line: int
    """From 1."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that did not come over as it was, or that its reader should know."""

    level: Level
    """`lost`: cannot be said here. `changed`: said with a difference. `info`: the same, and worth knowing."""
    what: str
    """The field or construct, as its own system calls it: `MAILTO`, `WakeSystem=`, `% in the command`."""
    why: str
    """One sentence without a final full stop: the reason, and what is done instead."""
    origin: Origin
    hint: str | None = None
    """What to do about it, one line."""


class Rule(Protocol):
    """When the source system itself would start the job: the oracle of `--check`.

    Written from that system's own documentation or source code, and never in terms of `specs`: a rule that calls our
    schedule code would agree with it, right or wrong.
    """

    @property
    def words(self) -> str:
        """The rule in the source's own terms, as `*/5 * * * *` or `OnCalendar=Mon *-*-* 04:00`, with its zone."""

    @property
    def at_boot(self) -> bool:
        """It starts once per boot as well."""

    def after(self, micros: int) -> int | None:
        """The first instant strictly after `micros`, both in microseconds UTC; None when there is none.

        Whoever searches must end: return None when nothing comes within the next `HORIZON_YEARS` or so.
        """


HORIZON_YEARS = 28
"""How far ahead instants are compared: every combination of weekday, date and leap year comes within 28 years."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One job."""

    tree: Tree
    """The document; has a `name`, unique in this import (`naming.Names`), and no `project`: `--project` adds it."""
    origin: Origin
    rule: Rule | None = None
    """None: it has no instants that could be known beforehand, for the reason in `no_rule`."""
    no_rule: str = ""
    """`it starts 10m after the end of the run before`; said by `--check` in place of a comparison."""
    documents: tuple[Tree, ...] = ()
    """What the job needs besides itself, as a `Calendar`; each with a name of its own. They stand behind it."""
    notes: tuple[Note, ...] = ()
    comments: tuple[str, ...] = ()
    """Lines above the document, without `#`: what people should read there and no field can hold."""
    remarks: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Lines above a field, by its path, as `("run", "script")`; may have several lines, without `#`."""

    @property
    def name(self) -> str:
        return str(self.tree["name"])


@dataclass(frozen=True, slots=True)
class SharedDocument:
    """What several jobs need, as a `Notifier`: a document, and a file, of its own."""

    tree: Tree
    comments: tuple[str, ...] = ()
    """Lines above it, without `#`."""
    file: str = ""
    """What its file is called, without the suffix; empty: by its name."""

    @property
    def stem(self) -> str:
        """Of its file."""
        return self.file or str(self.tree["name"])


@dataclass(frozen=True, slots=True)
class Import:
    """What a reader made of the files it was given."""

    jobs: tuple[Imported, ...] = ()
    unreadable: tuple[Diagnostic, ...] = ()
    """What cannot be read at all, with file, line and column; the rest is imported. Ends with exit 3."""
    notes: tuple[Note, ...] = ()
    """About a file as a whole."""
    shared: tuple[SharedDocument, ...] = ()
    """They stand behind all jobs."""


UNREADABLE = "IMPORT"
"""The code of findings in other systems' files, whose rules are not ours."""


def unreadable(
    source: SourceText, line: int, column: int, message: str, *, help: str | None = None, end: int | None = None
) -> Diagnostic:
    """A finding about a place of a file; `line`, `column` and `end` (one past the last character) count from 1."""
    lines = source.text.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) and len(lines[line - 1]) <= 1000 else None
    return Diagnostic(UNREADABLE, message, source.path, line, column, end, help, shown)
