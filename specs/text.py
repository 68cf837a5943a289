"""The text of one spec file: decoded and checked, and cut into lines for messages.

Called by `specs.document` and by everyone who makes a `Diagnostic` about a place in a file. Imports no parser.
"""

from __future__ import annotations

import re
from functools import cached_property

from specs.diagnostic import Diagnostic, InvalidSpec, Severity
from specs.frozen import frozen

MAX_FILE_BYTES = 256 * 1024
"""A spec is a page of text. What is larger is a mistake or an attack, and would hold the daemon's thread."""
LONGEST_SHOWN = 1000
"""Characters of a source line kept with a finding: minified JSON is one line of everything."""

_BREAK = re.compile(r"\r\n|\r|\n")
_PRINTABLE = bytes([9, 10, 13, *range(32, 127)])
# Control characters can drive a terminal; U+0085, U+2028 and U+2029 are line breaks to one parser and not to
# another; the bidirectional overrides make a reviewer see another text than the one that runs (CVE-2021-42574).
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""A character that no spec holds as it is: `decode` refuses it."""


@frozen
class Place:
    """A stretch of one line. Counts from 1, in characters; `end_column` is one past the last, None when unknown."""

    line: int
    column: int
    end_column: int | None = None


class Source:
    """One file's text, with its name."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return _BREAK.split(self.text)

    def line(self, number: int) -> str | None:
        """Line `number`, from 1; None past the end, or when it is too long to be kept."""
        if not 1 <= number <= len(self.lines):
            return None
        line = self.lines[number - 1]
        return line if len(line) <= LONGEST_SHOWN else None

    def place_of(self, index: int) -> Place:
        """Line and column of the character at `index`."""
        before = _BREAK.split(self.text[:index])
        return Place(len(before), len(before[-1]) + 1, len(before[-1]) + 2)

    def finding(
        self,
        code: str,
        message: str,
        place: Place,
        *,
        help: str | None = None,
        severity: Severity = Severity.ERROR,
        identity: str | None = None,
    ) -> Diagnostic:
        """A finding at `place` of this file. A place past the last line (an unfinished text) moves back to its end."""
        last = len(self.lines)
        if place.line > last or (place.line == last and last > 1 and not self.lines[-1]):
            while last > 1 and not self.lines[last - 1].strip():
                last -= 1
            place = Place(last, max(1, len(self.lines[last - 1].rstrip())))
        return Diagnostic(
            code=code,
            message=message,
            path=self.path,
            line=place.line,
            column=place.column,
            end_column=place.end_column,
            help=help,
            source_line=self.line(place.line),
            severity=severity,
            identity=identity,
        )


def decode(data: bytes, path: str) -> Source:
    """The text of a file. Raises `InvalidSpec` for one that is too large, not UTF-8, or holds what no text holds."""
    if len(data) > MAX_FILE_BYTES:
        raise InvalidSpec(
            (
                Diagnostic(
                    "JOB002",
                    f"the file is {len(data):,} bytes; a spec file has at most {MAX_FILE_BYTES:,}",
                    path,
                    help="split it into several files, or keep long scripts in files of their own and call them",
                ),
            )
        )
    if not data.translate(None, _PRINTABLE):
        return Source(data.decode("ascii"), path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidSpec((_not_utf8(data, error, path),)) from None
    text = text.removeprefix("\ufeff")
    found = FORBIDDEN.search(text)
    source = Source(text, path)
    if found is not None:
        raise InvalidSpec((_forbidden(source, found.start()),))
    return source


def _not_utf8(data: bytes, error: UnicodeDecodeError, path: str) -> Diagnostic:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        message, advice = "the file is in UTF-16; a spec is in UTF-8", "save it as UTF-8"
    else:
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        advice = "save the file as UTF-8"
    source = Source(data.decode("utf-8", errors="replace"), path)
    place = Source(data[: error.start].decode("utf-8"), path).place_of(error.start)
    return source.finding("JOB003", message, place, help=advice)


def _forbidden(source: Source, index: int) -> Diagnostic:
    code = ord(source.text[index])
    kind = "control character" if code < 0xA0 else "invisible character"
    return source.finding(
        "JOB004",
        f"{kind} U+{code:04X} in the file",
        source.place_of(index),
        help=f'remove it, or write it as "\\u{code:04x}" within double quotes' if code else "remove it",
    )
