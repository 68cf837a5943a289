"""Where a spec file goes that somebody applies: into the specs directory, or nowhere when it is there already.

Used by `apply` and `delete`. Never overwrites a file that defines another job, never makes a second file for a job.
A file appears whole or not at all: the daemon reads the directory at any moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.changes import known_jobs
from cli.errors import Refused, UsageError
from cli.modeline import for_editors, is_ours
from cli.options import Settings
from cli.specfiles import Checked, SpecFile, load_at, look_once
from specs.desired import DesiredJob
from specs.scan import SUFFIXES
from state.durability import sync_folder
from state.inbox import daemon_alive


@dataclass(frozen=True, slots=True)
class Placement:
    """One file to write: `data` to `target`. `replaces` tells whether it is there already, with other content."""

    target: Path
    data: bytes
    replaces: bool


def placements(checked: Checked, root: Path, where: Mapping[str, str]) -> list[Placement]:
    """What has to be written so that the directory `root` says what `checked` says.

    Args:
        where: `where_defined` of the jobs.

    Raises:
        Refused: a file or job of that name is there and is another's.
        UsageError: standard input without a job gives no file name.
    """
    found: list[Placement] = []
    for path in checked.giving:
        if not _is_below(Path(path), root):
            raise _misplaced(path, root)
    for file in _given_files(checked):
        if file.path is not None and _is_below(file.path, root):
            continue
        target = _target(file, root, where)
        if any(other.target == target for other in found):
            raise Refused(f"two of the files would become {target}", hint="rename one of them")
        data = for_editors(file.data, target, root)
        if not target.exists():
            found.append(Placement(target, data, replaces=False))
            continue
        there = target.read_bytes()
        if there not in (data, file.data):
            _check_replaceable(root, target, file)
            found.append(Placement(target, data if is_ours(there, target, root) else file.data, replaces=True))
    return found


def _given_files(checked: Checked) -> Iterable[SpecFile]:
    yield from checked.named
    for folder in checked.folders:
        jobs: dict[str, list[DesiredJob]] = {document.path: [] for document in checked.documents}
        for job in checked.jobs:
            jobs.setdefault(job.path, []).append(job)
        for shown, those in sorted(jobs.items()):
            path = Path(shown)
            if path.is_file() and _is_below(path, folder):
                others = tuple(each.identity for each in checked.documents if each.path == shown)
                yield SpecFile(shown, path, path.read_bytes(), tuple(those), others)


def _target(file: SpecFile, root: Path, where: Mapping[str, str]) -> Path:
    if not file.jobs and not file.others:
        raise UsageError(f"{file.shown} defines no job: there is nothing to apply")
    if "Defaults" in file.others:
        raise _misplaced(file.shown, root)
    places = sorted({where[job.identity] for job in file.jobs if job.identity in where})
    if len(places) > 1:
        raise Refused(f"the jobs of {file.shown} are defined in {' and '.join(places)} now", hint="edit them there")
    if places:
        return root / places[0]
    first = file.jobs[0].name if file.jobs else file.others[0].partition(":")[2]
    name = f"{first}.yaml" if file.path is None else file.path.name
    if not name.endswith(SUFFIXES) or name.startswith("."):
        raise UsageError(
            f"{file.shown}: the daemon reads files that end in {', '.join(SUFFIXES)} and do not begin with a dot",
            hint="rename it",
        )
    return root / name


def _misplaced(path: str, root: Path) -> Refused:
    return Refused(
        f"{path} gives defaults to the jobs of its folder, and would give them to others in {root}",
        hint=f"copy the folder into {root} yourself; the daemon sees it there",
    )


def _check_replaceable(root: Path, target: Path, file: SpecFile) -> None:
    """Replacing a file must not lose what the new one does not have."""
    if load_at(root, target.relative_to(root).as_posix(), target.read_bytes()).unreadable:
        raise Refused(f"{target} is there and cannot be read", hint="correct or remove it first")
    new = {job.identity for job in file.jobs} | set(file.others)
    lost = sorted(identities_in(root, target).keys() - new)
    if lost:
        raise Refused(
            f"{target} defines {', '.join(lost)} too, which {file.shown} does not",
            hint="edit that file, or rename yours",
        )


def write(placement: Placement) -> None:
    """Durably, and in one step: whoever reads sees the old file or the new one."""
    target = placement.target
    target.parent.mkdir(parents=True, exist_ok=True)
    # The daemon ignores names that start with a dot.
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with partial.open("xb") as file:
            file.write(placement.data)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def remove(path: Path) -> None:
    """Durably."""
    path.unlink()
    sync_folder(path.parent)


def _is_below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def where_defined(settings: Settings, root: Path, identities: Iterable[str]) -> Mapping[str, str]:
    """The files below `root` that define these jobs, relative to it; a job that no file defines is not in it.

    What was applied says where to look, so that one job does not cost reading 10,000 files. With no daemon running
    nobody has looked at the newest files: then all are read.
    """
    wanted = set(identities)
    known = known_jobs(settings, wanted)
    found: dict[str, str] = {}
    for identity in wanted & known.keys():
        if identity in identities_in(root, root / known[identity].path):
            found[identity] = known[identity].path
    if wanted - found.keys() and root.is_dir() and not daemon_alive(settings.home):
        desired = look_once(settings, root)
        found |= {identity: job.path for identity, job in desired.jobs.items() if identity in wanted}
        for identity, findings in desired.invalid.items():
            if identity in wanted:
                found[identity] = findings[0].path
    return found


def identities_in(root: Path, path: Path) -> dict[str, int]:
    """Identity and first line of all that the file below `root` defines, soundly or not: jobs, `Pool:db`, `Defaults`.

    Empty when it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    there = load_at(root, path.relative_to(root).as_posix(), data)
    lines = {
        identity: found[0].line for each in (there.invalid, there.invalid_documents) for identity, found in each.items()
    }
    lines |= {job.identity: job.line for job in there.jobs}
    lines |= {document.identity: document.line for document in there.documents}
    return lines | ({"Defaults": 1} if there.has_defaults else {})
