"""What is really said of the bad example of a code. Used by `jobsctl explain` and docs/generate_specs.py.

Apart from `specs.codes`: it loads the models and the lint, which a table of codes must not.
"""

from __future__ import annotations

from collections.abc import Iterator

from specs.codes.code import Code
from specs.desired import DesiredJob
from specs.diagnostic import Diagnostic, InvalidSpec
from specs.document import Document, read_documents
from specs.ignoring import Ignored
from specs.render import render
from specs.text import decode

PATH = "jobs/hello.yaml"


class _Bare:
    """A machine that has only `echo`."""

    def missing(self, program: str, *, path: str | None, working_dir: str | None, user: str | None) -> str | None:
        return None if program == "echo" else "is not there"


def finding_of(code: Code, *, now: int) -> str | None:
    """The finding as `validate` prints it; None for an example that is done in a folder, with a shell.

    Args:
        now: microseconds since the epoch; a finding about the clocks names the next night.
    """
    if code.language != "yaml":
        return None
    found = next((each for each in _findings(code.bad_bytes(), now) if each.code == code.code), None)
    return None if found is None else render([found])


def _findings(data: bytes, now: int) -> Iterator[Diagnostic]:
    """What is said, one after another: of the form first, for which no model is needed and of which some are large."""
    try:
        source = decode(data, PATH)
        documents, findings = read_documents(source)
    except InvalidSpec as error:
        yield from error.diagnostics
        return
    yield from findings
    from specs.lint import lint, notifier_findings
    from specs.load import identity_of, load_bytes

    def document_of(job: DesiredJob) -> Document:
        return next(each for each in documents if identity_of(each.value) == job.identity)

    loaded = load_bytes(data, PATH)
    yield from loaded.diagnostics
    known = {job.identity: job for job in loaded.jobs}
    yield from lint(loaded.jobs, known=known, document_of=document_of, now=now, programs=_Bare())
    places = {each.line: each for each in documents}
    yield from notifier_findings(loaded.documents, loaded.jobs, lambda each: places.get(each.line))
    yield from Ignored(source).findings
