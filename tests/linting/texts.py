"""Lints the text of one file, as `validate` does with a file that is given by name."""

from __future__ import annotations

from specs.desired import DesiredJob
from specs.diagnostic import Diagnostic, InvalidSpec
from specs.document import Document, read_documents
from specs.ignoring import Ignored, without_ignored
from specs.lint import Programs, lint, notifier_findings, without_secrets
from specs.load import identity_of, load_bytes
from specs.text import decode

NOW = 1_795_248_000_000_000
"""2026-11-21 08:00:00Z."""


class NoProgram:
    """A machine on which nothing is but `echo`."""

    def missing(self, program: str, *, path: str | None, working_dir: str | None, user: str | None) -> str | None:
        return None if program == "echo" else "is not there"


def findings_of(
    data: bytes | str, *, now: int = NOW, programs: Programs | None = None, timezone: str = "UTC"
) -> list[Diagnostic]:
    """Everything there is to say about a file, errors too."""
    data = data.encode() if isinstance(data, str) else data
    loaded = load_bytes(data, "jobs/hello.yaml", default_timezone=timezone)
    try:
        source = decode(data, "jobs/hello.yaml")
    except InvalidSpec:
        return list(loaded.diagnostics)
    documents = read_documents(source)[0]

    def document_of(job: DesiredJob) -> Document:
        return next(each for each in documents if identity_of(each.value) == job.identity)

    known = {job.identity: job for job in loaded.jobs}
    found = lint(
        loaded.jobs, known=known, document_of=document_of, now=now, programs=programs, default_timezone=timezone
    )
    places = {each.line: each for each in documents}
    found += notifier_findings(loaded.documents, loaded.jobs, lambda each: places.get(each.line))
    ignored = Ignored(source)
    all_found = (*loaded.diagnostics, *found, *ignored.findings)
    return without_secrets(without_ignored(all_found, {"jobs/hello.yaml": ignored}))


def codes_of(data: bytes | str, **how: object) -> set[str]:
    """The codes of `findings_of`."""
    return {finding.code for finding in findings_of(data, **how)}  # type: ignore[arg-type]
