"""What there was: the jobs as the daemon applied them, or as other files say, as a plan compares with them.

Made by `cli.planning.sides`; used by `cli.planning.compare`. Also what the reconciler's own rules ask for
(`reconciler.sync.Known` and `Jobs`), so that these rules decide what becomes of a job.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from cli.planning.plan import Origin
from reconciler.sync import former_identity
from specs.desired import Desired, DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic
from state.records import DocumentRecord, JobRecord


@dataclass(slots=True)
class Was:
    """One job as it was."""

    identity: str
    spec: bytes
    digest: str
    path: str
    line: int
    archived: bool = False
    has_problem: bool = False
    missing_since: int | None = None
    record: JobRecord | None = None
    """What the daemon knows of it; None where files are compared with files."""

    @property
    def kept(self) -> bool:
        """`prune: false`."""
        return b'"prune":false' in self.spec and not orjson.loads(self.spec).get("prune", True)


@dataclass(slots=True)
class Before:
    """All of it."""

    origin: Origin
    timezone: str
    """Of jobs that name none."""
    jobs: Mapping[str, Was] = field(default_factory=dict)
    documents: Mapping[tuple[str, str], DesiredDocument] = field(default_factory=dict)
    defaults: Mapping[str, DesiredDocument] | None = field(default_factory=dict)
    """By file; None when nobody knows: the database does not hold them."""
    broken: Collection[str] = frozenset()
    """Identities that it names and does not define soundly."""
    errors: frozenset[tuple[str, str, str]] = frozenset()
    """(code, path, message) of what was wrong already."""

    def by_identity(self, identity: str) -> Was | None:
        """For `reconciler.sync.plan_sync`."""
        return self.jobs.get(identity)


def of_records(
    origin: Origin,
    timezone: str,
    records: Iterable[JobRecord],
    documents: Iterable[DocumentRecord],
    findings: Iterable[Mapping[str, object]],
) -> Before:
    """What the daemon applied."""
    jobs = {
        record.identity: Was(
            record.identity,
            record.spec,
            record.digest,
            record.path,
            record.line,
            record.archived_at is not None,
            bool(record.problem),
            record.missing_since,
            record,
        )
        for record in records
    }
    shared = {
        (each.kind, each.name): DesiredDocument(each.kind, each.name, each.spec, each.digest, each.path, each.line)
        for each in documents
    }
    known = frozenset((str(each["code"]), str(each["path"]), str(each["message"])) for each in findings)
    return Before(origin, timezone, jobs, shared, None, frozenset(), known)


def asked_about(jobs: Iterable[DesiredJob], invalid: Iterable[str] = ()) -> set[str]:
    """The identities that single files are compared with: their own, and those that their jobs say they had."""
    found = set(invalid)
    for job in jobs:
        found.add(job.identity)
        if (former := former_identity(job)) is not None:
            found.add(former)
    return found


def of_files(origin: Origin, timezone: str, desired: Desired, defaults: Mapping[str, DesiredDocument]) -> Before:
    """What other files say."""
    jobs = {identity: _was(job) for identity, job in desired.jobs.items()}
    known = frozenset(error_key(each) for each in desired.diagnostics)
    return Before(origin, timezone, jobs, desired.documents, defaults, frozenset(desired.invalid), known)


def error_key(finding: Diagnostic) -> tuple[str, str, str]:
    """What makes it the same finding, wherever its lines have moved."""
    return finding.code, finding.path, finding.message


def _was(job: DesiredJob) -> Was:
    return Was(job.identity, job.spec, job.digest, job.path, job.line)
