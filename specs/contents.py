"""What files given by content say together, as a specs directory with these files would say it.

Called by the command line for what is not on the disk: a specs directory as a commit has it. Opens nothing. The rules
are those of `specs.source`: which files count, what their folders give to their jobs, two files with one identity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from specs.defaults import DefaultsTree, with_defaults
from specs.desired import Desired, DesiredDocument
from specs.diagnostic import InvalidSpec
from specs.document import Document, read_documents
from specs.load import MAYBE_DEFAULTS, identity_of, load_bytes
from specs.scan import MAX_FOLDERS_DEEP, SUFFIXES, shown
from specs.snapshot import NEVER, FilePart, Snapshot, part_of
from specs.text import decode


def is_spec(path: str) -> bool:
    """Whether a file at this place below the root is read: not when it, or a folder above it, begins with a dot."""
    parts = path.split("/")
    hidden = any(part.startswith(".") for part in parts)
    return path.endswith(SUFFIXES) and not hidden and len(parts) <= MAX_FOLDERS_DEEP + 1


class Contents:
    """One set of files, read once."""

    def __init__(
        self, files: Mapping[str, bytes], *, default_timezone: str = "UTC", known: Mapping[str, FilePart] | None = None
    ) -> None:
        """
        Args:
            files: by path below the root, `/` between folders.
            known: what files with the same content, place and defaults are known to say: they are not parsed again.
        """
        self._files = {shown(path): data for path, data in files.items()}
        self._timezone = default_timezone
        self._tree = DefaultsTree()
        self._given: dict[str, DesiredDocument] = {}
        for path, data in self._files.items():
            if MAYBE_DEFAULTS in data or b"\\" in data:  # an escape can hide the word
                self._take_defaults(path, data)
        self._snapshot = Snapshot(self._document_of)
        self._snapshot.put({path: self._part(path, data, known or {}) for path, data in self._files.items()})

    @property
    def defaults(self) -> Mapping[str, DesiredDocument]:
        """The sound `Defaults` documents by path."""
        return self._given

    def desired(self, *, root: str, revision: str | None, now: int) -> Desired:
        """All that they say. `root` and `revision` are for who reads it."""
        snapshot = self._snapshot
        return Desired(
            sequence=1,
            scanned_at=now,
            started_at=now,
            root=root,
            revision=revision,
            jobs=snapshot.jobs,
            invalid=snapshot.invalid,
            documents=snapshot.documents,
            invalid_documents=frozenset(snapshot.invalid_documents),
            documents_changed=True,
            diagnostics=snapshot.findings(self._tree.rival_findings(self._read)),
            unreadable_paths=frozenset(snapshot.unreadable),
            changed=frozenset(snapshot.jobs) | frozenset(snapshot.invalid),
            files=len(self._files),
            parsed=len(self._files),
        )

    def _take_defaults(self, path: str, data: bytes) -> None:
        found = load_bytes(data, path, default_timezone=self._timezone)
        if found.defaults is not None or found.defaults_broken:
            self._tree.put(path, found.defaults, broken=found.defaults_broken)
        if found.defaults is not None:
            self._given[path] = found.defaults

    def _part(self, path: str, data: bytes, known: Mapping[str, FilePart]) -> FilePart:
        digest, inherited = hashlib.sha256(data).digest(), self._tree.of(path)
        part = known.get(path)
        if part is not None and part.digest == digest and (part.inherits == inherited.key or not part.has_jobs()):
            return part
        result = load_bytes(data, path, default_timezone=self._timezone, inherited=inherited, read=self._read)
        return part_of(result, NEVER, digest, None, inherited.key)

    def _document_of(self, path: str, identity: str) -> Document | None:
        documents = (with_defaults(each, self._tree.of(path), self._read) for each in self._read(path))
        return next((each for each in documents if identity_of(each.value) == identity), None)

    def _read(self, path: str) -> list[Document]:
        try:
            return read_documents(decode(self._files[path], path))[0]
        except (KeyError, InvalidSpec):
            return []
