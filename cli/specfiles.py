"""Spec files as the command line is given them: paths, folders, standard input, or the home's own specs directory.

Used by `validate`, `diff`, `apply` and `delete`. A folder is read as the daemon reads it (`specs.source`), a file with
what its folders give to its jobs (`specs.placed`), so both find the same jobs and the same mistakes. Findings are shown
under the path that was typed.

A file of the home's specs directory is read where it stands; another one as if it stood at the top of that directory,
where `apply` would put it; without a home, where it stands.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cli.errors import CliError, NotFound
from cli.linting import FolderDocuments, Linting
from cli.machine import ThisMachine, base_dir
from cli.options import Settings, refuse_empty
from specs.config import load_config
from specs.desired import Desired, DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic, InvalidSpec, Severity
from specs.frozen import frozen
from specs.load import FileResult
from specs.placed import Placed
from specs.scan import shown as escaped

if TYPE_CHECKING:
    from specs.source import Source

STDIN = "-"
SETTLE = 3.0
"""Seconds for a file that is being written to be complete."""
GIT_PATIENCE = 300_000
"""Microseconds for git to finish. Not longer: within a hook of `git commit --all` it is at work until we have ended."""
LARGEST_INPUT = 16 << 20
"""Bytes of one file or standard input: more is no spec, and is refused before it fills the memory."""


@frozen
class SpecFile:
    """One file that was given by name, or standard input."""

    shown: str
    """As typed; `-` for standard input."""
    path: Path | None
    data: bytes
    jobs: tuple[DesiredJob, ...]
    others: tuple[str, ...] = ()
    """What else it defines: `Pool:db`, and `Defaults`."""
    placed: Placed | None = None


@frozen
class Checked:
    """All that was read. `jobs` has the path that is shown; `files` are those given by name, `seen` all of them."""

    jobs: tuple[DesiredJob, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    named: tuple[SpecFile, ...] = ()
    folders: tuple[Path, ...] = ()
    files: int = 0
    paths: tuple[str, ...] = ()
    """Every file that was checked, as shown."""
    invalid: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    documents: tuple[DesiredDocument, ...] = ()
    """Pools and calendars of the folders."""
    giving: tuple[str, ...] = ()
    """Files in the folders that give defaults to the jobs of theirs."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


def specs_root(settings: Settings) -> Path:
    """The home's specs directory, absolute: `specs:` of `jobsctl.yaml`, else `jobs/`. Raises `InvalidSpec`."""
    home = settings.home
    return home.root / load_config(home.root).specs


def read_home(settings: Settings, *, lint: bool = False, here: bool = False) -> Checked:
    """The home's specs directory. Raises `NotFound` when it is not there, `InvalidSpec` for a wrong `jobsctl.yaml`."""
    settings.existing_home()
    return check(settings, [str(specs_root(settings))], lint=lint, here=here)


def check(settings: Settings, paths: Sequence[str], *, lint: bool = False, here: bool = False) -> Checked:
    """Read and check everything at `paths`; none means the home's specs, with its `jobsctl.yaml`.

    Args:
        lint: with the warnings of `specs.lint` among the findings.
        here: and with those that only the machine which runs the jobs can tell.

    Raises:
        NotFound: a path is not there.
        CliError: a path cannot be read.
    """
    refuse_empty(paths)
    if not paths:
        settings.existing_home()
        try:
            return read_home(settings, lint=lint, here=here)
        except InvalidSpec as error:
            shown = [finding.at(_shown(settings.home.config)) for finding in error.diagnostics]
            return Checked(findings=tuple(shown), files=1)
    timezone = timezone_of(settings)
    root = _root(settings)
    home = settings.home.root

    @cache
    def look_home() -> Desired:
        return look_once(settings, root or home, timezone)

    linting = Linting(
        wanted=lint,
        now=settings.now(),
        timezone=timezone,
        programs=ThisMachine(base_dir(root or home, home), os.environ.get("PATH")) if here else None,
        elsewhere=lambda: look_home().jobs if root is not None else {},
    )
    parts = [_check_one(settings, text, timezone, linting) for text in dict.fromkeys(paths)]
    whole = Checked(
        jobs=tuple(job for part in parts for job in part.jobs),
        findings=tuple(finding for part in parts for finding in part.findings),
        named=tuple(file for part in parts for file in part.named),
        folders=tuple(folder for part in parts for folder in part.folders),
        files=sum(part.files for part in parts),
        paths=tuple(path for part in parts for path in part.paths),
        invalid={identity: found for part in parts for identity, found in part.invalid.items()},
        documents=tuple(document for part in parts for document in part.documents),
        giving=tuple(path for part in parts for path in part.giving),
    )
    whole = whole if len(parts) == 1 else _without_doubles(whole)
    return whole if root is None else _with_missing_names(whole, look_home)


def _with_missing_names(checked: Checked, look_home: Callable[[], Desired]) -> Checked:
    """What jobs of files given by name name, and no file of the home defines. Reads the home only when they do so."""
    placed = [file.placed for file in checked.named if file.placed is not None and file.placed.result.links]
    if not placed:
        return checked
    desired = look_home()
    names = {*desired.jobs, *desired.invalid, *(job.identity for job in checked.jobs), *checked.invalid}
    names |= {f"{kind}:{name}" for kind, name in (*desired.documents, *desired.invalid_documents)}
    names |= {other for file in checked.named for other in file.others}
    wrong = {identity: found for each in placed for identity, found in each.missing(names).items()}
    return replace(
        checked,
        jobs=tuple(job for job in checked.jobs if job.identity not in wrong),
        findings=(*checked.findings, *(finding for found in wrong.values() for finding in found)),
        invalid={**checked.invalid, **wrong},
    )


def timezone_of(settings: Settings) -> str:
    """Of schedules that name none. A broken `jobsctl.yaml` does not keep a file from being checked."""
    try:
        return load_config(settings.home.root).timezone
    except InvalidSpec:
        return "UTC"


def _check_one(settings: Settings, text: str, timezone: str, linting: Linting) -> Checked:
    if text == STDIN:
        data = _read(sys.stdin.buffer, "standard input")
        return _check_file(settings, STDIN, None, data, timezone, linting)
    path = Path(text)
    if path.is_dir():
        return _check_folder(settings, path, timezone, linting)
    try:
        with path.open("rb") as file:
            data = _read(file, text)
        return _check_file(settings, _shown(path), path, data, timezone, linting)
    except FileNotFoundError:
        raise NotFound(
            f"{text}: no such file or directory", hint="name a spec file, a folder, or - for stdin"
        ) from None
    except OSError as error:
        raise CliError(f"{text}: {error.strerror}") from error


def _read(file: IO[bytes], name: str) -> bytes:
    data = file.read(LARGEST_INPUT + 1)
    if len(data) > LARGEST_INPUT:
        raise CliError(f"{name} is larger than {LARGEST_INPUT >> 20} MiB", hint="specs are small files")
    return data


def _check_file(
    settings: Settings, shown: str, path: Path | None, data: bytes, timezone: str, linting: Linting
) -> Checked:
    root = _root(settings)
    if path is not None and (root is None or not path.resolve().is_relative_to(root.resolve())):
        root = path.parent if root is None else root
        place = path.name
    else:
        place = STDIN if path is None else path.resolve().relative_to((root or path.parent).resolve()).as_posix()
    placed = _placed(root or Path(), place, data, timezone, shown)
    found = placed.result
    return Checked(
        jobs=found.jobs,
        findings=linting.of_file(placed, data, shown),
        named=(SpecFile(shown, path, data, found.jobs, others_of(found), placed),),
        files=1,
        paths=(shown,),
        invalid=found.invalid,
    )


def _root(settings: Settings) -> Path | None:
    """The home's specs directory, when there is one."""
    try:
        root = specs_root(settings)
    except InvalidSpec:
        root = settings.home.root / "jobs"
    return root if root.is_dir() else None


def load_at(root: Path, place: str, data: bytes, timezone: str = "UTC") -> FileResult:
    """What a file with this content says at `place` below `root`."""
    return _placed(root, place, data, timezone, _shown(root / place)).result


def _placed(root: Path, place: str, data: bytes, timezone: str, shown: str) -> Placed:
    def name(path: str) -> str:
        return shown if path == place else _shown(root / path)

    return Placed(root, place, data, default_timezone=timezone, shown=name)


def others_of(found: FileResult) -> tuple[str, ...]:
    """What a file defines besides jobs."""
    names = [document.identity for document in found.documents] + list(found.invalid_documents)
    return (*names, *(("Defaults",) if found.has_defaults else ()))


def _check_folder(settings: Settings, folder: Path, timezone: str, linting: Linting) -> Checked:
    """A folder inside the specs directory is a part of that: what its jobs name may be in another."""
    root = _root(settings)
    inside = root is not None and folder.resolve() != root.resolve() and folder.resolve().is_relative_to(root.resolve())
    whole = root if root is not None and inside else folder
    desired, source = look(settings, whole, timezone)
    if desired.problem is not None:
        raise CliError(f"{_shown(folder)}: {desired.problem}")
    part = f"{folder.resolve().relative_to(whole.resolve()).as_posix()}/" if inside else ""
    prefix = _shown(whole)

    def under(path: str) -> str:
        return os.path.join(prefix, path) if prefix != "." else path

    # A finding about a default of a folder above is one about the jobs of this one.
    above = {path for path in source.giving if part.startswith("".join(path.rpartition("/")[:2]))}

    def asked(path: str) -> bool:
        return path.startswith(part) or path in above

    invalid = {each: found for each, found in desired.invalid.items() if any(asked(finding.path) for finding in found)}
    documents = [document for document in desired.documents.values() if document.path.startswith(part)]
    jobs = [job for _, job in sorted(desired.jobs.items()) if job.path.startswith(part)]
    findings = [each.at(under(each.path)) for each in desired.diagnostics if asked(each.path)]
    reader = FolderDocuments(whole, source.giving, timezone, under)
    files = {under(path): whole / path for path in source.parts if path.startswith(part)}
    return Checked(
        jobs=tuple(replace(job, path=under(job.path)) for job in jobs),
        findings=linting.of_folder(jobs, desired.jobs, findings, reader, files, () if desired.invalid else documents),
        folders=(folder,),
        files=len(files),
        paths=tuple(files),
        invalid=invalid,
        documents=tuple(replace(document, path=under(document.path)) for document in documents),
        giving=tuple(under(path) for path in source.giving if path.startswith(part)),
    )


def look_once(settings: Settings, folder: Path, timezone: str = "UTC") -> Desired:
    """What the folder says now. Files that are being written are waited for, as long as a person would."""
    return look(settings, folder, timezone)[0]


def look(settings: Settings, folder: Path, timezone: str) -> tuple[Desired, Source]:
    """As `look_once`, with the source that was asked: its files and their parts."""
    from specs.source import Source  # 5 ms and more that a look at single files need not pay

    source = Source(folder, now=settings.now, default_timezone=timezone, git_patience=GIT_PATIENCE)
    deadline = settings.clock.monotonic() + SETTLE
    look = source.look()
    while look.again_in is not None and settings.clock.monotonic() < deadline:
        if look.desired.problem is not None and not look.postponed:
            break
        time.sleep(min(look.again_in, SETTLE))
        look = source.look()
    return look.desired, source


def _shown(path: Path) -> str:
    """Relative to where we are when it is below, so that an editor or a code host finds the file; else as it is.

    Written as the daemon writes it: a file's name may be no text at all.
    """
    try:
        return escaped(str(path.absolute().relative_to(Path.cwd())))
    except ValueError:
        return escaped(str(path))


def _without_doubles(checked: Checked) -> Checked:
    """One identity in two of the given files: an error at both, as in one folder."""
    places: dict[str, list[DesiredJob]] = {}
    for job in checked.jobs:
        places.setdefault(job.identity, []).append(job)
    findings = list(checked.findings)
    for identity, jobs in places.items():
        for job in jobs if len(jobs) > 1 else ():
            other = next(each for each in jobs if each is not job)
            findings.append(
                Diagnostic(
                    "JOB050",
                    f"`{identity}` is also defined at {other.path}:{other.line}",
                    job.path,
                    job.line,
                    help="rename one of the two, or remove it",
                    identity=identity,
                )
            )
    unique = tuple(job for job in checked.jobs if len(places[job.identity]) == 1)
    return replace(checked, jobs=unique, findings=tuple(findings))
