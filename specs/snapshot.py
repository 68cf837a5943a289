"""What all files say together: every file's part, and from these what each identity is.

Used by `specs.source`, one object for the life of a process, in one thread. A change of one file costs as much as that
file defines. Touches no file: `specs.source` brings what was read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from sys import intern
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from specs.desired import CachedFile, DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic, Severity
from specs.links import Link
from specs.load import FileResult, duplicate
from specs.references import DocumentOf, References
from specs.resources import names_resource
from specs.scan import StatKey

NEVER: StatKey = (0, -1, -1, -1)
"""A key that no file has: the file is read again at the next look (git's smudged index entry)."""


_NONE: Mapping[str, tuple[Diagnostic, ...]] = MappingProxyType({})
"""Shared: nearly every file has no errors, and an empty dict of its own takes 64 bytes."""


_NO_LINKS: Mapping[str, tuple[Link, ...]] = MappingProxyType({})


class FilePart(NamedTuple):
    """What one file says, and how to know that it still says so.

    A named tuple: a start makes 10,000, and a frozen dataclass sets each field by a call.
    """

    key: StatKey
    digest: bytes
    """sha256 of the content; empty when it could not be read."""
    jobs: tuple[DesiredJob, ...] = ()
    invalid: Mapping[str, tuple[Diagnostic, ...]] = _NONE
    findings: tuple[Diagnostic, ...] = ()
    unreadable: bool = False
    held: frozenset[str] = frozenset()
    """Identities it defined when it was last understood and that cannot be seen now. They are not gone."""
    documents: tuple[DesiredDocument, ...] = ()
    """Its pools and calendars. Their identities are in `invalid` and `held` too, as `Kind:name`."""
    links: Mapping[str, tuple[Link, ...]] = _NO_LINKS
    """What its sound jobs name, of those that name anything."""
    defaults: DesiredDocument | None = None
    """What it gives to the jobs of its folder and below, as it was when it was sound last."""
    broken: bool = False
    """Whether its defaults are not sound now."""
    inherits: str = ""
    """`Inherited.key` of what its own jobs were given."""

    def identities(self) -> Iterable[str]:
        """Everything it defines, badly defines, or holds."""
        yield from (job.identity for job in self.jobs)
        yield from (document.identity for document in self.documents)
        yield from self.invalid
        yield from self.held

    def has_jobs(self) -> bool:
        """Whether it may define jobs: then it is read again when its folder gives them something else."""
        return bool(self.jobs or self.invalid or self.unreadable)

    def only_job(self) -> DesiredJob | None:
        """Its job, when it defines one and there is nothing else to say: nearly every file."""
        if len(self.jobs) == 1 and not (
            self.invalid or self.findings or self.held or self.unreadable or self.documents or self.links
        ):
            return self.jobs[0]
        return None

    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


def part_of(result: FileResult, key: StatKey, digest: bytes, before: FilePart | None, inherits: str = "") -> FilePart:
    """A file's new part. A mistake that hides a name does not take away what the file defined `before`."""
    invalid = {**result.invalid, **result.invalid_documents} or _NONE
    seen = {job.identity for job in result.jobs} | {each.identity for each in result.documents} | set(invalid)
    held = frozenset(before.identities()) - seen if before is not None and result.unreadable else frozenset()
    links = result.links or _NO_LINKS
    part = FilePart(
        key, digest, result.jobs, invalid, result.diagnostics, result.unreadable, held, result.documents, links
    )
    part = part._replace(inherits=inherits) if inherits and part.has_jobs() else part
    kept, broken = result.defaults, result.defaults_broken
    if kept is None and before is not None and (broken or result.unreadable):
        kept = before.defaults
        broken = kept is not None or before.broken or result.has_defaults
    return part._replace(defaults=kept, broken=broken) if kept is not None or broken else part


class Changes(NamedTuple):
    """What a change of files did to the whole."""

    changed: set[str]
    """Identities of jobs that are another job now, or have other errors."""
    gone: set[str]
    """Identities of jobs that are in no file any more."""
    documents: bool
    """Whether a pool or calendar became another, came or went."""


class Snapshot:
    """All parts, and the resolved identities."""

    def __init__(self, document_of: DocumentOf) -> None:
        """`document_of(path, identity)`: the document as the file has it now. Places are not kept in memory."""
        self.parts: dict[str, FilePart] = {}
        self.jobs: dict[str, DesiredJob] = {}
        self.invalid: dict[str, tuple[Diagnostic, ...]] = {}
        self.documents: dict[tuple[str, str], DesiredDocument] = {}
        self.invalid_documents: set[tuple[str, str]] = set()
        self.unreadable: set[str] = set()
        self.inheriting: set[str] = set()
        """Paths of parts whose jobs were given something by their folder."""
        self._document_of = document_of
        self._doubles: dict[str, tuple[Diagnostic, ...]] = {}
        self._owners: dict[str, str | tuple[str, ...]] = {}
        self._references = References(self._owners, self._where, document_of)
        self._told: set[str] = set()
        """Paths whose part has findings."""

    def put(self, changes: Mapping[str, FilePart | None]) -> Changes:
        """Replace the parts of these paths (None: the file is gone)."""
        affected: set[str] = set()
        changed: set[str] = set()
        for path, part in changes.items():
            before = self.parts.get(path)
            if part is before and part is not None:
                continue  # read again, and the same: its time stamps prove more now
            if part is not None and part.inherits:
                self.inheriting.add(path)
            elif self.inheriting:
                self.inheriting.discard(path)
            job = part.only_job() if part is not None and before is None else None
            if part is not None and job is not None and (identity := job.identity) not in self._owners:
                # A new file with a new job, as 10,000 are at a start: nothing to take back or to compare.
                self.parts[path] = part
                self._owners[identity] = path
                self.jobs[identity] = job
                changed.add(identity)
                if identity in self._references.wanted:
                    affected.add(identity)
                continue
            names = set(before.identities()) if before is not None else set()
            if before is not None:
                self._disown(path, names)
            if part is None:
                self.parts.pop(path, None)
                self.unreadable.discard(path)
                self._told.discard(path)
            else:
                self.parts[path] = part
                self._own(path, part)
                names.update(part.identities())
            affected |= names
        gone: set[str] = set()
        documents_changed = False
        links = {identity: self._links(identity) for identity in affected if not names_resource(identity)}
        for identity in affected | self._references.update(links, affected):
            if names_resource(identity):
                documents_changed |= self._resolve_resource(identity)
            elif self._resolve(identity):
                (changed if identity in self.jobs or identity in self.invalid else gone).add(identity)
        return Changes(changed, gone, documents_changed)

    def tell_again(self) -> None:
        """Make anew what was found over all files: with the exact places, when the files could not be read before."""
        for identity in (*self._doubles, *self._references.tell_again()):
            (self._resolve_resource if names_resource(identity) else self._resolve)(identity)

    def findings(self, notes: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """Every finding of every file, with `notes`, in the order of paths and lines."""
        found = [finding for path in self._told for finding in self.parts[path].findings]
        found += (finding for double in self._doubles.values() for finding in double)
        found += (finding for wrong in self._references.errors.values() for finding in wrong)
        found += notes
        return tuple(sorted(found, key=lambda each: (each.path, each.line, each.column)))

    def _own(self, path: str, part: FilePart) -> None:
        for identity in part.identities():
            owners = self._owners.get(identity)
            if owners is None:
                self._owners[identity] = path
            else:
                self._owners[identity] = (*((owners,) if isinstance(owners, str) else owners), path)
        (self.unreadable.add if part.unreadable else self.unreadable.discard)(path)
        (self._told.add if part.findings else self._told.discard)(path)

    def _disown(self, path: str, identities: Collection[str]) -> None:
        for identity in identities:
            owners = self._owners[identity]
            rest = () if isinstance(owners, str) else tuple(owner for owner in owners if owner != path)
            if rest:
                self._owners[identity] = rest[0] if len(rest) == 1 else rest
            else:
                del self._owners[identity]

    def _resolve(self, identity: str) -> bool:
        """Decide anew what a job is. Returns whether that changed."""
        before = self.jobs.get(identity), self.invalid.get(identity)
        path, errors = self._defined(identity)
        errors = errors or self._references.errors.get(identity, ())
        job = None if path is None or errors else self._job(path, identity)
        self._set(identity, job, errors)
        return before != (self.jobs.get(identity), self.invalid.get(identity))

    def _resolve_resource(self, identity: str) -> bool:
        kind, _, name = identity.partition(":")
        key = (kind, name)
        before = self.documents.pop(key, None), key in self.invalid_documents
        path, errors = self._defined(identity)
        if path is not None and not errors:
            self.documents[key] = next(each for each in self.parts[path].documents if each.identity == identity)
        if errors:
            self.invalid_documents.add(key)
        else:
            self.invalid_documents.discard(key)
        return before != (self.documents.get(key), key in self.invalid_documents)

    def _defined(self, identity: str) -> tuple[str | None, tuple[Diagnostic, ...]]:
        """The one file that names it, when there is one, and what keeps it from being applied."""
        owners = self._owners.get(identity, ())
        paths = (owners,) if isinstance(owners, str) else tuple(sorted(owners))
        naming = [path for path in paths if identity not in self.parts[path].held]
        self._doubles.pop(identity, None)
        if len(naming) > 1:
            double = tuple(self._double(identity, path, naming) for path in naming)
            self._doubles[identity] = double
            bad = (finding for path in naming for finding in self.parts[path].invalid.get(identity, ()))
            return None, (*bad, *double)
        if naming:
            return naming[0], self.parts[naming[0]].invalid.get(identity, ())
        return None, tuple(
            replace(finding, identity=identity) for path in paths for finding in self.parts[path].errors()
        )

    def _set(self, identity: str, job: DesiredJob | None, errors: tuple[Diagnostic, ...]) -> None:
        if job is None:
            self.jobs.pop(identity, None)
        else:
            self.jobs[identity] = job
        if errors:
            self.invalid[identity] = errors
        else:
            self.invalid.pop(identity, None)

    def _job(self, path: str, identity: str) -> DesiredJob | None:
        return next((job for job in self.parts[path].jobs if job.identity == identity), None)

    def _double(self, identity: str, path: str, naming: list[str]) -> Diagnostic:
        others = [other for other in naming if other != path]
        line = self._line(others[0], identity)
        where = f"in {others[0]}:{line}" if line is not None else f"in {others[0]}"
        if len(others) > 1:
            where += f" and {len(others) - 1} more"
        document = self._document_of(path, identity)
        if document is None:
            here = self._line(path, identity) or self.parts[path].invalid[identity][0].line
            return Diagnostic("JOB050", f"`{identity}` is also defined {where}", path, here, identity=identity)
        return duplicate(document, identity, where)

    def _line(self, path: str, identity: str) -> int | None:
        """Where the file defines it soundly."""
        part = self.parts[path]
        defined: list[DesiredJob | DesiredDocument] = [*part.jobs, *part.documents]
        return next((each.line for each in defined if each.identity == identity), None)

    def _links(self, identity: str) -> tuple[Link, ...]:
        path = self._owners.get(identity)
        return self.parts[path].links.get(identity, ()) if isinstance(path, str) else ()

    def _where(self, identity: str) -> tuple[str, int] | None:
        path = self._owners.get(identity)
        if not isinstance(path, str) or identity in self.parts[path].held:
            return None
        return path, self._line(path, identity) or self.parts[path].invalid[identity][0].line


def to_row(path: str, part: FilePart, *, racy: bool) -> CachedFile:
    """A part as a row of the file cache: JSON lines, the first for what was found, then one canonical spec each."""
    header: dict[str, Any] = {"jobs": [(job.project, job.name, job.digest, job.line) for job in part.jobs]}
    if part.findings:
        header["findings"] = [asdict(finding) for finding in part.findings]
    if part.invalid:
        header["invalid"] = {name: [asdict(finding) for finding in found] for name, found in part.invalid.items()}
    if part.unreadable:
        header["unreadable"] = True
    if part.held:
        header["held"] = sorted(part.held)
    if part.documents:
        header["documents"] = [(doc.kind, doc.name, doc.digest, doc.line) for doc in part.documents]
    if part.links:
        header["links"] = {job: [tuple(link) for link in links] for job, links in part.links.items()}
    if part.defaults is not None:
        header["defaults"] = (part.defaults.spec.decode(), part.defaults.digest, part.defaults.line)
    if part.broken:
        header["broken"] = True
    if part.inherits:
        header["inherits"] = part.inherits
    inode, size, mtime, ctime = NEVER if racy else part.key
    specs = [*(job.spec for job in part.jobs), *(document.spec for document in part.documents)]
    return CachedFile(
        path=path,
        inode=inode,
        size=size,
        mtime_ns=mtime,
        ctime_ns=ctime,
        sha256=part.digest.hex(),
        documents=b"\n".join((orjson.dumps(header), *specs)),
    )


def from_row(row: CachedFile) -> FilePart:
    """The part that `to_row` wrote. Raises ValueError, KeyError or TypeError for a row that it did not write."""
    first, _, rest = row.documents.partition(b"\n")
    header = orjson.loads(first)
    key = (row.inode, row.size, row.mtime_ns, row.ctime_ns)
    if len(header) == 1 and len(header["jobs"]) == 1 and rest and b"\n" not in rest:
        ((project, name, digest, line),) = header["jobs"]
        job = DesiredJob(intern(project), name, rest, digest, row.path, line)
        return FilePart(key, bytes.fromhex(row.sha256), (job,))
    specs = row.documents.split(b"\n")[1:]
    jobs = tuple(
        [
            DesiredJob(intern(project), name, spec, digest, row.path, line)
            for (project, name, digest, line), spec in zip(header["jobs"], specs, strict="documents" not in header)
        ]
    )
    if len(header) == 1:
        return FilePart(key, bytes.fromhex(row.sha256), jobs)
    return FilePart(
        key,
        bytes.fromhex(row.sha256),
        jobs,
        {name: _findings(found) for name, found in header["invalid"].items()} if "invalid" in header else _NONE,
        _findings(header.get("findings", ())),
        header.get("unreadable", False),
        frozenset(header.get("held", ())),
        tuple(
            DesiredDocument(kind, name, spec, digest, row.path, line)
            for (kind, name, digest, line), spec in zip(header.get("documents", ()), specs[len(jobs) :], strict=True)
        ),
        {
            identity: tuple(Link(kind, target, tuple(loc)) for kind, target, loc in links)
            for identity, links in header["links"].items()
        }
        if "links" in header
        else _NO_LINKS,
        _defaults(row.path, *header["defaults"]) if "defaults" in header else None,
        header.get("broken", False),
        header.get("inherits", ""),
    )


def _findings(found: Iterable[dict[str, Any]]) -> tuple[Diagnostic, ...]:
    return tuple(Diagnostic(**(each | {"severity": Severity(each["severity"])})) for each in found)


def _defaults(path: str, spec: str, digest: str, line: int) -> DesiredDocument:
    return DesiredDocument("Defaults", "", spec.encode(), digest, path, line)
