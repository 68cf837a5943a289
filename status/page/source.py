"""The page `/source`: what is applied, and what is not and why, with the very line. Called by `status.page.pages`."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from status.page.visit import Visit
from status.words.instants import SECOND

TAB = 4
WIDTH = 160
"""Characters of a line that are shown; of a longer one the part around the finding."""
LEAD = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, as it is shown."""

    place: str
    code: str
    severity: str
    message: str
    help: str
    identity: str | None
    """Of the job a good version of which runs on."""
    line: int
    before: str
    """The source line up to the finding, what it is about, and what follows; all empty when there is no line."""
    there: str
    behind: str

    @property
    def caret(self) -> str:
        """What stands under the line: `    ^^^^`."""
        return " " * columns(self.before) + "^" * max(columns(self.there), 1)


def source_page(visit: Visit) -> str:
    """The page.

    Raises:
        Forbidden: who may see one project only.
    """
    visit.require_all_projects("the source")
    visit.require_loaded()
    source = visit.picture.source
    beat = visit.facts.heartbeat
    looked = beat.number("scan", "at") if beat is not None else None
    took = beat.number("scan", "seconds") if beat is not None else None
    findings = [] if source is None else [finding_of(each, visit) for each in source.diagnostics]
    return visit.render(
        "source.html",
        title="Source",
        current="source",
        refresh=30,
        source=source,
        looked=None if looked is None else round(looked),
        took=took,
        watcher=_watcher(visit),
        errors=[each for each in findings if each.severity == "error"],
        warnings=[each for each in findings if each.severity != "error"],
        documents=visit.reader.documents(),
        stale=looked is not None and visit.now - looked > 300 * SECOND,
    )


def _watcher(visit: Visit) -> str | None:
    """Why changes are found by looking from time to time only; None when the watcher is up, or not known."""
    beat = visit.facts.heartbeat
    if beat is None or beat.number("watch", "up") != 0:
        return None
    return beat.text("watch", "error") or "the watcher of the files is down"


def finding_of(raw: Mapping[str, Any], visit: Visit) -> Finding:
    """A stored finding (fields of `specs.diagnostic.Diagnostic`)."""
    line, column = int(raw.get("line") or 1), int(raw.get("column") or 1)
    before, there, behind = split_line(raw.get("source_line"), column, raw.get("end_column"))
    identity = raw.get("identity")
    return Finding(
        place=f"{raw.get('path')}:{line}:{column}",
        code=str(raw.get("code") or ""),
        severity=str(raw.get("severity") or "error"),
        message=str(raw.get("message") or ""),
        help=str(raw.get("help") or ""),
        identity=identity if identity in visit.picture.entries else None,
        line=line,
        before=before,
        there=there,
        behind=behind,
    )


def split_line(text: object, column: int, end_column: object) -> tuple[str, str, str]:
    """A source line before, at and behind a place: tabs opened, what acts or cannot be seen made visible, and cut to
    what is around the place when it is long.

    Args:
        column: from 1, in characters; `end_column` is one past the last, None when only the start is known.
    """
    if not isinstance(text, str):
        return "", "", ""
    begin = min(max(column - 1, 0), len(text))
    end = end_column - 1 if isinstance(end_column, int) and end_column > column else begin + 1
    end = min(max(end, begin), len(text))
    before, there, behind = (visible(part) for part in (text[:begin], text[begin:end], text[end:]))
    if len(before) > LEAD and len(before) + len(there) + len(behind) > WIDTH:
        before = "…" + before[-LEAD:]
    there = there if len(there) <= WIDTH - LEAD else there[: WIDTH - LEAD] + "…"
    room = max(WIDTH - len(before) - len(there), 0)
    return before, there, behind if len(behind) <= room else behind[:room] + "…"


def visible(text: str) -> str:
    """Tabs as blanks, control characters as their pictures, invisible ones as U+FFFD: they come from anybody's file."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    code = ord(character)
    if character == "\t":
        return " " * TAB
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0x80 <= code < 0xA0 or unicodedata.category(character) in ("Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return "\ufffd"
    return character


def columns(text: str) -> int:
    """How wide a text is in a font of one width."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )
