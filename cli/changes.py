"""What applying files would change, or has changed: one word per job, and the difference as text.

Used by `diff` and `apply`. Compares canonical specs, so formatting and comments are no difference; values that come
from outside (secrets) are references in a spec and are never read here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from cli.options import Settings
from cli.output import Cell, print_items, print_lines
from specs.desired import DesiredJob
from specs.links import reference
from state.errors import NoDatabase, OlderSchema
from state.reads import Reader
from state.records import JobRecord
from status.yaml import dump_yaml

Word = Literal["created", "configured", "renamed", "unchanged", "pruned"]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one job."""

    identity: str
    word: Word
    difference: tuple[str, ...] = ()
    """Unified diff of the canonical specs as YAML, without line ends."""

    def view(self) -> dict[str, object]:
        """For `-o json`."""
        return {"job": self.identity, "change": self.word, "diff": "".join(f"{line}\n" for line in self.difference)}


def known_jobs(settings: Settings) -> Mapping[str, JobRecord]:
    """All jobs ever applied, archived ones too; none when no daemon ever ran."""
    try:
        with Reader(settings.existing_home().database) as reader:
            return {job.identity: job for job in reader.jobs(archived=None)}
    except (NoDatabase, OlderSchema):
        return {}


def changes_of(
    jobs: Iterable[DesiredJob], known: Mapping[str, JobRecord], *, whole: bool, project: str | None = None
) -> list[Change]:
    """One change per job, by identity.

    Args:
        whole: `jobs` are all there are: what is not among them is pruned, but for what says `prune: false`.
        project: only jobs of this project.
    """
    desired = {job.identity: job for job in jobs}
    before = {identity: _before(job, desired, known) for identity, job in desired.items()}
    changes = [_change(job, before[identity]) for identity, job in desired.items()]
    if whole:
        named = {record.identity for record in before.values() if record is not None}
        gone = [job for identity, job in known.items() if identity not in named and job.archived_at is None]
        changes += [_gone(job) for job in gone]
    wanted = [change for change in changes if project is None or change.identity.startswith(f"{project}/")]
    return sorted(wanted, key=lambda change: change.identity)


def _before(job: DesiredJob, desired: Mapping[str, DesiredJob], known: Mapping[str, JobRecord]) -> JobRecord | None:
    """What this job was: under its own name, else under the one it says it had and no file names any more."""
    record = known.get(job.identity)
    named = orjson.loads(job.spec).get("renamed_from")
    if record is not None or named is None:
        return record
    old = reference(named, job.project)
    return None if old in desired else known.get(old)


def _change(job: DesiredJob, record: JobRecord | None) -> Change:
    if record is None:
        return Change(job.identity, "created", _difference(job.identity, b"", job.spec))
    if record.identity != job.identity:
        return Change(job.identity, "renamed", _difference(job.identity, record.spec, job.spec, was=record.identity))
    if record.archived_at is not None:
        return Change(job.identity, "created", _difference(job.identity, b"", job.spec))
    if record.digest == job.digest:
        return Change(job.identity, "unchanged")
    return Change(job.identity, "configured", _difference(job.identity, record.spec, job.spec))


def _gone(record: JobRecord) -> Change:
    if not orjson.loads(record.spec).get("prune", True):
        return Change(record.identity, "unchanged")
    return Change(record.identity, "pruned", _difference(record.identity, record.spec, b""))


def _difference(identity: str, old: bytes, new: bytes, *, was: str | None = None) -> tuple[str, ...]:
    before, after = (dump_yaml(orjson.loads(spec)).splitlines() if spec else [] for spec in (old, new))
    names = (f"applied/{was or identity}" if old else "/dev/null", f"files/{identity}" if new else "/dev/null")
    return tuple(difflib.unified_diff(before, after, *names, lineterm=""))


def print_changes(settings: Settings, changes: Sequence[Change], *, with_text: bool = False, suffix: str = "") -> None:
    """`job/default/hello configured`, one line each, or their data; `with_text`: with the differences."""
    if settings.output not in ("table", "wide"):
        print_items(
            settings,
            changes,
            view=Change.view,
            name=lambda change: f"job/{change.identity}",
            columns=(),
            empty="",
        )
        return
    for change in changes:
        print_lines(settings, [Cell(f"job/{change.identity} {change.word}{suffix}", "bold" if with_text else "")])
        if with_text:
            print_lines(settings, [_coloured(line) for line in change.difference])


def _coloured(line: str) -> Cell:
    match line[:1]:
        case "+":
            return Cell(line, "green")
        case "-":
            return Cell(line, "red")
        case "@":
            return Cell(line, "cyan")
    return Cell(line)
