"""What applying files would change, or has changed: one word per job, and the difference as text.

Used by `diff` and `apply`. What becomes of a job is the verdict that `plan` tells too (`cli.planning.compare`).
Compares canonical specs, so formatting and comments are no difference. Values that come from outside (secrets) are
references in a spec and are never read here; what somebody wrote in clear under a secret's name is masked.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import orjson

from cli.options import Settings
from cli.output import Cell, print_items, print_lines
from cli.planning.before import of_records
from cli.planning.compare import After, Verdict, verdicts
from cli.planning.plan import Action, Origin
from cli.planning.spoken import beyond_defaults, with_units
from reconciler.sync import PrunePolicy
from specs.desired import Desired, DesiredJob
from specs.frozen import frozen
from state.errors import NoDatabase, OlderSchema
from state.reads import Reader
from state.records import JobRecord
from status.words.masking import masked_pair
from status.words.yaml import dump_yaml

Word = Literal["created", "configured", "renamed", "unchanged", "pruned"]
_WORDS: Mapping[Action, Word] = {
    "create": "created", "change": "configured", "rename": "renamed", "prune": "pruned", "hold": "pruned",
}  # fmt: skip


@frozen
class Change:
    """What becomes of one job."""

    identity: str
    word: Word
    difference: tuple[str, ...] = ()
    """Unified diff of the specs as YAML, without what both leave at its default, and without line ends."""

    def view(self) -> dict[str, object]:
        """For `-o json`."""
        return {"job": self.identity, "change": self.word, "diff": "".join(f"{line}\n" for line in self.difference)}


def known_jobs(settings: Settings, identities: Collection[str] | None = None) -> Mapping[str, JobRecord]:
    """All jobs ever applied, or those of these identities, archived ones too; none when no daemon ever ran."""
    try:
        with Reader(settings.existing_home().database) as reader:
            found = reader.jobs(archived=None) if identities is None else reader.called(identities)
            return {job.identity: job for job in found}
    except (NoDatabase, OlderSchema):
        return {}


def changes_of(
    jobs: Iterable[DesiredJob], known: Mapping[str, JobRecord], *, whole: bool, project: str | None = None
) -> list[Change]:
    """One change per job, by identity: the verdicts of a plan, in the words of the daemon's events.

    Args:
        whole: `jobs` are all there are: what is not among them is pruned, but for what says `prune: false`.
        project: only jobs of this project.
    """
    desired = {job.identity: job for job in jobs}
    before = of_records(Origin("applied", ""), "UTC", known.values(), (), ())
    found = verdicts(before, _after(desired, whole), now=0, guard=PrunePolicy())
    changes = {each.identity: _change(each) for each in found}
    unchanged = (Change(identity, "unchanged") for identity in desired if identity not in changes)
    wanted = [
        change
        for change in (*changes.values(), *unchanged)
        if project is None or change.identity.startswith(f"{project}/")
    ]
    return sorted(wanted, key=lambda change: change.identity)


def _after(jobs: Mapping[str, DesiredJob], whole: bool) -> After:
    desired = Desired(sequence=1, scanned_at=0, started_at=0, root="", revision=None, jobs=jobs, invalid={}, files=1)
    return After(Origin("files", ""), "UTC", desired, {}, whole)


def _change(verdict: Verdict) -> Change:
    """What the prune guard holds back is told as pruned: that is what the files say."""
    old = b"" if verdict.was is None or verdict.restored else verdict.was.spec
    new = b"" if verdict.job is None else verdict.job.spec
    if verdict.action in ("keep", "invalid"):
        return Change(verdict.identity, "unchanged")
    was = verdict.was.identity if verdict.action == "rename" and verdict.was is not None else None
    return Change(verdict.identity, _WORDS[verdict.action], _difference(verdict.identity, old, new, was=was))


def _difference(identity: str, old: bytes, new: bytes, *, was: str | None = None) -> tuple[str, ...]:
    specs = [orjson.loads(spec) if spec else None for spec in (old, new)]
    said = [spec and beyond_defaults(spec, other) for spec, other in zip(specs, reversed(specs), strict=True)]
    pair = masked_pair(*said)
    before, after = (dump_yaml(with_units(spec)).splitlines() if spec is not None else [] for spec in pair)
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
