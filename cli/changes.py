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
from state.errors import NoDatabase, OlderSchema
from state.reads import Reader
from state.records import JobRecord
from status.yaml import dump_yaml

Word = Literal["created", "configured", "unchanged", "pruned"]


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
        whole: `jobs` are all there are: what is not among them is pruned.
        project: only jobs of this project.
    """
    desired = {job.identity: job for job in jobs}
    changes = [_change(job, known.get(identity)) for identity, job in desired.items()]
    if whole:
        gone = [job for identity, job in known.items() if identity not in desired and job.archived_at is None]
        changes += [Change(job.identity, "pruned", _difference(job.identity, job.spec, b"")) for job in gone]
    wanted = [change for change in changes if project is None or change.identity.startswith(f"{project}/")]
    return sorted(wanted, key=lambda change: change.identity)


def _change(job: DesiredJob, record: JobRecord | None) -> Change:
    if record is None or record.archived_at is not None:
        return Change(job.identity, "created", _difference(job.identity, b"", job.spec))
    if record.digest == job.digest:
        return Change(job.identity, "unchanged")
    return Change(job.identity, "configured", _difference(job.identity, record.spec, job.spec))


def _difference(identity: str, old: bytes, new: bytes) -> tuple[str, ...]:
    before, after = (dump_yaml(orjson.loads(spec)).splitlines() if spec else [] for spec in (old, new))
    names = (f"applied/{identity}" if old else "/dev/null", f"files/{identity}" if new else "/dev/null")
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
