"""Making a backup while the daemon works: a copy of the database by SQLite, checked, and run files if wanted.

Called by the command line. Reads the state; what it writes is the archive, and when it was made (`Home.last_backup`).
The copy is one read transaction (`VACUUM INTO`, https://www.sqlite.org/lang_vacuum.html), so the daemon never waits.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import orjson

from state.archive import DATABASE, OUTBOX, Manifest, Packer, run_files, unpack
from state.database import check_version, connect_read_only, own_errors
from state.durability import sync_folder
from state.errors import NoDatabase, OlderSchema, StateError, corrupt, from_os
from state.home import Home
from state.outbox import schema as outbox_schema
from state.reads import Reader
from state.records import SourceState
from state.schema import APPLICATION_ID

_FOLDERS = (
    "SELECT coalesce(run.filed_under, job.project || '/' || job.name) || '/' || run.id "
    "FROM run JOIN job ON job.id = run.job_id ORDER BY run.id"
)
"""Of every run, below `runs/`."""
FILED = 3
"""The schema since which a run knows the folder its files are in."""
_FOLDERS_BEFORE = _FOLDERS.replace(
    "coalesce(run.filed_under, job.project || '/' || job.name)", "job.project || '/' || job.name"
)


def make_backup(
    home: Home,
    target: Path,
    *,
    now: int,
    version: str,
    with_runs: bool,
    tell: Callable[[str], None] = lambda what: None,
) -> Manifest:
    """Write the archive to `target`: complete and verified under its name, or not there at all; 0600.

    Args:
        now: microseconds UTC.
        version: of this jobsctl.
        with_runs: output, results and files of every stored run too.
        tell: told what is being done.

    Raises:
        StateError: there is no database, it is damaged, or the archive cannot be written or does not verify.
    """
    if not home.database.exists():
        raise NoDatabase(home.database, "no database yet", hint="`jobsctl daemon` makes it; is --home right?")
    if target.resolve().is_relative_to(home.state.resolve()):
        raise StateError(
            f"{target} is inside the state it would save", hint="write it somewhere else, best another disk"
        )
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    copy, outbox = partial.with_suffix(".db"), partial.with_suffix(".outbox")
    try:
        try:
            # Before the database: what the outbox has not read yet is then in the copy of that.
            has_outbox = _copy_outbox(home, outbox, tell)
            manifest = _write(
                home, partial, copy, outbox if has_outbox else None,
                now=now, version=version, with_runs=with_runs, tell=tell,
            )  # fmt: skip
            tell("verifying")
            unpack(partial, None)
            partial.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            raise from_os(error, target) from error
    finally:
        for path in (partial, copy, outbox):
            with suppress(FileNotFoundError):
                path.unlink()
    _note(home, target, now)
    return manifest


def _write(
    home: Home,
    partial: Path,
    copy: Path,
    outbox: Path | None,
    *,
    now: int,
    version: str,
    with_runs: bool,
    tell: Callable[[str], None],
) -> Manifest:
    tell("copying the database")
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file, Packer(file, now) as packer:
        schema = copy_database(home.database, copy)
        source = _source(copy)
        with own_errors(copy), closing(connect_read_only(copy, timeout=5.0)) as connection:
            jobs = connection.execute("SELECT count(*) FROM job").fetchone()[0]
            folders = [row[0] for row in connection.execute(_FOLDERS if schema >= FILED else _FOLDERS_BEFORE)]
        packer.add(DATABASE, os.open(copy, os.O_RDONLY | os.O_CLOEXEC))
        if outbox is not None:
            packer.add(OUTBOX, os.open(outbox, os.O_RDONLY | os.O_CLOEXEC))
        for number, folder in enumerate(folders if with_runs else (), 1):
            if number % 100 == 1:
                tell(f"packing run {number} of {len(folders)}")
            for name, inner in run_files(home.runs / folder, f"runs/{folder}"):
                packer.add(name, inner)
        manifest = Manifest(
            version=version,
            schema=schema,
            created_at=now,
            home=str(home.root),
            specs_root=source.root if source else None,
            revision=source.revision if source else None,
            jobs=jobs,
            runs=len(folders),
            run_files=with_runs,
            files=packer.files,
        )
        packer.close(manifest)
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _source(copy: Path) -> SourceState | None:
    """The last look at the specs. A database of an older jobsctl can be saved too; this one cannot read all of it."""
    try:
        with Reader(copy) as reader:
            return reader.source()
    except OlderSchema:
        return None


def _copy_outbox(home: Home, copy: Path, tell: Callable[[str], None]) -> bool:
    """Whether there is an outbox and it could be copied: history is saved without it rather than not at all."""
    if not home.outbox.exists():
        return False
    try:
        copy_outbox(home.outbox, copy)
    except StateError as error:
        tell(f"leaving out what waits to be told: {error.message}")
        with suppress(FileNotFoundError):
            copy.unlink()
        return False
    return True


def copy_database(source: Path, copy: Path) -> int:
    """A consistent copy, sound from the first page to the last; its schema version. Raises StateError, OSError."""
    return _copy(source, copy, newest=None, application_id=APPLICATION_ID)


def copy_outbox(source: Path, copy: Path) -> int:
    """As `copy_database`, of an outbox."""
    return _copy(source, copy, newest=outbox_schema.VERSION, application_id=outbox_schema.APPLICATION_ID)


def _copy(source: Path, copy: Path, *, newest: int | None, application_id: int) -> int:
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with own_errors(source), closing(connect_read_only(source, timeout=30.0)) as connection:
        schema = check_version(connection, source, newest=newest, application_id=application_id)
        connection.execute("VACUUM INTO ?", (str(copy),))
    check_copy(copy, newest=newest, application_id=application_id)
    return schema


def check_outbox(copy: Path) -> int:
    """As `check_copy`, of an outbox."""
    return check_copy(copy, newest=outbox_schema.VERSION, application_id=outbox_schema.APPLICATION_ID)


def check_copy(copy: Path, *, newest: int | None = None, application_id: int = APPLICATION_ID) -> int:
    """The schema version of a database that nobody else has open. Raises CorruptDatabase, NewerSchema, NotADatabase."""
    with own_errors(copy), closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        schema = check_version(connection, copy, newest=newest, application_id=application_id)
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise corrupt(copy, found)
        wrong = connection.execute("PRAGMA foreign_key_check").fetchone()
        if wrong is not None:
            raise corrupt(copy, f"a row of {wrong[0]} belongs to none of {wrong[2]}")
    return schema


def _note(home: Home, target: Path, now: int) -> None:
    """For `jobsctl doctor`. The backup is made: that this cannot be written does not unmake it."""
    spare = home.last_backup.with_suffix(".tmp")
    with suppress(OSError):
        spare.write_bytes(orjson.dumps({"at": now, "file": str(target.absolute())}))
        spare.replace(home.last_backup)
