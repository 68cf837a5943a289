"""The directory of one run: what is in it besides output (see `state.logs`), how it is read, how it goes.

Layout of `runs/<project>/<job>/<run id>/`, made by the supervisor:
  output.log | stdout.log + stderr.log   exactly what the job wrote; *.idx and *.gap beside them: `state.logs`
  series.bin      24-byte records: time (µs, signed), CPU used so far (µs), memory now (bytes); little endian
  progress.json   the job's own word on how far it is; result.json: on what came out. JSON objects, at most 64 KiB
  outputs/        files the job wants kept
  run.json        the run as stored, and the spec it ran under; written at its end

A job can put anything there: symlinks, pipes, half-written and huge files. Nothing here follows a link or blocks on a
pipe, and what is not as described counts as absent. Used by the daemon, the status process and the command line.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

import orjson

from specs.frozen import frozen
from state.errors import Unwritable
from state.home import Home
from state.ids import is_id
from state.records import Run

STREAMS = ("output", "stdout", "stderr")
"""What a run writes; the first, or the two others where the spec keeps them apart."""
PROGRESS = "progress.json"
RESULT = "result.json"
RUN_JSON = "run.json"
OUTPUTS = "outputs"
SERIES = "series.bin"
MAX_DOCUMENT = 65_536
"""Bytes of progress.json and result.json: they are stored in the run's row."""
MAX_OUTPUTS = 10_000
MAX_DEPTH = 16
MAX_SAMPLES = 50_000
"""Looks of one run that are read for one answer: those of a week. A run of a year has two million."""
_RECORD = struct.Struct("<qQQ")


@frozen
class Sample:
    """One look at a run's process tree."""

    at: int
    """Microseconds, UTC."""
    cpu_seconds: float
    """Used since the start."""
    memory: int
    """Bytes; in a thinned-out series the peak of the interval that ends at `at`."""


@frozen
class OutputFile:
    """A file the job left in `outputs/`."""

    path: str
    """Relative to `outputs/`; undecodable bytes as `\\xNN`."""
    size: int
    modified_at: int
    """Microseconds, UTC."""


def open_plain(path: Path | str) -> int | None:
    """A descriptor for reading a regular file; None for anything else: absent, a link, a pipe, not ours to read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def read_progress(run_dir: Path | str) -> dict[str, Any] | None:
    """What the job says about its progress now; None when it says nothing sound (half-written: ask again later)."""
    return _document(f"{run_dir}/{PROGRESS}")


def read_result(run_dir: Path | str) -> dict[str, Any] | None:
    """What the job says came out; None when it says nothing sound."""
    return _document(f"{run_dir}/{RESULT}")


def _document(path: str) -> dict[str, Any] | None:
    descriptor = open_plain(path)
    if descriptor is None:
        return None
    try:
        with open(descriptor, "rb") as file:
            data = file.read(MAX_DOCUMENT + 1)
    except OSError:
        return None
    if len(data) > MAX_DOCUMENT:
        return None
    try:
        value = orjson.loads(data)
        orjson.dumps(_nested(value))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value if isinstance(value, dict) else None


def _nested(value: object) -> object:
    """Inside as much as anything that holds it is: orjson reads 1,024 levels and writes 254."""
    for _ in range(32):
        value = [value]
    return value


def last_series(run_dir: Path, count: int | None = None, *, most: int = MAX_SAMPLES) -> bytes:
    """The records of the last `count` looks, or of all; b"" when there are none. One cut by a crash is left out.

    Of more than `most` it is every so many-th, the last among them: CPU adds up all the same, a peak of memory in
    between is lost (the run's row has the highest). So the file may have any size.
    """
    descriptor = open_plain(run_dir / SERIES)
    if descriptor is None:
        return b""
    size = _RECORD.size
    with open(descriptor, "rb") as file:
        whole = os.fstat(descriptor).st_size // size
        wanted = whole if count is None else min(count, whole)
        if wanted > most:
            places = range(whole - 1, whole - wanted - 1, -ceil(wanted / most))
            records = (os.pread(descriptor, size, place * size) for place in reversed(places))
            return b"".join(record for record in records if len(record) == size)
        file.seek((whole - wanted) * size)
        data = file.read(wanted * size)
    return data[: len(data) // size * size]


def samples_of(data: bytes) -> list[Sample]:
    """The looks in the records of `series.bin`."""
    return [Sample(at, cpu / 1e6, memory) for at, cpu, memory in _RECORD.iter_unpack(data)]


def list_outputs(run_dir: Path) -> list[OutputFile]:
    """The regular files below `outputs/`, by path; links are not followed. At most 10,000, 16 folders deep."""
    found: list[OutputFile] = []
    try:
        root = os.open(run_dir / OUTPUTS, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return found
    try:
        _walk(root, b"", found, MAX_DEPTH)
    finally:
        os.close(root)
    return sorted(found, key=lambda file: file.path)


def _walk(folder: int, prefix: bytes, found: list[OutputFile], depth: int) -> None:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if len(found) >= MAX_OUTPUTS:
            return
        path = prefix + os.fsencode(entry.name)
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                text = path.decode("utf-8", "backslashreplace")
                found.append(OutputFile(text, status.st_size, status.st_mtime_ns // 1000))
            elif stat.S_ISDIR(status.st_mode) and depth > 1:
                inner = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                try:
                    _walk(inner, path + b"/", found, depth - 1)
                finally:
                    os.close(inner)
        except OSError:
            continue  # gone, or closed to us, since it was listed


def open_output(run_dir: Path, path: str) -> int | None:
    """A descriptor of one file of `list_outputs`, no link on the way followed; None when there is none such."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or len(parts) > MAX_DEPTH or "\0" in path:
        return None
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder = os.open(run_dir / OUTPUTS, flags)
    except OSError:
        return None
    try:
        for part in parts[:-1]:
            inner = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        last = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(last).st_mode):
        os.close(last)
        return None
    return last


def write_run_json(run_dir: str, run: Run, spec: bytes | None) -> None:
    """Write `run.json`: {"run": fields of `Run`, "spec": the canonical spec or null}. Atomic. Raises OSError."""
    document = {"run": run, "spec": None if spec is None else orjson.Fragment(spec)}
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str)
    partial = f"{run_dir}/.{RUN_JSON}.tmp"
    descriptor = _new_file(partial, run_dir)
    with open(descriptor, "wb") as file:
        file.write(data)
    os.replace(partial, f"{run_dir}/{RUN_JSON}")  # noqa: PTH105 - a Path costs more than the call


def _new_file(path: str, run_dir: str) -> int:
    """A descriptor of a file that was not there. One that a crash left is removed, a folder that is gone is made."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        Path(run_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        os.unlink(path)  # noqa: PTH108
    return os.open(path, flags, 0o600)


def remove_run_dir(home: Home, project: str, job: str, run_id: str) -> None:
    """Delete the directory of a run with all in it; gone already: nothing. Never follows a link, never leaves `runs/`.

    Raises Unwritable when something in it cannot be deleted, ValueError for what are no names.
    """
    # Walks by descriptors (shutil.rmtree.avoids_symlink_attacks), so no link can be slipped in on the way.
    _inside(home, project, job, run_id, lambda folder: shutil.rmtree(run_id, dir_fd=folder))


def remove_output(home: Home, project: str, job: str, run_id: str) -> None:
    """Delete what a run wrote to its output, with its index; the rest of its directory stays. As `remove_run_dir`."""

    def remove(folder: int) -> None:
        directory = os.open(run_id, _FOLDER, dir_fd=folder)
        try:
            for name in (f"{stream}.{kind}" for stream in STREAMS for kind in ("log", "idx", "gap")):
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=directory)
        finally:
            os.close(directory)

    _inside(home, project, job, run_id, remove)


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _inside(home: Home, project: str, job: str, run_id: str, remove: Callable[[int], None]) -> None:
    """Call `remove` with a descriptor of the folder the run's directory is in. What is not there is gone already."""
    if not (_is_component(project) and _is_component(job) and is_id(run_id)):
        raise ValueError(f"not the directory of a run: {project!r}/{job!r}/{run_id!r}")
    folder = -1
    try:
        folder = os.open(home.runs, _FOLDER)
        for part in (project, job):
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        remove(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        # A refused link is an OSError with a text and no number; with a file name (Python 3.13) str() hides the text.
        cause = error.strerror or " ".join(map(str, error.args))
        raise Unwritable(home.run_dir(project, job, run_id), cause, hint="remove it by hand") from error
    finally:
        if folder >= 0:
            os.close(folder)


def remove_job_dir(home: Home, project: str, job: str, *, and_project: bool) -> None:
    """Delete the folder of a job, and of its project when asked, where empty. Never follows a link.

    Only for a job that is not stored any more: a run may be given its directory at any time otherwise. What is not
    empty (somebody's own files) stays. Raises Unwritable, ValueError for what are no names.
    """
    if not (_is_component(project) and _is_component(job)):
        raise ValueError(f"not the folder of a job: {project!r}/{job!r}")
    folders: list[int] = []
    try:
        folders.append(os.open(home.runs, _FOLDER))
        try:
            folders.append(os.open(project, _FOLDER, dir_fd=folders[0]))
            os.rmdir(job, dir_fd=folders[1])
        except FileNotFoundError:
            pass
        if and_project:
            os.rmdir(project, dir_fd=folders[0])
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.ELOOP):
            return
        raise Unwritable(home.runs / project / job, error.strerror or str(error), hint="remove it by hand") from error
    finally:
        for folder in folders:
            os.close(folder)


def _is_component(text: str) -> bool:
    return text not in ("", ".", "..") and "/" not in text and "\0" not in text
