"""Opening the database file: what is there, is it ours, is it sound; pragmas; connections for writer and readers.

Used by `state.store` and `state.reads`. Looks at a file through a read-only connection before anything may write to it:
a damaged, foreign or newer file is left byte for byte as it is.

Journal: WAL. On a network file system WAL's shared memory does not work, so there it is the rollback journal.
Durability: synchronous=FULL, because a run that is committed will be started: losing the commit would start it twice.
`quick_check` reads the whole file (0.6 s at a million runs), so it runs only after a stop that was not clean: the row
`meta.clean` is 1 only between a `Store.close` and the next open.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from state.errors import NewerSchema, NoDatabase, NotADatabase, OlderSchema, Unwritable, corrupt, from_sqlite
from state.schema import APPLICATION_ID, VERSION

WAL_RESET_FIXED = (3, 51, 3)
"""Older SQLite may damage a WAL database when two connections checkpoint at once (sqlite.org/wal.html, "WAL-reset").
Ours never do: one writer, and read-only connections do not checkpoint. Another program's connection could."""

JOURNAL_LIMIT = 8 << 20
"""Bytes a writer's log is cut to when it begins anew (PRAGMA journal_size_limit). SQLite writes it back at 4 MiB;
without a limit, one that a reader or a large transaction made longer stays so until the last connection is closed."""

_NETWORK = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "virtiofs", "ceph", "glusterfs", "fuse.glusterfs",
        "fuse.sshfs", "fuse.s3fs", "lustre", "afs", "gpfs", "beegfs", "orangefs", "ocfs2", "gfs2", "davfs",
        "fuse.davfs2", "vboxsf", "fuse.vmhgfs-fuse", "drvfs",
    }
)  # fmt: skip


def sqlite_warning() -> str | None:
    """What is wrong with the SQLite this Python has, or None."""
    if sqlite3.sqlite_version_info >= WAL_RESET_FIXED:
        return None
    return (
        f"SQLite {sqlite3.sqlite_version} is older than 3.51.3: do not open the database with another program "
        "for writing while the daemon runs (WAL-reset bug)"
    )


@contextmanager
def own_errors(path: Path) -> Iterator[None]:
    """sqlite3's errors inside the block come out as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise from_sqlite(error, path) from error


def examine(path: Path, *, newest: int | None = None, application_id: int = APPLICATION_ID) -> bool:
    """Whether there is a database to go on with; False when the file is missing or empty. Never changes it.

    Args:
        newest, application_id: schema version and mark that this jobsctl gives files of this kind; left out: those
            of the daemon's database.

    Raises NotADatabase, NewerSchema, CorruptDatabase, Unwritable.
    """
    try:
        with path.open("rb") as file:
            header = file.read(16)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unwritable(
            path, error.strerror or str(error), hint="the daemon's user must be able to read it"
        ) from error
    if not header:
        return False
    if header != b"SQLite format 3\0":
        raise NotADatabase(path, "not an SQLite database", hint="move the file away; a new one will be made")
    with own_errors(path), closing(connect_read_only(path, timeout=5.0)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            return True
        check_version(connection, path, newest=newest, application_id=application_id)
        if connection.execute("SELECT value FROM meta WHERE key = 'clean'").fetchone() != (1,):
            finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if finding != "ok":
                raise corrupt(path, finding)
    return True


def check_version(
    connection: sqlite3.Connection, path: Path, *, newest: int | None = None, application_id: int = APPLICATION_ID
) -> int:
    """The schema version of a database of ours. Raises NotADatabase, NewerSchema."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if connection.execute("PRAGMA application_id").fetchone()[0] != application_id:
        raise NotADatabase(
            path, "an SQLite database of another program", hint="move the file away; a new one will be made"
        )
    newest = VERSION if newest is None else newest
    if version > newest:
        raise NewerSchema(
            path,
            f"written by a newer jobsctl (schema {version}, this one knows {newest})",
            hint=f"run the newer jobsctl, or go back to the backup made before the update ({path.name}.v{newest}.bak)",
        )
    return version


def connect_read_only(path: Path, *, timeout: float) -> sqlite3.Connection:
    """A connection that cannot write. `timeout` in seconds."""
    name = quote(str(path))
    try:
        return _open(f"file:{name}?mode=ro", timeout)
    except sqlite3.OperationalError as error:
        wal = path.with_name(f"{path.name}-wal")
        if not path.is_file() or wal.exists() or (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_CANTOPEN:
            raise
        # A folder we may not write to and no daemon: nothing can change under us, and -shm cannot be made.
        return _open(f"file:{name}?immutable=1", timeout)


def _open(uri: str, timeout: float) -> sqlite3.Connection:
    """A connection that has read the file's first page: SQLite itself would open it only with the first statement."""
    # Threads take turns with a reader's connection.
    connection = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA schema_version")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(
    path: Path, *, timeout: float, newest: int | None = None, application_id: int = APPLICATION_ID
) -> sqlite3.Connection:
    """A connection for reading. Raises NoDatabase, OlderSchema, NewerSchema, NotADatabase and what SQLite finds."""
    if not path.exists():
        raise NoDatabase(path, "no database yet", hint="`jobsctl daemon` makes it; is --home right?")
    with own_errors(path):
        connection = connect_read_only(path, timeout=timeout)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                raise NoDatabase(path, "the database is empty", hint="`jobsctl daemon` fills it")
            check_version(connection, path, newest=newest, application_id=application_id)
            newest = VERSION if newest is None else newest
            if version < newest:
                raise OlderSchema(
                    path, f"schema {version} is older than {newest}", hint="restart the daemon with this version"
                )
            connection.execute("PRAGMA query_only = 1")
        except BaseException:
            connection.close()
            raise
    return connection


def prepare(path: Path) -> None:
    """Make the folder (0700) and an empty file (0600), when they are missing. Raises Unwritable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise Unwritable(
            path,
            error.strerror or str(error),
            hint="the daemon's user needs write access to the file and its folder",
        ) from error


def journal_mode(path: Path) -> str:
    """`wal`, or `delete` where the file lives on a network file system."""
    return "delete" if file_system(path) in _NETWORK else "wal"


def file_system(path: Path, *, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that holds the path, as mountinfo calls it; "" when it cannot be known."""
    try:
        target = os.fsencode(path.resolve())
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return ""
    found, longest = "", -1
    for line in lines:
        left, _, right = line.partition(b" - ")
        point = left.split(b" ")[4].replace(b"\\040", b" ")
        inside = target == point or target.startswith(point.rstrip(b"/") + b"/")
        # A later mount on the same point hides the earlier one.
        if inside and len(point) >= longest:
            found, longest = right.split(b" ")[0].decode(), len(point)
    return found
