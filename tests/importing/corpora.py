"""Real crontabs and timers, as `crontabs.txt` and `timers.txt` hold them, and what every import of them must do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from cli.importing.checking import Checked, check, read_back, read_calendars
from cli.importing.imported import Import, Imported, SourceText
from cli.importing.writing import write_document, write_shared, write_stream
from specs.contents import Contents
from specs.diagnostic import Diagnostic, Severity
from specs.document import read_documents
from specs.lint import lint
from specs.load import identity_of
from specs.text import decode

NOW = 1_795_248_000_000_000
"""2026-11-21 08:00:00Z."""
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Found:
    """One public file, or folder of files."""

    source: str
    """owner/name, path and commit."""
    system: bool
    text: str

    def __str__(self) -> str:
        return self.source.split(" ")[0]

    def units(self) -> list[SourceText]:
        return [SourceText(name, text) for name, text in _sections(self.text, "---")]


def corpus(file: str) -> list[Found]:
    text = (HERE / file).read_text()
    return [
        Found(head.removesuffix(" system"), head.endswith(" system"), body) for head, body in _sections(text, "===")
    ]


def _sections(text: str, mark: str) -> list[tuple[str, str]]:
    parts = re.split(rf"^{mark} ", text, flags=re.MULTILINE)[1:]
    return [(head, body) for head, _, body in (part.partition("\n") for part in parts)]


def home_of(user: str | None) -> str | None:
    return {"root": "/root", None: "/home/ada", "ghost": None}.get(user, f"/home/{user}")


def findings(made: Import, *, telling: bool = True) -> list[Diagnostic]:
    """What `validate` says of all that was imported, in one file. Without `telling`, as if nobody were to be told."""
    jobs, shared = made.jobs, made.shared
    if not telling:
        jobs = tuple(replace(job, tree={**job.tree, "notify": []}) for job in jobs)
        shared = ()
    data = write_stream([*map(write_document, jobs), *map(write_shared, shared)]).encode()
    found = Contents({"all.yaml": data}).desired(root="", revision=None, now=NOW)
    documents = {identity_of(each.value): each for each in read_documents(decode(data, "all.yaml"))[0]}
    known = {job.identity: job for job in found.jobs.values()}
    said = lint(known.values(), known=known, document_of=lambda job: documents[job.identity], now=NOW)
    return [*found.diagnostics, *said]


def sound(made: Import) -> bool:
    """Whether it validates, and telling somebody adds no warning."""
    told, untold = findings(made), findings(made, telling=False)
    assert not [str(each) for each in told if each.severity is Severity.ERROR]
    assert sorted(each.code for each in told) == sorted(each.code for each in untold)
    return True


def checked(job: Imported, zone: str = "UTC", *, count: int = 1000) -> Checked:
    """Written, read back as the daemon would, and compared. The document must be sound."""
    document = write_document(job)
    spec, errors = read_back(document, "job.yaml", zone)
    assert spec is not None, (document, [str(error) for error in errors])
    calendars = read_calendars(document, "job.yaml", zone) if job.documents else None
    return check(job, spec, now=NOW, default_timezone=zone, count=count, calendars=calendars)
