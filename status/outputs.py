"""The files a run kept: listing them, what they are, and which bytes of one are asked for.

Called by the command line; HTTP can serve the same. Opens nothing: `state.runfiles` does, which follows no link and
blocks on no pipe.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from specs.frozen import frozen
from state.errors import InvalidQuery
from state.records import Run
from state.runfiles import OutputFile
from status.views import API_VERSION, View
from status.words.instants import rfc3339

CHUNK = 262_144
SNIFFED = 512
"""Bytes at the beginning of a file that tell text from other things, as `file` and browsers do."""

_TYPES = mimetypes.MimeTypes()
"""The types Python knows by itself: those of the machine's own lists would differ from machine to machine."""
_TYPES.add_type("application/yaml", ".yaml")
_TYPES.add_type("application/yaml", ".yml")
_TYPES.add_type("application/x-ndjson", ".jsonl")
_TYPES.add_type("text/markdown", ".md")
_TYPES.add_type("text/plain", ".log")
_TYPES.add_type("application/vnd.apache.parquet", ".parquet")
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz",
               "compress": "application/x-compress", "br": "application/x-brotli"}  # fmt: skip


@frozen
class Kept:
    """A file that a run kept."""

    run: Run
    file: OutputFile


def kept_of(run: Run, files: Iterable[OutputFile]) -> list[Kept]:
    """What a run kept, the newest file first; of the same age by name."""
    return [Kept(run, file) for file in sorted(files, key=lambda file: (-file.modified_at, file.path))]


def type_of(path: str, beginning: Callable[[], bytes | None]) -> str:
    """The media type, by the name's ending, else by its first bytes: `SNIFFED` of them, None when they cannot be read.

    Never more than a guess of the job's: who serves the file to a browser must not let it run as a page.
    """
    found, encoding = _TYPES.guess_type(f"x/{path}")
    if encoding is not None:
        return _COMPRESSED.get(encoding, "application/octet-stream")
    if found is not None:
        return found
    head = beginning()
    return "text/plain" if head is not None and _is_text(head) else "application/octet-stream"


def _is_text(head: bytes) -> bool:
    """UTF-8 without NUL; the last character may be cut."""
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end == len(head) and error.start > len(head) - 4 and len(head) == SNIFFED
    return True


def output_view(kept: Kept, media_type: str) -> View:
    """A kept file."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Output",
        "name": kept.file.path,
        "sizeBytes": kept.file.size,
        "type": media_type,
        "modifiedAt": rfc3339(kept.file.modified_at),
        "job": kept.run.identity,
        "run": kept.run.id,
        "runState": kept.run.state.value,
    }


@frozen
class Piece:
    """The part of a file that is asked for: bytes `first` to `last`, as RFC 9110 counts them, or lines at an end."""

    first: int | None = None
    last: int | None = None
    """Inclusive. Without `first`: so many bytes at the end."""
    head: int | None = None
    """Lines."""
    tail: int | None = None

    def bounds(self, size: int) -> tuple[int, int]:
        """Start and end (not included) of the bytes in a file of this size.

        Raises InvalidQuery: the range begins behind the end.
        """
        if self.first is None:
            return (0, size) if self.last is None else (max(size - self.last, 0), size)
        if self.first >= size and size > 0:
            raise InvalidQuery(f"byte {self.first} is behind the end", hint=f"the file has {size} bytes, from 0 on")
        return min(self.first, size), size if self.last is None else min(self.last + 1, size)


_RANGE = re.compile(r"(?:bytes=)?(\d{1,18})?-(\d{1,18})?", re.ASCII)


def read_range(text: str) -> Piece:
    """`0-99`, `100-`, `-500`: as in HTTP's `Range: bytes=...`. Raises InvalidQuery."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or found[0].endswith("=-") or (found[1] is None and found[2] is None):
        raise InvalidQuery(f"{text!r} is no range of bytes", hint="use FIRST-LAST, FIRST- or -COUNT, counted from 0")
    first, last = (None if each is None else int(each) for each in found.groups())
    if first is not None and last is not None and last < first:
        raise InvalidQuery(f"{text!r} ends before it begins", hint="FIRST-LAST counts from 0, both included")
    return Piece(first, last)


class KeptFile(Protocol):
    """A kept file, open for reading: here (`OpenFile`), or on a server."""

    @property
    def size(self) -> int:
        """Bytes, now."""

    def read(self, count: int, start: int) -> bytes:
        """At most `count` bytes from `start`; b"" behind the end."""

    def close(self) -> None:
        """Let go of it."""


class OpenFile:
    """A descriptor of `state.runfiles.open_output`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read(self, count: int, start: int) -> bytes:
        return os.pread(self._descriptor, count, start)

    def close(self) -> None:
        os.close(self._descriptor)


def read_piece(file: KeptFile, piece: Piece) -> Iterator[bytes]:
    """The bytes asked for, in pieces of at most 256 KiB; what grows ends at its size now. Closes the file.

    Raises InvalidQuery at once: the range begins behind the end.
    """
    try:
        start, end = piece.bounds(file.size)
        if piece.tail is not None:
            start = _start_of_tail(file, start, end, piece.tail)
    except BaseException:
        file.close()
        raise
    return _pieces(file, start, end, piece.head)


def _pieces(file: KeptFile, start: int, end: int, lines: int | None) -> Iterator[bytes]:
    try:
        data = _bytes(file, start, end)
        yield from data if lines is None else _head(data, lines)
    finally:
        file.close()


def _bytes(file: KeptFile, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        data = file.read(min(CHUNK, end - start), start)
        if not data:
            return  # it was cut meanwhile
        yield data
        start += len(data)


def _head(pieces: Iterator[bytes], lines: int) -> Iterator[bytes]:
    for data in pieces:
        if lines <= 0:
            return
        ends = [found.end() for found in re.finditer(b"\n", data)]
        if len(ends) >= lines:
            yield data[: ends[lines - 1]]
            return
        lines -= len(ends)
        yield data


def _start_of_tail(file: KeptFile, start: int, end: int, lines: int) -> int:
    """Where the last `lines` lines begin; read backwards, so a big file costs what is shown."""
    if lines == 0:
        return end
    position = end
    wanted = lines
    while position > start:
        size = min(CHUNK, position - start)
        data = file.read(size, position - size)
        at = len(data)
        while (at := data.rfind(b"\n", 0, at)) >= 0:
            if position - size + at + 1 == end:
                continue  # that of the last line itself
            wanted -= 1
            if wanted == 0:
                return position - size + at + 1
        position -= size
    return start
