"""Findings for people: as a modern compiler prints them, with the line and a caret; or one line each.

Every character that could drive a terminal is made visible first: messages and source lines come from files that
anybody may have written. Read through `specs.render`.
"""

from __future__ import annotations

import unicodedata

from specs.diagnostic import Diagnostic, Severity

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


def full(diagnostics: list[Diagnostic], color: bool) -> str:
    """Headline, source line, caret, help; an empty line between two."""
    return "\n".join(_full(each, color) for each in diagnostics)


def concise(diagnostics: list[Diagnostic], color: bool) -> str:
    """Headlines: `jobs/a.yaml:7:13: error[JOB030]: unknown key`."""
    return "".join(_headline(each, color) + "\n" for each in diagnostics)


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
