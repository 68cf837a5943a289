"""The part of a log that the page of a run shows: its end, or around a place, a time, or the lines that hold a text.

Called by `status.page.run`. A giant log costs as much as what is shown of it; to find a text, so much is searched as
`status.lists.logs` searches. Offsets are bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from state.errors import NotFound
from state.logs import Log, lines_of
from status.lists.logs import MOST_SEARCHED
from status.page.logtext import Look, line_of, lines_of_text

WINDOW = 48 * 1024
"""Bytes shown at once: some 600 lines."""
LINES = 600
FOUND = 300
"""Lines that are listed of those that hold a text."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is shown of one stream."""

    stream: str
    size: int
    start: int
    end: int
    lines: Sequence[Markup]
    there: bool = True
    """False: there is no such log (yet)."""
    at_end: bool = True
    """Nothing more was written when it was read, but for a line that goes on: what comes belongs behind it."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Lines that hold a text."""

    stream: str
    lines: Sequence[tuple[int, Markup]]
    """Where each begins, and what it says."""
    complete: bool
    """All of them: neither the number nor what may be searched cut it."""


def window_of(
    directory: Path, stream: str, *, begin: int | None = None, until: int | None = None, grows: bool = False
) -> Window:
    """The end of a log; from about `begin` on; or what comes before about `until`.

    `grows`: its last line is left out as long as it has no end: it comes whole, with what is followed.
    """
    try:
        with Log(directory, stream) as log:
            return _window(log, stream, begin, until, grows)
    except NotFound:
        return Window(stream, 0, 0, 0, (), there=False)


def _window(log: Log, stream: str, begin: int | None, until: int | None, grows: bool) -> Window:
    size = log.size
    if begin is not None:
        start = _line_start(log, min(begin, size))
        end = min(start + WINDOW, size)
    else:
        end = size if until is None else min(max(until, 0), size)
        start = _line_start(log, max(end - WINDOW, 0))
        if until is None:
            start = log.tail_offset(LINES, floor=start)
    data, reached = log.piece(start, end)
    at_end = reached >= size
    if reached < size or (
        grows and not data.endswith(b"\n")
    ):  # not in the middle of a line, but for one that is longer than all of it
        whole = data.rfind(b"\n") + 1
        reached -= len(data) - whole if whole else 0
        data = data[:whole] if whole else data
    return Window(
        stream, size, start, reached, tuple(lines_of_text(data.decode("utf-8", "replace"), Look())), at_end=at_end
    )


def _line_start(log: Log, offset: int) -> int:
    """Where the line begins that holds `offset`; `offset` itself in a line that is too long."""
    floor = max(offset - WINDOW, 0)
    if offset <= 0:
        return 0
    before, _ = log.piece(floor, offset)
    found = before.rfind(b"\n")
    return offset if found < 0 and floor else offset - len(before) + found + 1 if found >= 0 else 0


def matches_of(directory: Path, stream: str, text: str) -> Matches:
    """The first lines that hold `text`."""
    wanted = text.encode("utf-8", "surrogateescape")
    found: list[tuple[int, Markup]] = []
    try:
        with Log(directory, stream) as log:
            at = 0
            for line in lines_of(log.read(0, MOST_SEARCHED)):
                if wanted in line:
                    if len(found) == FOUND:
                        return Matches(stream, found, False)
                    found.append((at, line_of(line.decode("utf-8", "replace").removesuffix("\n"), Look())))
                at += len(line)
            return Matches(stream, found, log.size <= MOST_SEARCHED)
    except NotFound:
        return Matches(stream, (), True)


def offset_at(directory: Path, stream: str, time: int) -> int:
    """Where what was written at `time` (µs) begins, or a little before; 0 where there is no log."""
    try:
        with Log(directory, stream) as log:
            return log.offset_since(time)
    except NotFound:
        return 0
