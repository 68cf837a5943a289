"""One file, read as the daemon would read it at its place in a specs directory: with what its folders give its jobs.

Used by the command line for files that are given by name. Looks at the folders above the file only; what its jobs name
in other files is checked against names that the caller gives.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from specs.defaults import DefaultsTree, with_defaults
from specs.desired import DesiredDocument
from specs.diagnostic import Diagnostic, InvalidSpec
from specs.document import Document, read_documents
from specs.load import FileResult, identity_of, load_bytes
from specs.references import References
from specs.scan import SUFFIXES
from specs.text import MAX_FILE_BYTES, decode


class Placed:
    """A file with this content, at a place below a specs directory."""

    def __init__(
        self, root: Path, path: str, data: bytes, *, default_timezone: str = "UTC", shown: Callable[[str], str] = str
    ) -> None:
        """
        Args:
            root: the specs directory.
            path: the file's place in it, with `/` between folders. The file need not be there.
            shown: how a path below the root is called in findings.
        """
        self.path = path
        self._root = root
        self._data = data
        self._shown = shown
        tree = DefaultsTree()
        for place in _beside_and_above(root, path):
            _take(tree, place, load_bytes(_content(root / place), place, default_timezone=default_timezone))
        _take(tree, path, load_bytes(data, path, default_timezone=default_timezone))
        self._inherited = tree.of(path)
        self.result = load_bytes(
            data, shown(path), default_timezone=default_timezone, inherited=self._inherited, read=self._read
        )
        """What the file says."""

    def missing(self, names: Collection[str]) -> dict[str, tuple[Diagnostic, ...]]:
        """By job, what it names that is not among `names`, the identities of all files."""
        links = {
            identity: tuple(link for link in found if link.kind != "rename" and link.target not in names)
            for identity, found in self.result.links.items()
        }
        lines = {job.identity: (self._shown(self.path), job.line) for job in self.result.jobs}
        references = References(dict.fromkeys(names), lines.get, lambda _, identity: self.document_of(identity))
        references.update(links, links)
        return references.errors

    def document_at(self, resource: DesiredDocument) -> Document | None:
        """The document in this file of what is no job."""
        return next((each for each in self._read(self.path) if each.line == resource.line), None)

    def document_of(self, identity: str) -> Document | None:
        """The document that defines a job, with what its folders give it; None when there is none."""
        documents = (with_defaults(each, self._inherited, self._read) for each in self._read(self.path))
        return next((each for each in documents if identity_of(each.value) == identity), None)

    def _read(self, place: str) -> list[Document]:
        try:
            content = self._data if place == self.path else (self._root / place).read_bytes()
            return read_documents(decode(content, self._shown(place)))[0]
        except (OSError, InvalidSpec):
            return []


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
