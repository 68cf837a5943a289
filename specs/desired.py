"""What the files say, after all of them were read: the hand-over from `specs` to the reconciler.

Built by `specs.source`, read by `reconciler`. Plain data: no models, no open files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import NamedTuple

from specs.diagnostic import Diagnostic
from specs.frozen import frozen


@frozen
class DesiredJob:
    """One valid document. `spec` is canonical JSON (defaults applied, keys sorted), so equal bytes mean equal jobs."""

    project: str
    name: str
    spec: bytes
    digest: str
    """sha256 of `spec`, 64 hex digits."""
    path: str
    """The file, relative to the specs root, `/` between folders; undecodable bytes as `\\xNN`."""
    line: int
    """First line of the document in the file, from 1."""

    @property
    def identity(self) -> str:
        return f"{self.project}/{self.name}"


@frozen
class DesiredDocument:
    """One valid document that is not a job: what jobs share."""

    kind: str
    """`Pool`, `Calendar` or `Notifier`."""
    name: str
    """Unique among its kind."""
    spec: bytes
    """Canonical JSON, as of a job."""
    digest: str
    """sha256 of `spec`, 64 hex digits."""
    path: str
    line: int

    @property
    def identity(self) -> str:
        """`Kind:name`, which no job's identity is."""
        return f"{self.kind}:{self.name}"


DIRTY = "-dirty"
"""Ends the revision of a job that the commit does not hold as it is, as `git describe --dirty` has it."""


@frozen
class Desired:
    """One complete, consistent look at the specs directory.

    `changed` names the identities whose entry in `jobs` or `invalid` differs from the previous look (all of them in
    the first), `gone` those that are no longer in any file. A reconcile costs as much as these two are long.
    """

    sequence: int
    """Counts looks, from 1."""
    scanned_at: int
    """When the look ended, microseconds since the epoch, UTC."""
    started_at: int
    """When it began: what was written before this instant is in it."""
    root: str
    """The directory looked at, resolved."""
    revision: str | None
    """Flux's form: `main@sha1:<40 hex>`, `sha1:<40 hex>` when detached; None outside git."""
    jobs: Mapping[str, DesiredJob]
    """All valid jobs by identity."""
    invalid: Mapping[str, tuple[Diagnostic, ...]]
    """Identities that a file names but does not define soundly (invalid, or defined twice)."""
    documents: Mapping[tuple[str, str], DesiredDocument] = field(default_factory=dict)
    """All valid pools and calendars by kind and name."""
    invalid_documents: frozenset[tuple[str, str]] = frozenset()
    """Those that a file names but does not define soundly, as `invalid`: their last good version goes on."""
    documents_changed: bool = False
    """Whether the two above differ from the previous look's; true in the first."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Every finding of every file, also of files whose identity cannot be read."""
    unreadable_paths: frozenset[str] = frozenset()
    """Files that could not be read or parsed at all: jobs last seen in them are not gone."""
    uncommitted: frozenset[str] = frozenset()
    """Identities that `revision` does not hold as they are: not committed yet, or git is about to move on."""
    changed: frozenset[str] = field(default_factory=frozenset)
    gone: frozenset[str] = field(default_factory=frozenset)
    files: int = 0
    """Spec files seen."""
    parsed: int = 0
    """Files parsed in this look: the cost of it."""
    problem: str | None = None
    """Why the root could not be looked at (missing, unreadable); then `jobs` repeats the last good look."""

    def revision_of(self, identity: str) -> str | None:
        """Where this job's spec comes from: the revision, marked when the commit does not hold the spec as it is."""
        if self.revision is None or identity not in self.uncommitted:
            return self.revision
        return self.revision + DIRTY


class CachedFile(NamedTuple):
    """What one spec file said when it was last read, so that it is not parsed again: one row of the file cache.

    A named tuple: a start makes 10,000, and a frozen dataclass sets each field by a call.
    """

    path: str
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str
    documents: bytes
    """What `specs.load` made of it, as JSON: canonical specs and findings."""
