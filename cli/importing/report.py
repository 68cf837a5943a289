"""What an import says beside the YAML: what was lost or changed and why, what cannot be read, what `--check` found.

Called by `delivering`. Pure: makes texts and trees, prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cli.importing.checking import Checked
from cli.importing.imported import Import, Imported, Level, Note, SharedDocument
from specs.diagnostic import Diagnostic
from specs.render import as_dict
from specs.zones import rfc3339

_LEVELS: tuple[Level, ...] = ("lost", "changed", "info")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One job after it was written and read back."""

    job: Imported
    document: str
    errors: tuple[Diagnostic, ...] = ()
    """Why jobsctl itself would refuse the document: it holds more than a spec may."""
    checked: Checked | None = None
    """None without `--check`, or when the document cannot be used."""
    file: str | None = None
    """Where it was written; None when it was printed."""


@dataclass(frozen=True, slots=True)
class SharedOutcome:
    """What jobs share, as it was written."""

    shared: SharedDocument
    document: str
    file: str | None = None
    """Where it was written; None when it was printed."""
    kept: bool = False
    """The file was there already, and says the same."""

    @property
    def stem(self) -> str:
        """Of its file."""
        return self.shared.stem


def lines(made: Import, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """For people, on stderr. Notes that many jobs share are said once, with all their places."""
    notes = [*made.notes, *(note for outcome in outcomes for note in outcome.job.notes)]
    shared: dict[tuple[Level, str, str, str | None], list[Note]] = {}
    for note in notes:
        shared.setdefault((note.level, note.what, note.why, note.hint), []).append(note)
    for level in _LEVELS:
        for (each, what, why, hint), found in shared.items():
            if each == level:
                yield f"{_places(found)}: {level}: {what}: {why}"
                if hint:
                    yield f"  hint: {hint}"
    for outcome in outcomes:
        for error in outcome.errors:
            yield f"{outcome.job.origin}: {outcome.job.name} cannot be used as it is: {error.message}"
        if outcome.checked is not None:
            yield from _checked(outcome.job, outcome.checked)


def _places(notes: Sequence[Note]) -> str:
    origins = list(dict.fromkeys(note.origin for note in notes))
    first = str(origins[0])
    if len(origins) == 1:
        return first
    same_file = all(origin.path == origins[0].path for origin in origins)
    rest = [str(origin.line) if same_file else str(origin) for origin in origins[1:]]
    shown = rest[:6] + (["..."] if len(rest) > 6 else [])
    return f"{first},{','.join(shown)}"


def _checked(job: Imported, checked: Checked) -> Iterator[str]:
    words = job.rule.words if job.rule is not None else ""
    match checked.state:
        case "incomparable":
            yield f"{job.origin}: check: {job.name}: nothing to compare: {checked.reason}"
        case "same" if checked.compared == 0:
            boot = job.rule is not None and job.rule.at_boot
            yield f"{job.origin}: check: {job.name}: same: " + ("at boot, and never else" if boot else "never")
        case "same":
            number = f"all {checked.compared:,}" if checked.bounded else f"the next {checked.compared:,}"
            until = "" if checked.through is None else f" until {_instant(checked.through)[:10]}"
            noun = "instant" if checked.compared == 1 else "instants"
            yield f"{job.origin}: check: {job.name}: same: {number} {noun}{until} as of `{words}`"
        case "different" if checked.difference is not None:
            found = checked.difference
            yield f"{job.origin}: check: {job.name}: DIFFERENT from `{words}` after {checked.compared:,} that are equal"
            yield f"  source: {_instant(found.source)}   ours: {_instant(found.ours)}"
            yield f"  {found.why}"


def _instant(micros: int | None) -> str:
    return "none" if micros is None else rfc3339(micros)


def tree(made: Import, outcomes: Sequence[Outcome], shared: Sequence[SharedOutcome] = ()) -> dict[str, Any]:
    """The report as data (`-o json`): `{jobs, documents, notes, unreadable}`; keys camelCase, additive."""
    return {
        "jobs": [_job(outcome) for outcome in outcomes],
        "documents": [_shared(each) for each in shared],
        "notes": [_note(note) for note in made.notes],
        "unreadable": [as_dict(finding) for finding in made.unreadable],
    }


def _job(outcome: Outcome) -> dict[str, Any]:
    job = outcome.job
    return {
        "name": job.name,
        "path": job.origin.path,
        "line": job.origin.line,
        "yaml": outcome.document,
        "file": outcome.file,
        "notes": [_note(note) for note in job.notes],
        "errors": [as_dict(error) for error in outcome.errors],
        "check": None if outcome.checked is None else _check(job, outcome.checked),
    }


def _shared(outcome: SharedOutcome) -> dict[str, Any]:
    tree = outcome.shared.tree
    return {"kind": tree["kind"], "name": tree.get("name"), "yaml": outcome.document, "file": outcome.file}


def _note(note: Note) -> dict[str, Any]:
    return {
        "level": note.level,
        "what": note.what,
        "why": note.why,
        "hint": note.hint,
        "path": note.origin.path,
        "line": note.origin.line,
    }


def _check(job: Imported, checked: Checked) -> dict[str, Any]:
    found = checked.difference
    return {
        "state": checked.state,
        "rule": None if job.rule is None else job.rule.words,
        "compared": checked.compared,
        "through": None if checked.through is None else rfc3339(checked.through),
        "difference": None
        if found is None
        else {
            "source": None if found.source is None else rfc3339(found.source),
            "ours": None if found.ours is None else rfc3339(found.ours),
            "why": found.why,
        },
        "reason": checked.reason or None,
    }
