"""Findings as text: as a modern compiler prints them, one per line, as JSON, or as annotations of a code host.

Called by the command line. Every character that could drive a terminal is made visible first: messages and source
lines come from files that anybody may have written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Literal

import orjson

from specs.diagnostic import Diagnostic, Severity

Format = Literal["full", "concise", "json", "github"]

TAB = 4
WIDTH = 140
"""Columns of a source line that are shown; of a longer one the part around the finding."""
_BOLD, _RED, _YELLOW, _BLUE, _CYAN, _PLAIN = (
    "\x1b[1m",
    "\x1b[1;31m",
    "\x1b[1;33m",
    "\x1b[1;34m",
    "\x1b[1;36m",
    "\x1b[0m",
)


def render(diagnostics: Iterable[Diagnostic], format: Format = "full", color: bool = False) -> str:
    """The findings as one text that ends with a line break, or `""` when there are none (`[]` in JSON)."""
    found = list(diagnostics)
    if format == "json":
        return orjson.dumps([as_dict(each) for each in found], option=orjson.OPT_INDENT_2).decode() + "\n"
    one: dict[str, Callable[[Diagnostic], str]] = {
        "full": lambda each: _full(each, color),
        "concise": lambda each: _headline(each, color) + "\n",
        "github": _github,
    }
    separator = "\n" if format == "full" else ""
    return separator.join(map(one[format], found))


def as_dict(diagnostic: Diagnostic) -> dict[str, object]:
    """A finding as JSON has it. Keys as code hosts and editors name them."""
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "path": diagnostic.path,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "endColumn": diagnostic.end_column,
        "help": diagnostic.help,
        "sourceLine": diagnostic.source_line,
        "job": diagnostic.identity,
    }


def visible(text: str) -> str:
    """`text` without characters that act: control characters as their pictures, invisible ones as U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def width(text: str) -> int:
    """Columns of a terminal that `text` takes. A tab takes `TAB`."""
    return sum(map(_width, text))


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0x80 <= code < 0xA0 or unicodedata.category(character) in ("Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return "\ufffd"
    return character


def _width(character: str) -> int:
    if character == "\t":
        return TAB
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _headline(diagnostic: Diagnostic, color: bool) -> str:
    place = f"{visible(diagnostic.path)}:{diagnostic.line}:{diagnostic.column}:"
    kind = f"{diagnostic.severity}[{diagnostic.code}]"
    message = visible(diagnostic.message)
    if not color:
        return f"{place} {kind}: {message}"
    tone = _RED if diagnostic.severity is Severity.ERROR else _YELLOW
    return f"{_BOLD}{place}{_PLAIN} {tone}{kind}{_PLAIN}{_BOLD}: {message}{_PLAIN}"


def _full(diagnostic: Diagnostic, color: bool) -> str:
    edge, tone, note, plain = (_BLUE, _RED, _CYAN, _PLAIN) if color else ("", "", "", "")
    if color and diagnostic.severity is Severity.WARNING:
        tone = _YELLOW
    number = str(diagnostic.line)
    gutter = " " * len(number)
    lines = [_headline(diagnostic, color)]
    if diagnostic.source_line is not None:
        shown, offset, length = _window(diagnostic)
        lines += [
            f"{edge}{gutter} |{plain}",
            f"{edge}{number} |{plain} {shown}".rstrip(),
            f"{edge}{gutter} |{plain} {' ' * offset}{tone}{'^' * length}{plain}",
        ]
    if diagnostic.help:
        lines.append(f"{edge}{gutter} ={plain} {note}help:{plain} {visible(diagnostic.help)}")
    return "\n".join(lines) + "\n"


def _window(diagnostic: Diagnostic) -> tuple[str, int, int]:
    """`(the line as shown, columns before the caret, carets)`."""
    line = diagnostic.source_line or ""
    start = min(diagnostic.column - 1, len(line))
    end = start + 1 if diagnostic.end_column is None else max(start + 1, min(diagnostic.end_column - 1, len(line)))
    mark = ""
    if width(line) > WIDTH and start > WIDTH // 2:
        cut = start - WIDTH // 4
        line, start, end, mark = line[cut:], start - cut, end - cut, "…"
    before, under, after = line[:start], line[start:end], line[end:]
    room = max(8, WIDTH - width(before))
    if width(under + after) > room:
        under, after = under[:room], after[: max(0, room - len(under))] + "…"
    shown = mark + "".join(" " * TAB if c == "\t" else _visible(c) for c in before + under + after)
    return shown, len(mark) + width(before), max(1, width(under))


def _github(diagnostic: Diagnostic) -> str:
    fields = {
        "file": diagnostic.path,
        "line": str(diagnostic.line),
        "col": str(diagnostic.column),
        "endColumn": None if diagnostic.end_column is None else str(diagnostic.end_column),
        "title": diagnostic.code,
    }
    given = ",".join(f"{name}={_property(text)}" for name, text in fields.items() if text is not None)
    text = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    return f"::{diagnostic.severity} {given}::{_data(text)}\n"


def _data(text: str) -> str:
    """Escapes of a workflow command's message; without them a message could be a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
