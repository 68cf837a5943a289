"""Real crontabs and timers, as `crontabs.txt` and `timers.txt` hold them, and what every import of them must do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cli.importing.checking import Checked, check, read_back, read_calendars
from cli.importing.imported import Imported, SourceText
from cli.importing.writing import write_document

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


def checked(job: Imported, zone: str = "UTC", *, count: int = 1000) -> Checked:
    """Written, read back as the daemon would, and compared. The document must be sound."""
    document = write_document(job)
    spec, errors = read_back(document, "job.yaml", zone)
    assert spec is not None, (document, [str(error) for error in errors])
    calendars = read_calendars(document, "job.yaml", zone) if job.documents else None
    return check(job, spec, now=NOW, default_timezone=zone, count=count, calendars=calendars)
