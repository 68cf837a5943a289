"""Parts of a log as they are told to who follows it. Used by `status.streams.runlog` and `.joblogs`. Reads files only.

A log is a file of bytes and is sent as text: what is not UTF-8 becomes U+FFFD, which people see; the bytes themselves
are had without following. Positions are offsets in the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from state.logs import Log

PIECE = 32 * 1024
"""Bytes told at once to one that is behind, or a line more."""
SEARCHED = 256 * 1024
"""Bytes looked through at once for lines that contain a text: half a millisecond when there are none."""
LONGEST = 32 * 1024
"""Bytes of a line, for who chooses lines: longer ones are taken as several, as what is held of a line is bounded."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is told of a part of a log."""

    data: bytes
    end: int
    """Where the part ends, and the next begins; where it began, when there is nothing whole yet."""
    lines: int
    """How many newlines are in the data."""

    @property
    def text(self) -> str:
        """The data, for people."""
        return self.data.decode("utf-8", "replace")


def piece_of(
    log: Log, start: int, end: int, *, all_there: bool, wanted: bytes | None = None, lines: int | None = None
) -> Piece:
    """The next part from `start` on, up to `end` at most (but for a hole, which is passed over whole).

    Args:
        all_there: at `end` ends a character and a line, or the log for ever.
        wanted: only whole lines that contain this.
        lines: at most so many.
    """
    data, stop, cut = _stretch(log, start, min(end, start + (PIECE if wanted is None else SEARCHED)))
    whole = cut or (all_there and stop == end)
    if wanted is not None:
        return _matching(data, start, stop, wanted, whole=whole, lines=lines)
    if not whole:
        data = data[: whole_characters(data)]
        stop = start + len(data)
    if lines is not None and (last := _end_of_lines(data, lines)) < len(data):
        data, stop = data[:last], start + last
    return Piece(data, stop, data.count(b"\n"))


def whole_characters(data: bytes) -> int:
    """How many of these bytes end before a UTF-8 character that is not complete yet."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            size = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
            return len(data) - back if size > back else len(data)
    return len(data)


def end_of_text(log: Log, size: int) -> int:
    """How much of the first `size` bytes ends before a character that is not complete yet."""
    last = b"".join(log.read(max(size - 4, 0), size))
    return size - (len(last) - whole_characters(last))


def end_of_line(log: Log, size: int, *, floor: int) -> int:
    """How much of the first `size` bytes ends before a line that is not complete yet; `floor` at least, which is also
    told when that line is longer than what is looked at."""
    begin = max(size - SEARCHED, floor)
    data, stop, cut = _stretch(log, begin, size)
    if cut:
        return max(min(stop, size), floor)
    return begin + data.rfind(b"\n") + 1 if b"\n" in data else floor


def start_of_last(log: Log, wanted: bytes, lines: int, *, floor: int, end: int) -> int:
    """Where the last `lines` lines begin that contain `wanted`; `end` when there are none, and nothing before `floor`
    is looked at."""
    found: deque[int] = deque(maxlen=lines)
    position = floor
    while position < end:
        data, stop, cut = _stretch(log, position, min(end, position + SEARCHED))
        if stop != position + len(data):
            found.extend([position] if wanted in data else [])
            position = stop
            continue
        last = 0
        for begin, last in _lines(data, whole=cut or stop == end):
            if wanted in data[begin:last].removesuffix(b"\n"):
                found.append(position + begin)
        if not last:
            break
        position += last
    return found[0] if found else end


def _stretch(log: Log, start: int, end: int) -> tuple[bytes, int, bool]:
    """The bytes from `start` on up to `end` or a hole, or the line that stands for a hole; where that ends; and whether
    no line goes on there, for it is a hole's edge."""
    while True:
        gap = log.gap()
        if gap is not None and gap.start <= start < gap.end:
            return gap.marker, gap.end, True
        cut = gap is not None and start < gap.start <= end
        data = b"".join(log.read(start, gap.start if cut and gap is not None else end))
        if log.gap() == gap:  # else a hole was made meanwhile, and what was read may be nothing
            return data, start + len(data), cut


def _lines(data: bytes, *, whole: bool) -> Iterator[tuple[int, int]]:
    """From where to where each line goes, the newline included; the last only if it has one, or all is `whole`."""
    position = 0
    while position < len(data):
        newline = data.find(b"\n", position, position + LONGEST)
        if newline >= 0:
            end = newline + 1
        elif len(data) - position >= LONGEST:
            end = position + whole_characters(data[position : position + LONGEST])
        elif whole:
            end = len(data)
        else:
            return
        yield position, end
        position = end


def _end_of_lines(data: bytes, lines: int) -> int:
    """Where the first `lines` lines end; the length when there are fewer."""
    position = 0
    for _ in range(lines):
        position = data.find(b"\n", position) + 1
        if not position:
            return len(data)
    return position


def _matching(data: bytes, start: int, stop: int, wanted: bytes, *, whole: bool, lines: int | None) -> Piece:
    """The whole lines with `wanted` in them. A line without its newline is told with one, as in an answer."""
    if stop != start + len(data):  # a hole's line
        return Piece(data if wanted in data[:-1] else b"", stop, 1 if wanted in data[:-1] else 0)
    found: list[bytes] = []
    position = size = 0
    for begin, position in _lines(data, whole=whole):
        line = data[begin:position].removesuffix(b"\n")
        if wanted in line:
            found.append(line + b"\n")
            size += len(line)
            if size >= PIECE or len(found) == lines:
                break
    return Piece(b"".join(found), start + position, len(found))
