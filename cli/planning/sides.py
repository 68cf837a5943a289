"""The two sides of a plan: what the files say, and what they are compared with. The part of planning that reads.

Called by `jobsctl plan`. What is compared with comes from the database (what the daemon applied), from a git revision
(its objects, no checkout) or from another folder. Needs no daemon, and with `--against` no database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cli.errors import CliError, NotFound, UsageError
from cli.linting import folder_findings
from cli.options import Settings, refuse_empty
from cli.output import say
from cli.planning.before import Before, asked_about, of_files, of_records
from cli.planning.compare import After, make_plan
from cli.planning.plan import Origin, Plan
from cli.specfiles import check, look, timezone_of
from reconciler.sync import PrunePolicy
from specs.config import FILE, Config, load_config, parse_config
from specs.contents import Contents, is_spec
from specs.desired import Desired, DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic, InvalidSpec
from specs.frozen import frozen
from specs.gitobjects import GitError, Repository, UnknownRevision
from specs.snapshot import FilePart
from state.errors import NoDatabase, OlderSchema
from state.reads import Reader

MICROSECOND = 1_000_000


@frozen
class Files:
    """What the files say, and which part of it is asked about."""

    root: Path
    """The specs directory."""
    after: After
    parts: Mapping[str, FilePart]
    places: tuple[str, ...] | None = None
    """Files and folders below the root that are asked about; None: all."""
    gone: tuple[str, ...] = ()
    """Those of them that are not there."""
    giving: tuple[str, ...] = ()
    """The files that give defaults."""

    def wanted(self, path: str) -> bool:
        """Whether a path below the root is asked about."""
        if self.places is None:
            return True
        return any(path == place or place == "" or path.startswith(f"{place}/") for place in self.places)


def plan_files(settings: Settings, paths: Sequence[str], against: str | None, *, detailed: int | None) -> Plan:
    """The plan for the home's specs, or for `paths`.

    Raises:
        InvalidSpec: `jobsctl.yaml` is wrong.
        NotFound: no home, no such path, no such revision or folder.
        CliError: git cannot answer, or a folder cannot be read.
    """
    config = load_config(settings.home.root)
    files = _files(settings, paths, config, alone=against is not None)
    before = _applied(settings, config, files.after) if against is None else _against(settings, against, files, config)
    _check_places(files, before)
    project = settings.project

    def wanted(identity: str, path: str) -> bool:
        mine = project is None or "/" not in identity or identity.startswith(f"{project}/")
        return mine and files.wanted(path)

    def lint(jobs: Sequence[DesiredJob]) -> Sequence[Diagnostic]:
        return folder_findings(
            files.after.desired, files.giving, jobs, now=settings.now(), timezone=files.after.timezone
        )

    limit = config.prune_limit
    guard = PrunePolicy(grace=int(config.prune_grace * MICROSECOND), jobs=limit.jobs, share=limit.share)
    return make_plan(
        before, files.after, now=settings.now(), guard=guard, wanted=wanted, detailed=detailed,
        lint=lint if files.after.whole else None,
    )  # fmt: skip


def _check_places(files: Files, before: Before) -> None:
    """A file that is gone may be asked about: `git diff --name-only` names such ones too."""
    known = [was.path for was in before.jobs.values()] if files.gone else []
    for place in files.gone:
        if not any(path == place or path.startswith(f"{place}/") for path in known):
            raise NotFound(f"{files.root / place}: no such file or directory, and it defined no job before")


def shown_path(plan: Plan, path: str) -> str:
    """A path below the specs directory as people find it from where they are."""
    root = plan.after.name
    return path if root in ("", ".") or path.startswith("/") else f"{root.rstrip('/')}/{path}"


def _files(settings: Settings, paths: Sequence[str], config: Config, *, alone: bool) -> Files:
    """`alone`: a folder elsewhere is a specs directory of its own; else it is added to the home's."""
    refuse_empty(paths)
    root = settings.home.root / config.specs
    if not paths:
        settings.existing_home()
        return _folder(settings, root, config.timezone)
    if "-" not in paths:
        below = {path: _below(root, Path(path)) for path in paths}
        places = tuple(place for place in below.values() if place is not None)
        gone = tuple(place for path, place in below.items() if place is not None and not Path(path).exists())
        if root.is_dir() and len(places) == len(below):
            return replace(_folder(settings, root, config.timezone), places=places, gone=gone)
        if alone and len(paths) == 1 and Path(paths[0]).is_dir():
            return _folder(settings, Path(paths[0]), config.timezone)
    checked = check(settings, paths, lint=True)
    desired = Desired(
        sequence=1, scanned_at=settings.now(), started_at=settings.now(), root=str(root), revision=None,
        jobs={job.identity: job for job in checked.jobs}, invalid=checked.invalid,
        documents={(each.kind, each.name): each for each in checked.documents}, diagnostics=checked.findings,
        files=checked.files,
    )  # fmt: skip
    return Files(root, After(Origin("files", ""), timezone_of(settings), desired, {}, whole=False), {})


def _folder(settings: Settings, root: Path, timezone: str) -> Files:
    desired, source = look(settings, root, timezone)
    parts = source.parts
    origin = Origin("files", _shown(root), desired.revision)
    return Files(root, After(origin, timezone, desired, _defaults(parts)), parts, giving=tuple(source.giving))


def _defaults(parts: Mapping[str, FilePart]) -> dict[str, DesiredDocument]:
    return {path: part.defaults for path, part in parts.items() if part.defaults is not None}


def _below(root: Path, path: Path) -> str | None:
    try:
        place = path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return None
    return "" if place == "." else place


def _shown(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _applied(settings: Settings, config: Config, after: After) -> Before:
    home = settings.existing_home()
    jobs, invalid = after.desired.jobs, after.desired.invalid
    try:
        with Reader(home.database) as reader:
            source = reader.source()
            return of_records(
                Origin("applied", "what the daemon applied", None if source is None else source.revision),
                config.timezone,
                reader.jobs(archived=None) if after.whole else reader.called(asked_about(jobs.values(), invalid)),
                reader.documents(),
                () if source is None else source.diagnostics,
            )
    except (NoDatabase, OlderSchema):
        return Before(Origin("nothing", "nothing"), config.timezone)


def _against(settings: Settings, against: str, files: Files, config: Config) -> Before:
    if not against.strip():
        raise UsageError("--against names nothing", hint="a revision as `main`, or a folder as `./old`")
    folder = Path(against)
    meant = against.startswith((".", "/", "~")) or against.endswith("/")
    if meant and not against.endswith("...") and folder.is_dir():
        return _other_folder(settings, folder, config)
    try:
        repository = Repository.of(files.root)
        commit = repository.commit(against)
    except GitError as error:
        if folder.is_dir():
            return _other_folder(settings, folder, config)
        kind = NotFound if isinstance(error, UnknownRevision) else CliError
        raise kind(str(error), hint=error.hint) from None
    if folder.is_dir():
        say(f"note: comparing with the git revision {against}; the folder is `--against ./{against}`")
    try:
        return _revision(settings, repository, against, commit, files, config)
    except GitError as error:
        raise CliError(str(error), hint=error.hint) from None


def _other_folder(settings: Settings, folder: Path, config: Config) -> Before:
    """A specs directory, or a home with its `jobsctl.yaml`."""
    root = folder
    if (folder / FILE).is_file():
        try:
            config = load_config(folder)
        except InvalidSpec as error:
            raise CliError(f"{folder / FILE}: {error}") from None
        root = folder / config.specs
    desired, source = look(settings, root, config.timezone)
    if desired.problem is not None:
        raise CliError(f"{root}: {desired.problem}")
    return of_files(Origin("directory", _shown(folder)), config.timezone, desired, _defaults(source.parts))


def _revision(
    settings: Settings, repository: Repository, name: str, commit: str, files: Files, config: Config
) -> Before:
    """The specs directory as the commit has it, where the commit's own `jobsctl.yaml` says it is."""
    home = settings.home.root
    root = files.root
    timezone = config.timezone
    if root == home / config.specs and (there := repository.place(home / FILE)) is not None:
        data = repository.file(commit, there)
        told = Config() if data is None else _told(data, f"{name}:{there}")
        root, timezone = home / told.specs, told.timezone
    place = repository.place(root)
    if place is None:
        hint = "the specs directory must be in the repository; `--against DIR` compares with a folder"
        raise UsageError(f"{root} is not in the git repository {repository.top}", hint=hint)
    if not repository.is_folder(commit, place):
        say(f"note: {name} has no {place}/: everything is new")
    contents = Contents(repository.files(commit, place, is_spec), default_timezone=timezone, known=files.parts)
    desired = contents.desired(root=place, revision=commit, now=settings.now())
    return of_files(Origin("revision", name, commit), timezone, desired, contents.defaults)


def _told(data: bytes, shown: str) -> Config:
    try:
        return parse_config(data, shown)
    except InvalidSpec as error:
        first: Diagnostic = error.diagnostics[0]
        say(f"note: {first}; the defaults are taken")
        return Config()
