"""The file `jobsctl backup` writes: a gzipped tar of the database, run files if wanted, and a manifest of checksums.

    jobsctl.db                             a consistent copy, made by SQLite while the daemon works
    outbox.db                              the same of the outbox, where there is one: what waits to be told
    runs/<project>/<job>/<run id>/...      regular files of the runs the copy knows; only where asked for
    manifest.json                          what, when, of which version, and sha256 of every file before it

Nothing in an archive is believed: `unpack` takes regular files with these names only, never follows or makes a link,
writes below one new folder, and a file counts only when its size and checksum are in the manifest. Used by
`state.backup` and `state.restore`. Only `tarfile` of the standard library reads and writes the format; it extracts
nothing by itself.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from state.errors import StateError
from state.ids import is_id

FORMAT = 1
"""Of the archive. A reader refuses a greater one."""
DATABASE = "jobsctl.db"
OUTBOX = "outbox.db"
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 1 << 30
CHUNK = 1 << 20
DEEPEST = 24


class BadArchive(StateError):
    """Raised when a file is no backup, is damaged, or is one this version cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the archive says of itself."""

    format: int = FORMAT
    version: str
    """Of the jobsctl that made it."""
    schema: int
    """Of the database."""
    created_at: int
    """Microseconds UTC."""
    home: str
    specs_root: str | None
    revision: str | None
    """Of the specs, when they were last looked at."""
    jobs: int
    runs: int
    run_files: bool
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Name -> (bytes, sha256 in hex)."""

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_manifest(data: bytes) -> Manifest:
    """Raises BadArchive."""
    try:
        value = orjson.loads(data)
        if value["format"] > FORMAT:
            raise BadArchive(
                f"the backup has format {value['format']}, this jobsctl reads up to {FORMAT}",
                hint=f"restore it with jobsctl {value.get('version')} or newer",
            )
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in value.pop("files").items()}
        return Manifest(**value, files=files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadArchive(f"its manifest cannot be read: {error}", hint="take another backup") from None


class Packer:
    """Writes an archive to a file that is open for writing, in a `with`. Raises OSError."""

    def __init__(self, file: IO[bytes], at: int) -> None:
        self._packed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6)
        self._tar = tarfile.open(fileobj=self._packed, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._at = at // 1_000_000
        self.files: dict[str, tuple[int, str]] = {}

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, *_: object) -> None:
        """Of an archive that was given up too, while its file is open: gzip writes when it is closed, and from Python
        3.12 on complains on stderr when that comes later."""
        with suppress(OSError):
            self._packed.close()

    def add(self, name: str, descriptor: int) -> None:
        """A file as long as it is now; takes the descriptor over."""
        with open(descriptor, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            exact = _Exact(file, size)
            self._tar.addfile(self._entry(name, size), exact)
            self.files[name] = (size, exact.digest.hexdigest())

    def close(self, manifest: Manifest) -> None:
        data = manifest.to_json()
        self._tar.addfile(self._entry(MANIFEST, len(data)), io.BytesIO(data))
        self._tar.close()
        self._packed.close()

    def _entry(self, name: str, size: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, self._at
        return entry


class _Exact(io.RawIOBase):
    """Gives exactly `size` bytes, whatever a job does to the file meanwhile, and their checksum."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        data += b"\0" * (wanted - len(data))
        self._left -= wanted
        self.digest.update(data)
        return data


def unpack(path: Path, into: Path | None) -> Manifest:
    """Read a whole archive and hold every file against its manifest.

    Args:
        into: an empty folder the files are written to, synced; None: only look.

    Raises:
        BadArchive: it is not what it should be; nothing is known of what was written.
        OSError: it cannot be read, or `into` not be written.
    """
    found: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(path, "r|gz") as tar:
            for entry in tar:
                if manifest is not None:
                    raise BadArchive(f"{entry.name!r} stands behind the manifest")
                content = tar.extractfile(entry) if entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) else None
                if content is None or entry.issparse():
                    raise BadArchive(f"{entry.name!r} is not a regular file: no backup has such")
                if entry.name == MANIFEST:
                    manifest = read_manifest(content.read(LARGEST_MANIFEST))
                    continue
                if not is_member(entry.name):
                    raise BadArchive(f"{entry.name!r} is no name of a file in a backup")
                if entry.name in found:
                    raise BadArchive(f"{entry.name!r} is there twice")
                found[entry.name] = _copy(content, None if into is None else into / entry.name)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadArchive(f"{path}: damaged, or no backup: {error}", hint="take another backup") from None
    except BadArchive as error:
        raise BadArchive(f"{path}: {error.message}", hint=error.hint or "take another backup") from None
    except OSError as error:
        if error.errno is None:  # what gzip raises for data that is none
            raise BadArchive(f"{path}: damaged, or no backup: {error}", hint="take another backup") from None
        raise
    if manifest is None or DATABASE not in found:
        raise BadArchive(f"{path}: cut off: it has no end", hint="take another backup")
    if found != manifest.files:
        wrong = sorted(name for name in found.keys() | manifest.files if found.get(name) != manifest.files.get(name))
        raise BadArchive(f"{path}: {wrong[0]} is not what the manifest says", hint="take another backup")
    return manifest


def is_member(name: str) -> bool:
    """Whether a backup may have a file of this name: no way out of the folder it is unpacked into."""
    if name in (DATABASE, OUTBOX):
        return True
    parts = name.split("/")
    return (
        parts[0] == "runs"
        and 5 <= len(parts) <= DEEPEST
        and is_id(parts[3])
        and all(part not in ("", ".", "..") and "\0" not in part for part in parts)
    )


def _copy(content: IO[bytes], target: Path | None) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with nullcontext() if target is None else _new_file(target) as file:
        while data := content.read(CHUNK):
            digest.update(data)
            size += len(data)
            if file is not None:
                file.write(data)
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
    return size, digest.hexdigest()


def _new_file(path: Path) -> IO[bytes]:
    """Buffered: a bare write(2) may take a part of the data only, and says so to nobody who does not count."""
    _make_private(path.parent)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "wb")


def _make_private(folder: Path) -> None:
    """A folder and those above it, 0700: `Path.mkdir` gives that to the last one only."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700)


def run_files(run_dir: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """(name in the archive, descriptor) of every regular file of a run. Left out: links, pipes, what is closed to us.

    Walks by descriptors, so that a job cannot lead it elsewhere.
    """
    try:
        root = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        yield from _walk(root, prefix)
    finally:
        os.close(root)


def _walk(folder: int, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        name = f"{prefix}/{entry.name}"
        try:
            # O_NONBLOCK: a pipe the job left must not hang us.
            inner = os.open(entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            continue
        mode = os.fstat(inner).st_mode
        if stat.S_ISREG(mode) and is_member(name) and _is_text(name):
            yield name, inner
            continue
        try:
            if stat.S_ISDIR(mode) and name.count("/") < DEEPEST - 1:
                yield from _walk(inner, name)
        finally:
            os.close(inner)


def _is_text(name: str) -> bool:
    """JSON and tar's extended headers hold UTF-8 only."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def view_of(manifest: Manifest) -> dict[str, Any]:
    """For `-o json`; the instant as RFC 3339 is the caller's."""
    return {
        "version": manifest.version,
        "schema": manifest.schema,
        "home": manifest.home,
        "specs": {"root": manifest.specs_root, "revision": manifest.revision},
        "jobs": manifest.jobs,
        "runs": manifest.runs,
        "runFiles": manifest.run_files,
        "files": len(manifest.files),
        "bytes": sum(size for size, _ in manifest.files.values()),
    }
