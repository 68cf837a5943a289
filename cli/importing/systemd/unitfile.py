"""Unit files as systemd reads them: sections, settings, continued lines, drop-ins over the unit they belong to.

Source: systemd.syntax(7), systemd.unit(5). Called by `reader`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cli.importing.imported import Note, Origin, SourceText, unreadable
from specs.diagnostic import Diagnostic

SUFFIXES = (".timer", ".service")


@dataclass(frozen=True, slots=True)
class Setting:
    """One assignment. An empty one resets what a list had before."""

    section: str
    key: str
    value: str
    origin: Origin


@dataclass(slots=True)
class Unit:
    """A unit with its drop-ins."""

    name: str
    """`backup.timer`; of a template's instance `dump@db.timer`."""
    origin: Origin
    settings: list[Setting] = field(default_factory=list)
    comments: tuple[str, ...] = ()
    """Comment lines at the top, without `#`."""
    notes: list[Note] = field(default_factory=list)
    """Lines that systemd leaves out."""

    @property
    def prefix(self) -> str:
        """Before the `@` or the suffix: `%p`."""
        return self.name.rpartition(".")[0].partition("@")[0]

    @property
    def instance(self) -> str:
        """Between `@` and the suffix, or nothing: `%i`."""
        return self.name.rpartition(".")[0].partition("@")[2]

    @property
    def is_template(self) -> bool:
        return self.name.rpartition(".")[0].endswith("@")

    def all(self, section: str, *keys: str) -> list[Setting]:
        """The assignments of a list setting, in order, after resets."""
        found: list[Setting] = []
        for each in self.settings:
            if each.section == section and each.key in keys:
                if each.value:
                    found.append(each)
                else:
                    found = [other for other in found if other.key != each.key]
        return found

    def get(self, section: str, key: str) -> Setting | None:
        """The last assignment of a setting; None when there is none, or it was reset."""
        found = self.all(section, key)
        return found[-1] if found else None

    def keys(self, section: str) -> Iterator[Setting]:
        """Every assignment of a section that says something."""
        return (each for each in self.settings if each.section == section and each.value)


def read_units(sources: Iterable[SourceText]) -> tuple[dict[str, Unit], list[Diagnostic]]:
    """The units in the files, by name. Drop-ins (`backup.timer.d/*.conf`) come after their unit, by their name."""
    units: dict[str, Unit] = {}
    findings: list[Diagnostic] = []
    for source in sorted(sources, key=lambda each: (_drop_in_of(each.path) is not None, PurePosixPath(each.path).name)):
        name = _drop_in_of(source.path) or PurePosixPath(source.path).name
        if not name.endswith(SUFFIXES):
            message = "this is neither a .timer nor a .service file, nor a drop-in of one"
            findings.append(unreadable(source, 1, 1, message, help="name the files as systemd does"))
            continue
        settings, comments, notes = _settings(source)
        unit = units.setdefault(name, Unit(name, Origin(source.path, 1)))
        unit.settings += settings
        unit.notes += notes
        unit.comments = unit.comments or comments
    return units, findings


def _drop_in_of(path: str) -> str | None:
    folder = PurePosixPath(path).parent.name
    return folder.removesuffix(".d") if folder.endswith((".timer.d", ".service.d")) else None


def _settings(source: SourceText) -> tuple[list[Setting], tuple[str, ...], list[Note]]:
    settings: list[Setting] = []
    notes: list[Note] = []
    comments: list[str] = []
    section = ""
    for line, text in _logical_lines(source.text):
        if text.startswith(("#", ";")):
            if not section:
                comments.append(text.lstrip("#; ").rstrip())
            continue
        heading = re.fullmatch(r"\[([^\[\]]+)\]", text)
        if heading is not None:
            section = heading[1]
            continue
        key, equals, value = text.partition("=")
        if not equals or not section:
            why = "it is no `Setting=value`" if section else "it stands before the first [Section]"
            notes.append(Note("lost", text[:60], f"{why}: systemd leaves it out too", Origin(source.path, line)))
            continue
        settings.append(Setting(section, key.strip(), value.strip(), Origin(source.path, line)))
    return settings, tuple(text for text in comments if text), notes


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with a backslash at their end joined to the next; comment lines in between are left out."""
    held: list[str] = []
    first = 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if held and line.startswith(("#", ";")):
            continue
        if not held:
            first = number
        if line.endswith("\\") and not line.startswith(("#", ";")):
            held.append(line[:-1].rstrip())
            continue
        joined = " ".join([*held, line]).strip()
        held = []
        if joined:
            yield first, joined
    if held:
        yield first, " ".join(held)
