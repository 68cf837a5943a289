"""What tests of imports share: read a text or a file of the corpus, judge what was written as the daemon would."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cli.importing.checking import Checked, check, read_back, read_calendars
from cli.importing.imported import Import, Imported, SourceText
from cli.importing.kubernetes.reader import read_kubernetes
from cli.importing.term_llm.reader import read_term_llm
from cli.importing.writing import write_document
from cli.importing.yacron.reader import read_yacron
from specs.model import Job

DATA = Path(__file__).parent / "data"
NOW = 1_795_248_000_000_000
"""2026-11-21 08:00:00Z."""


def load(path: str) -> SourceText | None:
    """A file that another includes."""
    return SourceText(path, Path(path).read_text()) if os.path.isfile(path) else None  # noqa: PTH113 - never raises


def read(system: str, *sources: SourceText, zone: str | None = None) -> Import:
    """What the reader of `system` makes of the sources."""
    if system == "kubernetes":
        return read_kubernetes(sources, zone=zone)
    if system == "yacron":
        return read_yacron(sources, local=zone or "UTC", local_given=zone is not None, load=load)
    return read_term_llm(sources)


def read_text(system: str, text: str, *, path: str = "given.yaml", zone: str | None = None) -> Import:
    """The same, of one text."""
    return read(system, SourceText(path, text), zone=zone)


def read_file(system: str, path: Path) -> Import:
    """The same, of one file."""
    return read(system, SourceText(str(path), path.read_text()))


@dataclass(frozen=True)
class Judged:
    """One imported job, written and read back."""

    job: Imported
    document: str
    spec: Job
    checked: Checked


def judge(job: Imported, *, count: int = 1000) -> Judged:
    """Write, load as a spec file, and compare instants. Fails when the spec is refused."""
    document = write_document(job)
    spec, errors = read_back(document, f"{job.name}.yaml", "Asia/Kolkata")
    assert spec is not None, "\n".join(map(str, errors)) + "\n" + document
    calendars = read_calendars(document, "x.yaml", "Asia/Kolkata") if job.documents else None
    return Judged(
        job,
        document,
        spec,
        check(job, spec, now=NOW, default_timezone="Asia/Kolkata", calendars=calendars, count=count),
    )


def only(made: Import, *, count: int = 200) -> Judged:
    """The one job of an import in which nothing was unreadable."""
    assert not made.unreadable, [str(each) for each in made.unreadable]
    (job,) = made.jobs
    return judge(job, count=count)


def said(made: Import) -> list[tuple[str, str]]:
    """Level and subject of everything that was said, about files and jobs."""
    notes = [*made.notes, *(note for job in made.jobs for note in job.notes)]
    return [(note.level, note.what) for note in notes]
