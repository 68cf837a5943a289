"""From the bytes of one file to the jobs it defines, and everything that is wrong with it.

Called by `specs.source` for every changed file, and by the command line (`validate`, `apply`). Pure: opens nothing.
A mistake keeps back its own document, not the others of the file; a syntax error keeps back the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from pydantic import ValidationError

from specs import unbuilt
from specs.canonical import canonical_bytes, digest_of
from specs.defaults import FROZEN, NOTHING, Inherited, Reader, rival, with_defaults
from specs.desired import DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic, InvalidSpec, Severity
from specs.document import Document, read_documents
from specs.findings import findings_of, kind_of
from specs.frozen import frozen
from specs.ignoring import MARK, Ignored, without_ignored
from specs.links import Link, links_of
from specs.model import Job
from specs.notation import parse_name
from specs.resources import (
    RESOURCES,
    check_defaults,
    check_resource,
    is_resource,
    names_resource,
    resource_identity,
    unbuilt_findings,
)
from specs.rules import rule_findings, schedule_findings
from specs.text import decode

_KINDS = ("Job", "Defaults", *RESOURCES, *sorted(unbuilt.KINDS))
_NAMELESS = unbuilt.KINDS | {"Defaults"}
MAYBE_DEFAULTS = b"Defaults"
"""Is in nearly every file with such a document: in all but those that write the word with escapes."""
_SCHEDULING = ("schedule", "timezone", "dst")
"""The fields that a schedule is compiled from, besides the identity (for `H`)."""


@frozen
class FileResult:
    """What one file says."""

    jobs: tuple[DesiredJob, ...] = ()
    invalid: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    """Identities the file names but does not define soundly, with the errors of their documents."""
    documents: tuple[DesiredDocument, ...] = ()
    """Its pools, calendars and notifiers."""
    invalid_documents: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    """As `invalid`, by `Kind:name`."""
    links: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)
    """What its jobs name, of those that name anything."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Every finding, warnings too, in the order of the file."""
    defaults: DesiredDocument | None = None
    """What it gives to the jobs of its folder and below."""
    defaults_broken: bool = False
    """True when it has a `Defaults` document that is unsound, or two; or may have one, being unreadable."""
    has_defaults: bool = False
    """True when a `Defaults` document is seen, however bad."""
    unreadable: bool = False
    """True when the file, or the name of one of its documents, cannot be read: it may define more than is seen."""


def load_bytes(
    data: bytes,
    path: str,
    *,
    default_timezone: str = "UTC",
    inherited: Inherited = NOTHING,
    read: Reader = lambda path: [],
) -> FileResult:
    """What the file `path` with this content says. Never raises for content, however bad.

    Args:
        inherited: what its jobs are given by their folder.
        read: for the place of a finding that is about one of these defaults.
    """
    try:
        source = decode(data, path)
        documents, findings = read_documents(source)
    except InvalidSpec as error:
        return FileResult(diagnostics=error.diagnostics, unreadable=True, defaults_broken=MAYBE_DEFAULTS in data)
    loaded = _Loader(path, default_timezone, findings, inherited, read)
    for document in documents:
        loaded.add(document)
    if loaded.findings and MARK in data:
        loaded.findings = list(without_ignored(loaded.findings, {path: Ignored(source)}))
    if findings and not documents:
        loaded.unreadable = True
        loaded.defaults_broken = MAYBE_DEFAULTS in data
    return loaded.result()


class _Loader:
    def __init__(
        self, path: str, default_timezone: str, findings: list[Diagnostic], inherited: Inherited, read: Reader
    ) -> None:
        self.path = path
        self.default_timezone = default_timezone
        self.inherited = inherited
        self.read = read
        self.findings = list(findings)
        self.unreadable = any(finding.code == "JOB013" for finding in findings)
        self.jobs: dict[str, DesiredJob] = {}
        self.links: dict[str, tuple[Link, ...]] = {}
        self.resources: dict[str, DesiredDocument] = {}
        self.defaults: DesiredDocument | None = None
        self.defaults_broken = False
        self.defaults_document: Document | None = None
        self.documents: dict[str, Document] = {}
        self.invalid: dict[str, list[Diagnostic]] = {}

    def add(self, document: Document) -> None:
        """Check one document and keep what it defines, or its errors."""
        kind = document.value.get("kind", "Job")
        if kind == "Defaults":
            self._defaults(document)
            return
        if is_resource(document.value):
            self._resource(document, resource_identity(document.value))
            return
        if kind == "Job" and self.inherited.key:
            if self.inherited.key == FROZEN:
                self._wait(document)
                return
            document = with_defaults(document, self.inherited, self.read)
        identity = identity_of(document.value)
        job, found = _check(document, identity, self.default_timezone) if document.sound else (None, [])
        if not self._named(document, identity, found) or identity is None:
            return
        if job is None:
            self._failed(document, identity, found)
            return
        if links := links_of(job):
            self.links[identity] = links
        spec = canonical_bytes(job)
        self.jobs[identity] = DesiredJob(job.project, job.name, spec, digest_of(spec), self.path, document.line)

    def _wait(self, document: Document) -> None:
        """What a job is cannot be known: the file is kept as it was."""
        self.unreadable = True
        message = f"the defaults in {self.inherited.culprit} cannot be used, so this job is not read"
        self.findings.append(
            document.finding("JOB056", message, (), help="correct them; until then the last good version runs on")
        )

    def _defaults(self, document: Document) -> None:
        defaults, found = check_defaults(document, self.default_timezone) if document.sound else (None, [])
        self.findings += found
        first, self.defaults_document = self.defaults_document, self.defaults_document or document
        if first is not None:
            for here, there in ((first, document), (document, first)):
                finding = rival(here, f"on line {there.line}")
                if finding not in self.findings:
                    self.findings.append(finding)
        self.defaults_broken |= defaults is None or first is not None
        self.defaults = None if self.defaults_broken else defaults

    def _resource(self, document: Document, identity: str | None) -> None:
        resource, found = check_resource(document, self.default_timezone) if document.sound else (None, [])
        if not self._named(document, identity, found) or identity is None:
            return
        if resource is None:
            self._failed(document, identity, found)
        else:
            self.resources[identity] = resource

    def _named(self, document: Document, identity: str | None, found: list[Diagnostic]) -> bool:
        """Keep the findings; whether the document has an identity, which is then taken."""
        self.findings += found
        if identity is None:
            self.unreadable = True
            return False
        if identity in self.documents:
            self._twice(identity, document)
        self.documents.setdefault(identity, document)
        return True

    def result(self) -> FileResult:
        """Everything that was added. An identity with an error is not among the jobs."""
        if not self.findings:
            return FileResult(
                tuple(self.jobs.values()),
                documents=tuple(self.resources.values()),
                links=self.links,
                defaults=self.defaults,
                has_defaults=self.defaults_document is not None,
                unreadable=self.unreadable,
            )
        sound = [job for identity, job in self.jobs.items() if identity not in self.invalid]
        resources = [resource for identity, resource in self.resources.items() if identity not in self.invalid]
        invalid = {identity: tuple(found) for identity, found in self.invalid.items()}
        return FileResult(
            jobs=tuple(sound),
            invalid={identity: found for identity, found in invalid.items() if not names_resource(identity)},
            documents=tuple(resources),
            invalid_documents={identity: found for identity, found in invalid.items() if names_resource(identity)},
            links={identity: links for identity, links in self.links.items() if identity not in self.invalid},
            diagnostics=tuple(sorted(self.findings, key=lambda f: (f.line, f.column))),
            defaults=self.defaults,
            defaults_broken=self.defaults_broken,
            has_defaults=self.defaults_document is not None,
            unreadable=self.unreadable,
        )

    def _failed(self, document: Document, identity: str, found: list[Diagnostic]) -> None:
        errors = [finding for finding in found if finding.severity is Severity.ERROR]
        self._refuse(identity, errors or self._form(document))

    def _refuse(self, identity: str, found: list[Diagnostic]) -> None:
        self.invalid.setdefault(identity, []).extend(found)

    def _form(self, document: Document) -> list[Diagnostic]:
        """What is wrong with the form of a document: found before its identity was known."""
        return [f for f in self.findings if f.line >= document.line and f.severity is Severity.ERROR][:1]

    def _twice(self, identity: str, document: Document) -> None:
        first = self.documents[identity]
        for here, there in ((first, document), (document, first)):
            finding = duplicate(here, identity, f"on line {there.place(('name',)).line}")
            if finding not in self.findings:
                self.findings.append(finding)
                self._refuse(identity, [finding])


def duplicate(document: Document, identity: str, other: str) -> Diagnostic:
    """The finding that another document has this identity too; `other` as `on line 5` or `in b.yaml:1`."""
    resource = names_resource(identity)
    what = " ".join(identity.split(":")) if resource else identity
    return document.finding(
        "JOB050",
        f"`{what}` is also defined {other}",
        ("name",),
        help="rename one of the two, or remove it; until then the last good version runs on",
        identity=None if resource else identity,
    )


def identity_of(value: Mapping[str, Any]) -> str | None:
    """`project/name` of a job, `Kind:name` of what jobs share, of a document that may be otherwise wrong; None when it
    has none."""
    if is_resource(value):
        return resource_identity(value)
    kind = value.get("kind", "Job")
    if isinstance(kind, str) and kind in _NAMELESS:
        return None
    try:
        return f"{parse_name(value.get('project', 'default'))}/{parse_name(value.get('name'))}"
    except ValueError:
        return None


def _check(document: Document, identity: str | None, default_timezone: str) -> tuple[Job | None, list[Diagnostic]]:
    """The job of a document (None when it has errors), and all findings."""
    wrong_kind = _kind(document, identity)
    if wrong_kind is not None:
        return None, [wrong_kind]
    value, found = document.value, []
    refused = {loc[0] for loc, _ in unbuilt.refusals(value)}
    if refused:
        value = {name: each for name, each in value.items() if name not in refused}
        found += unbuilt_findings(document, identity)
    job: Job | None = None
    try:
        job = Job.model_validate(value)
    except ValidationError as error:
        found += [f for f in findings_of(error, document, Job, identity) if not _about(f, refused)]
    scheduled = job if job is not None else _only_schedule(value, identity)
    if scheduled is not None:
        schedule, said = schedule_findings(scheduled, document, identity, default_timezone)
        found += said
        if job is not None and schedule is not None:
            found += rule_findings(job, schedule, document, default_timezone)
    if not found:
        return job, found
    found.sort(key=lambda f: (f.line, f.column))
    wrong = any(f.severity is Severity.ERROR for f in found)
    return (None if wrong else job), found


def _about(finding: Diagnostic, fields: set[str | int]) -> bool:
    """Whether a field that was refused as not built is now called missing."""
    return finding.code == "JOB031" and any(finding.message.startswith(f"`{name}` is missing") for name in fields)


def _kind(document: Document, identity: str | None) -> Diagnostic | None:
    kind = document.value.get("kind", "Job")
    if kind == "Job":
        return None
    if isinstance(kind, str) and kind in unbuilt.KINDS:
        return document.finding("JOB020", unbuilt.message(f"kind `{kind}`"), ("kind",), identity=identity)
    if not isinstance(kind, str):
        message = f"`kind` must be a text, not {kind_of(kind)}"
        return document.finding("JOB021", message, ("kind",), help="write `kind: Job`")
    close = difflib.get_close_matches(kind[:64].capitalize(), _KINDS, n=1)
    advice = f"did you mean `{close[0]}`?" if close else "write `kind: Job`, or leave it out"
    return document.finding("JOB021", "this `kind` is not known", ("kind",), help=advice, identity=identity)


def _only_schedule(value: Mapping[str, Any], identity: str | None) -> Job | None:
    """A job with the schedule of a document that is otherwise wrong, so that all findings come at once."""
    project, name = (identity or "default/unnamed").split("/")
    parts = {key: value[key] for key in _SCHEDULING if key in value}
    try:
        return Job.model_validate(parts | {"name": name, "project": project, "run": {"command": ["true"]}})
    except ValidationError:
        return None
