"""Spec files as the command line is given them: paths, folders, standard input, or the home's own specs directory.

Used by `validate`, `diff`, `apply` and `delete`. A folder is read as the daemon reads it (`specs.source`), so both find
the same jobs and the same mistakes. Findings are shown under the path that was typed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cli.errors import CliError, NotFound
from cli.options import Settings
from specs.config import load_config
from specs.desired import Desired, DesiredJob
from specs.diagnostic import Diagnostic, InvalidSpec, Severity
from specs.load import load_bytes
from specs.source import Source

STDIN = "-"
SETTLE = 3.0
"""Seconds for a file that is being written to be complete."""
LARGEST_INPUT = 16 << 20
"""Bytes of standard input: more is no spec, and is refused before it fills the memory."""


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One file that was given by name, or standard input."""

    shown: str
    """As typed; `-` for standard input."""
    path: Path | None
    data: bytes
    jobs: tuple[DesiredJob, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """All that was read. `jobs` has the path that is shown; `files` are those given by name, `seen` all of them."""

    jobs: tuple[DesiredJob, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    named: tuple[SpecFile, ...] = ()
    folders: tuple[Path, ...] = ()
    files: int = 0
    invalid: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


def specs_root(settings: Settings) -> Path:
    """The home's specs directory, absolute: `specs:` of `jobsctl.yaml`, else `jobs/`. Raises `InvalidSpec`."""
    home = settings.home
    return home.root / load_config(home.root).specs


def read_home(settings: Settings) -> Checked:
    """The home's specs directory. Raises `NotFound` when it is not there, `InvalidSpec` for a wrong `jobsctl.yaml`."""
    settings.existing_home()
    return check(settings, [str(specs_root(settings))])


def check(settings: Settings, paths: Sequence[str]) -> Checked:
    """Read and check everything at `paths`; none means the home's specs, with its `jobsctl.yaml`.

    Raises:
        NotFound: a path is not there.
        CliError: a path cannot be read.
    """
    if not paths:
        settings.existing_home()
        try:
            return read_home(settings)
        except InvalidSpec as error:
            shown = [finding.at(_shown(settings.home.config)) for finding in error.diagnostics]
            return Checked(findings=tuple(shown), files=1)
    timezone = _timezone(settings)
    parts = [_check_one(settings, text, timezone) for text in dict.fromkeys(paths)]
    whole = Checked(
        jobs=tuple(job for part in parts for job in part.jobs),
        findings=tuple(finding for part in parts for finding in part.findings),
        named=tuple(file for part in parts for file in part.named),
        folders=tuple(folder for part in parts for folder in part.folders),
        files=sum(part.files for part in parts),
        invalid={identity: found for part in parts for identity, found in part.invalid.items()},
    )
    return whole if len(parts) == 1 else _without_doubles(whole)


def _timezone(settings: Settings) -> str:
    """Of schedules that name none. A broken `jobsctl.yaml` does not keep a file from being checked."""
    try:
        return load_config(settings.home.root).timezone
    except InvalidSpec:
        return "UTC"


def _check_one(settings: Settings, text: str, timezone: str) -> Checked:
    if text == STDIN:
        data = sys.stdin.buffer.read(LARGEST_INPUT + 1)
        if len(data) > LARGEST_INPUT:
            raise CliError(f"standard input is larger than {LARGEST_INPUT >> 20} MiB", hint="specs are small files")
        return _check_file(STDIN, None, data, timezone)
    path = Path(text)
    if path.is_dir():
        return _check_folder(settings, path, timezone)
    try:
        return _check_file(_shown(path), path, path.read_bytes(), timezone)
    except FileNotFoundError:
        raise NotFound(
            f"{text}: no such file or directory", hint="name a spec file, a folder, or - for stdin"
        ) from None
    except OSError as error:
        raise CliError(f"{text}: {error.strerror}") from error


def _check_file(shown: str, path: Path | None, data: bytes, timezone: str) -> Checked:
    found = load_bytes(data, shown, default_timezone=timezone)
    return Checked(
        jobs=found.jobs,
        findings=found.diagnostics,
        named=(SpecFile(shown, path, data, found.jobs),),
        files=1,
        invalid=found.invalid,
    )


def _check_folder(settings: Settings, folder: Path, timezone: str) -> Checked:
    desired = look_once(settings, folder, timezone)
    if desired.problem is not None:
        raise CliError(f"{_shown(folder)}: {desired.problem}")
    prefix = _shown(folder)

    def under(path: str) -> str:
        return os.path.join(prefix, path) if prefix != "." else path

    return Checked(
        jobs=tuple(replace(job, path=under(job.path)) for _, job in sorted(desired.jobs.items())),
        findings=tuple(finding.at(under(finding.path)) for finding in desired.diagnostics),
        folders=(folder,),
        files=desired.files,
        invalid=desired.invalid,
    )


def look_once(settings: Settings, folder: Path, timezone: str = "UTC") -> Desired:
    """What the folder says now. Files that are being written are waited for, as long as a person would."""
    source = Source(folder, now=settings.now, default_timezone=timezone)
    deadline = settings.clock.monotonic() + SETTLE
    look = source.look()
    while look.again_in is not None and look.desired.problem is None and settings.clock.monotonic() < deadline:
        time.sleep(min(look.again_in, SETTLE))
        look = source.look()
    return look.desired


def _shown(path: Path) -> str:
    """Relative to where we are when it is below, so that an editor or a code host finds the file; else as it is."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


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
