"""One file, read as the daemon would read it at its place in a specs directory: with what its folders give its jobs.

Used by the command line for files that are given by name. Looks at the folders above the file only; what jobs name in
other files is not checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from specs.defaults import DefaultsTree
from specs.diagnostic import InvalidSpec
from specs.document import Document, read_documents
from specs.load import FileResult, load_bytes
from specs.scan import SUFFIXES
from specs.text import MAX_FILE_BYTES, decode


def load_placed(
    root: Path, path: str, data: bytes, *, default_timezone: str = "UTC", shown: Callable[[str], str] = str
) -> FileResult:
    """What the file says whose content is `data` and whose place is `path`, below the specs directory `root`.

    Args:
        path: with `/` between folders. The file need not be there.
        shown: how a path below the root is called in findings.
    """
    tree = DefaultsTree()

    def read(place: str) -> list[Document]:
        try:
            content = data if place == path else (root / place).read_bytes()
            return read_documents(decode(content, shown(place)))[0]
        except (OSError, InvalidSpec):
            return []

    for place in _beside_and_above(root, path):
        _take(tree, place, load_bytes(_content(root / place), place, default_timezone=default_timezone))
    _take(tree, path, load_bytes(data, path, default_timezone=default_timezone))
    return load_bytes(data, shown(path), default_timezone=default_timezone, inherited=tree.of(path), read=read)


def _take(tree: DefaultsTree, path: str, found: FileResult) -> None:
    if found.defaults is not None or found.defaults_broken:
        tree.put(path, found.defaults, broken=found.defaults_broken)


def _beside_and_above(root: Path, path: str) -> Iterator[str]:
    """The files that may hold defaults for the jobs of this one."""
    folders = path.split("/")[:-1]
    for depth in range(len(folders) + 1):
        folder = "/".join(folders[:depth])
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            place = f"{folder}/{entry.name}" if folder else entry.name
            named = entry.name.endswith(SUFFIXES) and not entry.name.startswith(".")
            if named and place != path and entry.is_file(follow_symlinks=False) and _may_give(_content(root / place)):
                yield place


def _may_give(content: bytes) -> bool:
    return b"Defaults" in content or b"\\" in content  # an escape can hide the word


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError:
        return b""
