"""Text that cannot drive a terminal: names, messages and log lines come from spec files and from programs.

A control character could move the cursor, change the window's title or, in some terminals, type a command; the
characters that reverse the direction of text can make a line look like another one.
"""

from __future__ import annotations

import re

_TRICKY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""C0 but tab and line feed, DEL, C1 (one of them is CSI), line separators, bidirectional overrides and isolates."""


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible(text: str) -> str:
    """`text` with every control character but tab and line feed written out, as `\\x1b`."""
    return _TRICKY.sub(_escape, text)


def one_line(text: str) -> str:
    """`visible`, and line feeds and tabs written out too: for a cell of a table or a line of a list."""
    if text.isprintable():  # nearly every one; none of those characters is
        return text
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def safe_json(text: str) -> str:
    """JSON text with the characters that JSON itself leaves alone escaped as `\\u009b`: it stays the same JSON."""
    if text.isascii() and "\x7f" not in text:  # nearly always; of ASCII, JSON leaves only this one alone
        return text
    return _TRICKY.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


LONGEST = 2000
"""Characters of a message."""


def shortened(text: str) -> str:
    """`text`, the middle left out where it is so long that nobody would read it."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]} ... ({len(text) - 2 * half} characters) ... {text[-half:]}"


class VisibleBytes:
    """Bytes of a log, made fit for a terminal piece by piece: a character may be cut between two pieces."""

    def __init__(self) -> None:
        import codecs

        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._held = ""

    def feed(self, piece: bytes, *, final: bool = False) -> str:
        """The text to print for `piece`. A carriage return before a line feed is dropped, others are written out."""
        text = self._held + self._decoder.decode(piece, final)
        # Whether a line feed follows is only known with the next piece.
        self._held = "\r" if text.endswith("\r") and not final else ""
        return visible(text.removesuffix(self._held).replace("\r\n", "\n"))
