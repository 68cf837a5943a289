"""Reading what a run wrote: by offset, by time, the last lines, the lines that match, and as it grows.

The supervisor writes, for each stream (`output`, or `stdout` and `stderr` where the spec keeps them apart):
  <stream>.log   the bytes
  <stream>.idx   text lines "<µs> <size>\\n": how long the log was at that time
  <stream>.gap   text "<start> <end>\\n", when the middle was cut to keep the log within its limit: these bytes are a
                 hole in the file now, offsets around it stay what they were
Times are therefore answered as exactly as the log was sampled: a window begins and ends at samples, a little early and
a little late, with whole lines. Used by the command line and the status process; reads only, follows no links.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType

from specs.frozen import frozen
from state.errors import InvalidQuery, NotFound
from state.runfiles import STREAMS, open_plain

CHUNK = 262_144
"""Bytes per read: a page of a log is one system call, a big log does not fill the memory."""
MAX_LINE = 1_048_576
"""Longer lines are taken as several: a program may never end its line."""
SEARCHED = 16_384
"""Bytes at the beginning of a line that a pattern is tried on: bounds what a slow pattern can cost."""


@frozen
class Gap:
    """Bytes `start` up to `end` were cut out of the middle."""

    start: int
    end: int

    @property
    def marker(self) -> bytes:
        """The line shown in its place."""
        return b"[jobsctl: %s cut here]\n" % size_words(self.end - self.start).encode()


def size_words(size: int) -> str:
    """12.3 MiB."""
    if size < 1024:
        return f"{size} B"
    amount, unit = size / 1024, 0
    while amount >= 1024 and unit < 3:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[unit]}"


def streams(run_dir: Path) -> tuple[str, ...]:
    """The streams there are files of; () when nothing was captured (yet)."""
    return tuple(name for name in STREAMS if (run_dir / f"{name}.log").is_file())


class Log:
    """One stream of one run, open for reading. It may grow meanwhile. A context manager.

    Raises NotFound when the run has no such log.
    """

    def __init__(self, run_dir: Path, stream: str = "output") -> None:
        if stream not in STREAMS:
            raise InvalidQuery(f"no stream {stream!r}", hint="streams are output, or stdout and stderr")
        self._stem = run_dir / stream
        descriptor = open_plain(run_dir / f"{stream}.log")
        if descriptor is None:
            there = streams(run_dir)
            hint = f"it has {' and '.join(there)}" if there else "nothing was captured, or it was pruned"
            raise NotFound(f"{run_dir.name}: no log of stream {stream}", hint=hint)
        self._file = descriptor

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def size(self) -> int:
        """Bytes written so far, those that were cut included."""
        return os.fstat(self._file).st_size

    def gap(self) -> Gap | None:
        """What is cut out now."""
        data = _small(self._stem.with_suffix(".gap"))
        try:
            start, end = map(int, data.split(b"\n")[-2].split()) if data.endswith(b"\n") else map(int, data.split())
        except (ValueError, IndexError):
            return None
        return Gap(start, end) if 0 <= start < end else None

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `end` (default: what is there now), in pieces; a gap as its marker line."""
        end = self.size if end is None else min(end, self.size)
        position = max(start, 0)
        while position < end:
            data = os.pread(self._file, min(CHUNK, end - position), position)
            if not data:
                return
            # Looked at after the read: the supervisor notes a gap before it cuts.
            gap = self.gap()
            stop = position + len(data)
            if gap is None or gap.end <= position or gap.start >= stop:
                yield data
                position = stop
                continue
            if gap.start > position:
                yield data[: gap.start - position]
            yield gap.marker
            position = gap.end

    def piece(self, start: int, end: int | None = None) -> tuple[bytes, int]:
        """About a MiB at most from `start` on, up to `end` or what is there; and where the next piece begins."""
        end = self.size if end is None else min(end, self.size)
        stop = min(end, start + 4 * CHUNK)
        gap = self.gap()
        if gap is not None and gap.start <= start < gap.end:
            stop = max(stop, min(gap.end, end))
        data = b"".join(self.read(start, stop))
        position = max(start, stop)
        if gap is not None and gap.start < position < gap.end:
            position = gap.end
        return data, position

    def tail_offset(self, lines: int, *, floor: int = 0) -> int:
        """Where the last `lines` lines begin; a last line without newline counts, a gap counts as one line.

        Args:
            floor: nothing before it is looked at, and it is told when they begin before: a line may be as long as the
                disk.
        """
        if lines <= 0:
            return self.size
        position = end = self.size
        floor = max(floor, 0)
        gap = self.gap()
        wanted = lines
        while position > floor:
            if gap is not None and gap.start < position <= gap.end:
                wanted -= 1
                if wanted <= 0:
                    return max(gap.start, floor)
                position = gap.start
                # The text before the gap ends there, newline or not.
                end = position
                continue
            start = max(position - CHUNK, gap.end if gap is not None and position > gap.end else 0)
            data = os.pread(self._file, position - start, start)
            at = len(data) - (1 if position == end and data.endswith(b"\n") else 0)
            while (at := data.rfind(b"\n", 0, at)) >= 0:
                wanted -= 1
                if wanted == 0:
                    return max(start + at + 1, floor)
            position = start
            if gap is not None and position == gap.end:
                wanted -= 1
                if wanted == 0:
                    return position
        return floor

    def offset_since(self, time: int) -> int:
        """Where what was written at `time` (µs) or later begins, or a little before: a sample's place, a whole line."""
        before = 0
        for at, size in _samples_around(self._stem.with_suffix(".idx"), time):
            if at <= time:
                before = size
        return self._line_start(min(max(before, 0), self.size))

    def offset_until(self, time: int) -> int:
        """Where what was written up to `time` (µs) ends, or a little behind: a sample's place, a whole line."""
        for at, size in _samples_around(self._stem.with_suffix(".idx"), time):
            if at >= time:
                return self._line_end(min(max(size, 0), self.size))
        return self.size

    def _line_start(self, offset: int) -> int:
        start = max(offset - CHUNK, 0)
        data = os.pread(self._file, offset - start, start)
        return start + data.rfind(b"\n") + 1 if b"\n" in data else (0 if start == 0 else offset)

    def _line_end(self, offset: int) -> int:
        if offset == 0 or os.pread(self._file, 1, offset - 1) == b"\n":
            return offset
        data = os.pread(self._file, CHUNK, offset)
        return offset + data.index(b"\n") + 1 if b"\n" in data else offset + len(data)


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, newline included; the last may lack it."""
    rest = b""
    for piece in pieces:
        rest += piece
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line + b"\n"
        while len(rest) > MAX_LINE:
            yield rest[:MAX_LINE]
            rest = rest[MAX_LINE:]
    if rest:
        yield rest


def matching(pieces: Iterable[bytes], pattern: str) -> Iterator[bytes]:
    """The lines in which the regular expression is found. Raises InvalidQuery for what is none, at once.

    A pattern can be slow on purpose: offer it to the person at the terminal; over the network offer `containing`.
    """
    try:
        found = re.compile(pattern.encode("utf-8", "surrogateescape")).search
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidQuery(
            f"pattern {pattern!r}: {error}", hint="it is a regular expression as Python's `re`"
        ) from None
    return _filtered(pieces, lambda line: found(line, 0, SEARCHED) is not None)


def containing(pieces: Iterable[bytes], text: str) -> Iterator[bytes]:
    """The lines that contain the text."""
    wanted = text.encode("utf-8", "surrogateescape")
    return _filtered(pieces, lambda line: wanted in line)


def _filtered(pieces: Iterable[bytes], wanted: Callable[[bytes], bool]) -> Iterator[bytes]:
    for line in lines_of(pieces):
        if wanted(line.removesuffix(b"\n")):
            yield line if line.endswith(b"\n") else line + b"\n"


def _small(path: Path) -> bytes:
    descriptor = open_plain(path)
    if descriptor is None:
        return b""
    try:
        return os.pread(descriptor, 4096, 0)
    finally:
        os.close(descriptor)


def _samples_around(path: Path, time: int) -> Iterator[tuple[int, int]]:
    """The samples from the last one before `time` on: (µs, size). The index is searched, not read."""
    descriptor = open_plain(path)
    if descriptor is None:
        return
    with open(descriptor, "rb") as file:
        low, high = 0, os.fstat(descriptor).st_size
        # Halve until the block is small; invariant: the line that begins at or before `low` is before `time`.
        while high - low > 4096:
            middle = (low + high) // 2
            file.seek(middle)
            file.readline()
            sample = _sample(file.readline())
            if sample is not None and sample[0] < time:
                low = middle
            else:
                high = middle
        file.seek(low)
        if low:
            file.readline()
        for line in file:
            sample = _sample(line)
            if sample is None:
                continue
            yield sample
            if sample[0] > time:
                return


def _sample(line: bytes) -> tuple[int, int] | None:
    parts = line.split()
    # The last line may be half written.
    if not line.endswith(b"\n") or len(parts) != 2:
        return None
    try:
        return int(parts[0]), int(parts[1])
    except ValueError:
        return None
