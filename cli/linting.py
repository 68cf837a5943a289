"""The lint on files, for the command line: reads again what there is something to say about, and heeds the comments.

Used by `cli.specfiles`. The rules are in `specs.lint`, which opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from specs.defaults import DefaultsTree, with_defaults
from specs.desired import Desired, DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic, InvalidSpec, Severity
from specs.document import Document, read_documents
from specs.ignoring import MARK, Ignored, without_ignored
from specs.lint import Programs, lint, notifier_findings, without_secrets
from specs.lint.notifiers import KIND as NOTIFIER
from specs.load import identity_of, load_bytes
from specs.placed import Placed
from specs.text import Source, decode


class FolderDocuments:
    """The documents of a specs directory, read when they are asked for. Keeps the file it read last."""

    def __init__(self, root: Path, giving: Iterable[str], timezone: str, shown: Callable[[str], str]) -> None:
        """
        Args:
            root: the specs directory.
            giving: the files in it that give defaults.
            shown: how a path below the root is called in findings.
        """
        self._root = root
        self._shown = shown
        self._last: tuple[str, list[Document]] = "", []
        self._defaults = DefaultsTree()
        for path in giving:
            found = load_bytes(content_of(self._root / path), path, default_timezone=timezone)
            self._defaults.put(path, found.defaults, broken=found.defaults_broken)

    def of(self, job: DesiredJob) -> Document | None:
        """The document of a job, with what its folder gives it. None when the file is another one by now."""
        inherited = self._defaults.of(job.path)
        for document in self._read(job.path):
            if document.line == job.line and document.value.get("kind", "Job") == "Job":
                document = with_defaults(document, inherited, self._read)
                return document if identity_of(document.value) == job.identity else None
        return None

    def at(self, resource: DesiredDocument) -> Document | None:
        """The document of what is no job. None when the file is another one by now."""
        return next((each for each in self._read(resource.path) if each.line == resource.line), None)

    def _read(self, path: str) -> list[Document]:
        if self._last[0] != path:
            try:
                self._last = path, read_documents(decode(content_of(self._root / path), self._shown(path)))[0]
            except InvalidSpec:
                self._last = path, []
        return self._last[1]


class Linting:
    """What to tell of files besides what keeps their jobs from being applied."""

    def __init__(
        self,
        *,
        wanted: bool,
        now: int,
        timezone: str,
        programs: Programs | None,
        elsewhere: Callable[[], Mapping[str, DesiredJob]],
    ) -> None:
        """
        Args:
            wanted: False: nothing new is told, only what is silenced is left out.
            programs: of this machine, when it is the one that runs the jobs.
            elsewhere: the sound jobs of the home; asked when a file that was given by name has dependencies.
        """
        self._wanted = wanted
        self._now = now
        self._timezone = timezone
        self._programs = programs
        self._elsewhere = elsewhere

    def of_file(self, placed: Placed, data: bytes, shown: str) -> tuple[Diagnostic, ...]:
        """All findings of a file that was given by name."""
        found = placed.result
        findings = list(found.diagnostics)
        if self._wanted:
            known = {job.identity: job for job in found.jobs}
            known = {**self._elsewhere(), **known} if found.links else known
            findings += self._lint(found.jobs, known, lambda job: placed.document_of(job.identity))
            if any(each.kind == NOTIFIER for each in found.documents):
                every = {**self._elsewhere(), **known}
                findings += notifier_findings(found.documents, every.values(), placed.document_at)
        contents = {path: content_of(Path(path)) for path in _warned(findings)} | {shown: data}
        return _heeded(findings, contents, told=self._wanted)

    def of_folder(
        self,
        jobs: Iterable[DesiredJob],
        known: Mapping[str, DesiredJob],
        findings: Sequence[Diagnostic],
        documents: FolderDocuments,
        files: Mapping[str, Path],
        resources: Iterable[DesiredDocument] = (),
    ) -> tuple[Diagnostic, ...]:
        """All findings of a folder.

        Args:
            jobs: those to be linted, of all that are `known`.
            findings: those there are already.
            files: what was asked for, by the path that findings have.
            resources: what else is to be linted: none of it where a job that cannot be read might name it.
        """
        found = [*findings, *(self._lint(jobs, known, documents.of) if self._wanted else ())]
        if self._wanted:
            found += notifier_findings(resources, known.values(), documents.at)
        paths = files if self._wanted else {path: Path(path) for path in _warned(found)}
        return _heeded(found, {shown: content_of(path) for shown, path in paths.items()}, told=self._wanted)

    def _lint(
        self,
        jobs: Iterable[DesiredJob],
        known: Mapping[str, DesiredJob],
        document_of: Callable[[DesiredJob], Document | None],
    ) -> list[Diagnostic]:
        return lint(
            jobs,
            known=known,
            document_of=document_of,
            now=self._now,
            default_timezone=self._timezone,
            programs=self._programs,
        )


def folder_findings(
    desired: Desired,
    giving: Iterable[str],
    jobs: Iterable[DesiredJob],
    *,
    now: int,
    timezone: str,
    programs: Programs | None = None,
) -> tuple[Diagnostic, ...]:
    """The findings of a specs directory with the lint of `jobs`: for `plan`, which asks for those that change.

    Those that a comment silences are left out, secrets in shown lines are stars. Paths are below the root, as those of
    `desired`.

    Args:
        desired: what the directory says.
        giving: the files that give defaults (`Source.giving`).
        jobs: of `desired.jobs`.
        now: microseconds since the epoch.
        timezone: of schedules that name none.
    """
    asked = list(jobs)
    root = Path(desired.root)
    linting = Linting(wanted=True, now=now, timezone=timezone, programs=programs, elsewhere=dict)
    paths = {job.path for job in asked} | _warned(desired.diagnostics)
    return linting.of_folder(
        asked,
        desired.jobs,
        desired.diagnostics,
        FolderDocuments(root, giving, timezone, str),
        {path: root / path for path in paths},
    )


def content_of(path: Path) -> bytes:
    """What a file holds; nothing when it cannot be read any more, or is none: a named pipe would be waited for."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _warned(findings: Iterable[Diagnostic]) -> set[str]:
    """The files in which there is a warning, which a comment could silence."""
    return {finding.path for finding in findings if finding.severity is Severity.WARNING}


def _heeded(findings: Iterable[Diagnostic], contents: Mapping[str, bytes], *, told: bool) -> tuple[Diagnostic, ...]:
    """The findings without those that a comment in their file silences, without secrets, in the order of the files.

    Args:
        contents: the files by the path that findings have.
        told: with what is wrong with such comments.
    """
    found = list(findings)
    comments: dict[str, Ignored] = {}
    for path, content in contents.items():
        if MARK in content and (source := _source(content, path)) is not None:
            comments[path] = Ignored(source)
            found += comments[path].findings if told else ()
    kept = without_secrets(without_ignored(found, comments))
    return tuple(sorted(kept, key=lambda each: (each.path, each.line, each.column)))


def _source(content: bytes, path: str) -> Source | None:
    try:
        return decode(content, path)
    except InvalidSpec:
        return None
