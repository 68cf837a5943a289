"""Lint: warnings about sound jobs that are legal and probably wrong. docs/lint.md tells people the rules.

`validate`, `plan` and `apply` show them; the daemon never lints, and imports nothing from here. Pure: documents are
read through what the caller gives, `now` is a parameter, nothing is opened.

For the command line: `cli.specfiles.check(settings, paths, lint=True)` gives them among `Checked.findings`, each with
the `identity` of its job, so that those of some jobs can be picked out; `cli.linting.folder_findings(desired, giving,
jobs, ...)` gives those of a whole directory with the lint of some jobs of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from specs.desired import DesiredJob
from specs.diagnostic import Diagnostic
from specs.document import Document
from specs.lint.clear import secret_concerns
from specs.lint.concern import Concern, Programs, Subject
from specs.lint.dependencies import dependency_concerns
from specs.lint.nights import night_concerns
from specs.lint.notifiers import notifier_findings
from specs.lint.places import diagnostic_of, hide
from specs.lint.programs import program_concerns
from specs.lint.receivers import receiver_concerns
from specs.lint.timeouts import timeout_concerns
from specs.model import Job
from specs.schedule import compile_schedule

__all__ = ["Concern", "Programs", "lint", "notifier_findings"]

DocumentOf = Callable[[DesiredJob], Document | None]
"""The document that defines a job, with what its folder gives it; None when it cannot be read any more."""


def lint(
    jobs: Iterable[DesiredJob],
    *,
    known: Mapping[str, DesiredJob],
    document_of: DocumentOf,
    now: int,
    default_timezone: str = "UTC",
    programs: Programs | None = None,
) -> list[Diagnostic]:
    """The warnings about `jobs`, in their order; a value that several jobs are given by their folder is told once.

    No secret is in them. Other findings may be about the same lines: `without_secrets` is for all of them together.

    Args:
        known: every sound job by identity, for what jobs wait for.
        document_of: asked for jobs of which there is something to tell, and no others.
        now: microseconds since the epoch.
        programs: of the machine that runs the jobs; None: this is another one, and JOB075 is not told.
    """
    rules = _Rules(known, now, default_timezone, programs)
    found: dict[tuple[str, str, int, int, str], Diagnostic] = {}
    for job in jobs:
        concerns = list(rules.concerns(job))
        document = document_of(job) if concerns else None
        if document is None:
            continue
        for concern in concerns:
            if concern.unless and all(_says(document, loc) for loc in concern.unless):
                continue
            each = diagnostic_of(concern, document, job.identity)
            found.setdefault((each.code, each.path, each.line, each.column, each.message), each)
    return hide(found.values())


class _Rules:
    def __init__(
        self, known: Mapping[str, DesiredJob], now: int, default_timezone: str, programs: Programs | None
    ) -> None:
        self._known = known
        self._now = now
        self._timezone = default_timezone
        self._programs = programs
        self._subjects: dict[str, Subject] = {}

    def concerns(self, job: DesiredJob) -> Iterator[Concern]:
        subject = self._subject(job)
        yield from timeout_concerns(subject)
        yield from night_concerns(subject, self._now)
        yield from secret_concerns(subject)
        yield from receiver_concerns(subject)
        yield from dependency_concerns(subject, self._upstream, self._now)
        if self._programs is not None:
            yield from program_concerns(subject, self._programs)

    def _upstream(self, identity: str) -> Subject | None:
        if identity not in self._subjects and identity in self._known:
            self._subjects[identity] = self._subject(self._known[identity])
        return self._subjects.get(identity)

    def _subject(self, desired: DesiredJob) -> Subject:
        job = Job.from_canonical(desired.spec)
        schedule = compile_schedule(job, default_timezone=self._timezone)
        return Subject(desired.identity, job, schedule, job.timezone or self._timezone)


def _says(document: Document, loc: tuple[str | int, ...]) -> bool:
    """Whether the job's document, or its folder for it, says this."""
    value: object = document.value
    for part in loc:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def without_secrets(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The same findings; none shows what another one of them calls a secret."""
    return hide(findings)
