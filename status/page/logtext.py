"""What a run wrote, as lines of a page: escaped, its colours as classes, its control characters shown. Pure.

A program writes to its log what it would write to a terminal. Colours and bold are kept (ECMA-48 "SGR"); whatever else
moves a terminal (cursor, title, links) is left out; after a carriage return only what was written last is shown, as a
terminal would. `static/logtext.js` does the same to what comes while the page is open: keep them alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from status.page.plain import ODD, picture

LONGEST = 4000
"""Characters of a line that are shown: minified JSON is one line of everything."""
_SEQUENCE = re.compile(
    "\x1b\\[([0-9;:]*)m"  # SGR
    "|\x1b\\[[0-?]*[ -/]*[@-~]"  # other control sequences: cursor, erase
    "|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?"  # operating system commands and other strings: titles, links
    "|\x1b[ -/]*[0-~]"
)
_FLAGS = {1: "b", 2: "dim", 3: "i", 4: "u", 7: "inv", 9: "del"}
_OFF = {22: ("b", "dim"), 23: ("i",), 24: ("u",), 27: ("inv",), 29: ("del",)}


class Look:
    """Colours and weight, as they stand after what was read: they go on into the next line."""

    def __init__(self) -> None:
        self.flags: set[str] = set()
        self.ink: str | None = None
        self.ground: str | None = None

    @property
    def classes(self) -> str:
        """`b c1 g4`: for `class`."""
        colours = [each for each in (self.ink, self.ground) if each is not None]
        return " ".join([*sorted(self.flags), *colours])

    def select(self, parameters: str) -> None:
        """Take over one SGR sequence."""
        numbers = [int(each) if each.isdigit() else 0 for each in re.split("[;:]", parameters[:200])]
        while numbers:
            number = numbers.pop(0)
            if number == 0:
                self.flags, self.ink, self.ground = set(), None, None
            elif number in _FLAGS:
                self.flags.add(_FLAGS[number])
            elif number in _OFF:
                self.flags -= set(_OFF[number])
            elif number in (38, 48):
                colour = _extended(numbers)
                if number == 38:
                    self.ink = colour and f"c{colour}"
                else:
                    self.ground = colour and f"g{colour}"
            elif 30 <= number <= 37 or 90 <= number <= 97:
                self.ink = f"c{number - 30 if number < 90 else number - 82}"
            elif 40 <= number <= 47 or 100 <= number <= 107:
                self.ground = f"g{number - 40 if number < 100 else number - 92}"
            elif number == 39:
                self.ink = None
            elif number == 49:
                self.ground = None


def _extended(numbers: list[int]) -> str | None:
    """One of the sixteen colours in place of one of 256, or of any; takes what it reads from `numbers`."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5:
        place = numbers.pop(0) if numbers else 0
        if place < 16:
            return str(place)
        if place >= 232:
            return "8" if place < 248 else "7"
        place -= 16
        rgb = [place // 36 * 51, place // 6 % 6 * 51, place % 6 * 51]
    elif kind == 2:
        rgb, numbers[:3] = [*numbers[:3], 0, 0, 0][:3], []
    else:
        return None
    bits = sum(1 << place for place, value in enumerate(rgb) if value >= 0.6 * max(max(rgb), 1) and max(rgb) > 60)
    bright = 8 if max(rgb) > 200 and bits not in (0, 7) else 0
    return str(bits + bright)


def lines_of_text(text: str, look: Look) -> Iterator[Markup]:
    """The lines of a piece of log, each as the inside of an element. A last line without its end counts."""
    if not text:
        return
    for line in text.removesuffix("\n").split("\n"):
        yield line_of(line, look)


def line_of(line: str, look: Look) -> Markup:
    """One line, without its line feed."""
    line = line.removesuffix("\r")
    if "\r" in line:
        line = next((part for part in reversed(line.split("\r")) if part), "")
    more = len(line) - LONGEST
    line = line[:LONGEST]
    parts: list[Markup] = []
    at = 0
    for found in _SEQUENCE.finditer(line):
        parts.append(_dressed(line[at : found.start()], look))
        if found[1] is not None:
            look.select(found[1])
        at = found.end()
    parts.append(_dressed(line[at:], look))
    if more > 0:
        parts.append(Markup('<span class="odd">[%s more characters]</span>') % f"{more:,}")
    return Markup("").join(parts)


def _dressed(text: str, look: Look) -> Markup:
    if not text:
        return Markup("")
    html = Markup("")
    at = 0
    for found in ODD.finditer(text):
        html += escape(text[at : found.start()]) + Markup('<span class="odd">%s</span>') % picture(found[0])
        at = found.end()
    html += escape(text[at:])
    classes = look.classes
    return Markup('<span class="%s">%s</span>') % (classes, html) if classes else html
