"""From a concern to a finding: its place in the file, and the line as it may be shown. Called by `specs.lint`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from specs.diagnostic import Diagnostic, Severity
from specs.document import Document, Loc
from specs.lint.concern import Concern
from specs.text import Place

SECRET = "JOB074"


def diagnostic_of(concern: Concern, document: Document, identity: str) -> Diagnostic:
    """The finding for a concern about the job of this document."""
    loc = next((loc for loc in concern.places if _own(document, loc)), concern.places[0])
    found = document.finding(
        concern.code,
        concern.message,
        loc,
        span=concern.span,
        help=concern.help,
        severity=Severity.WARNING,
        identity=identity,
    )
    if concern.span is not None and found.path == document.source.path:
        value, marks, _ = document.resolve(loc)
        place = _in_block(document, value, marks, concern.span)
        if place is not None:
            line, column, end = place.line, place.column, place.end_column
            shown = document.source.line(line)
            found = replace(found, line=line, column=column, end_column=end, source_line=shown)
    return found


def hide(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings with stars in their lines wherever one of them says that a secret is."""
    found = list(findings)
    secret: dict[tuple[str, int], list[tuple[int, int | None]]] = {}
    for each in found:
        if each.code == SECRET and not _is_key(each):
            secret.setdefault((each.path, each.line), []).append((each.column - 1, each.end_column))
    return [_starred(each, secret.get((each.path, each.line), [])) for each in found] if secret else found


def _starred(finding: Diagnostic, spans: list[tuple[int, int | None]]) -> Diagnostic:
    line = finding.source_line
    if line is None or not spans:
        return finding
    for start, end_column in spans:
        end = len(line) if end_column is None else min(end_column - 1, len(line))
        if start < end:
            line = line[:start] + "*" * (end - start) + line[end:]
    return replace(finding, source_line=line)


def _is_key(finding: Diagnostic) -> bool:
    """Whether the place is the key of a text in a block, which stands in the lines below it."""
    line, end = finding.source_line, finding.end_column
    return line is not None and end is not None and line[end - 1 :].lstrip(" '\"").startswith(":")


def _own(document: Document, loc: Loc) -> bool:
    value: Any = document.given
    for part in loc:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _in_block(document: Document, value: Any, marks: Any, span: tuple[int, int]) -> Place | None:
    """Where the characters `span` of a text stand that is written as a block (`|`); None for other texts."""
    if not isinstance(value, str) or isinstance(marks, tuple) or getattr(marks, "style", None) != "|":
        return None
    before = value[: span[0]]
    row, column = before.count("\n"), span[0] - (before.rfind("\n") + 1)
    text = value.split("\n")[row]
    number = int(marks.start_mark.line) + 2 + row
    line = document.source.line(number)
    if line is None or not line.endswith(text):
        return None
    first = len(line) - len(text) + column + 1
    return Place(number, first, min(first + span[1] - span[0], len(line) + 1))
