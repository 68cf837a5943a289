"""Requests from people to the daemon: small files in `.jobsctl/requests/`, and the doorbell that says one is there.

Written by the command line, read by the daemon. Files work while the daemon is down, need no second database writer,
and are audited in the database. The doorbell is the daemon's Unix datagram socket (`reconciler.doorbell`): a ring only
means "look now", and a lost one costs only the time until the daemon's next look. Whatever in the folder is no sound
request of our own user is set aside.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from specs.frozen import frozen
from state.durability import sync_folder
from state.errors import InvalidRequest, Unwritable
from state.home import Home
from state.ids import is_id

MAX_BYTES = 65_536
"""Parameters of a trigger fit many times."""
MAX_REJECTED = 100
"""Rejected files kept for people to look at; the oldest go first."""


class RequestKind(StrEnum):
    """What is asked for."""

    TRIGGER = "trigger"
    CANCEL = "cancel"
    SUSPEND = "suspend"
    RESUME = "resume"
    DELETE = "delete"
    RECONCILE = "reconcile"
    CONFIRM_PRUNE = "confirm_prune"
    SILENCE = "silence"
    """Of the job, or of all when none is named, until `params["until"]` (microseconds)."""
    END_SILENCE = "end_silence"


@frozen(kw_only=True)
class Request:
    """One wish. The id names the file and makes it happen once."""

    id: str
    kind: str
    """One of `RequestKind`."""
    identity: str | None = None
    """`project/name`, for what is about a job."""
    run_id: str | None = None
    reason: str | None = None
    requested_by: str
    requested_at: int
    """Microseconds."""
    params: Mapping[str, Any] = field(default_factory=dict)


@frozen
class BadRequest:
    """A file that held no request. It was moved to `requests/rejected/`."""

    name: str
    reason: str


def write_request(home: Home, request: Request) -> bool:
    """Put the request into the inbox, durably, and ring. Whether a daemon is there to hear it.

    Raises Unwritable when the inbox cannot be written.
    """
    folder = home.requests
    partial = folder / f".{request.id}.tmp"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(orjson.dumps(asdict(request)))
                file.flush()
                os.fsync(file.fileno())
            partial.rename(folder / f"{request.id}.json")
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        sync_folder(folder)
    except OSError as error:
        raise Unwritable(
            folder,
            error.strerror or str(error),
            hint="free some space"
            if error.errno in (errno.ENOSPC, errno.EDQUOT)
            else "requests are written by the user the daemon runs as; is --home right?",
        ) from error
    return ring(home)


def read_requests(
    home: Home, *, passing: Container[str] = frozenset(), limit: int = sys.maxsize
) -> list[Request | BadRequest]:
    """The oldest `limit` requests; one stays until `remove_request`. What is no request is moved away.

    Args:
        passing: ids of requests that are known already: they are not read, and do not count.

    Raises Unwritable when the folder cannot be read.
    """
    try:
        with os.scandir(home.requests) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unwritable(home.requests, error.strerror or str(error), hint="the daemon's user must own it") from error
    found: list[Request | BadRequest] = []
    for name in names:
        path = home.requests / name
        if name == "rejected" or name.removesuffix(".json") in passing:
            continue
        if len(found) >= limit:
            break
        try:
            found.append(_read(path))
        except FileNotFoundError:
            continue
        except InvalidRequest as error:
            _reject(home, path, error.message)
            found.append(BadRequest(name, error.message))
    return found


def _read(path: Path) -> Request:
    """Raises InvalidRequest; FileNotFoundError when it is gone by now."""
    if not path.name.endswith(".json") or not is_id(path.stem):
        raise InvalidRequest("the name is not <request id>.json")
    try:
        # O_NONBLOCK: opening a pipe somebody put there must not hang the daemon.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidRequest(f"cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InvalidRequest("not a regular file")
        if status.st_uid not in (0, os.geteuid()):
            raise InvalidRequest(f"owned by uid {status.st_uid}, not by the daemon's user")
        # A regular file gives all it has in one read.
        data = os.read(descriptor, MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"larger than {MAX_BYTES} bytes")
    return _parse(data, path.stem)


_NAMES = frozenset(f.name for f in fields(Request))
_REQUIRED = frozenset({"id", "kind", "requested_by", "requested_at"})


def _parse(data: bytes, id: str) -> Request:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidRequest("not a JSON object")
    if unknown := sorted(value.keys() - _NAMES):
        raise InvalidRequest(f"unknown field {unknown[0]!r}")
    if missing := sorted(_REQUIRED - value.keys()):
        raise InvalidRequest(f"field {missing[0]!r} is missing")
    if value["id"] != id:
        raise InvalidRequest("its id is not its file name")
    if value["kind"] not in list(RequestKind):
        raise InvalidRequest(f"unknown kind {value['kind']!r}; known: {', '.join(RequestKind)}")
    if not isinstance(value["requested_at"], int) or isinstance(value["requested_at"], bool):
        raise InvalidRequest("field 'requested_at' is not an integer (microseconds)")
    if not 0 <= value["requested_at"] < 1 << 62:
        raise InvalidRequest("field 'requested_at' is no instant (microseconds since 1970)")
    if not isinstance(value["requested_by"], str):
        raise InvalidRequest("field 'requested_by' is not a string")
    for name in ("identity", "run_id", "reason"):
        if not isinstance(value.get(name), str | None):
            raise InvalidRequest(f"field {name!r} is not a string")
    if not isinstance(value.get("params", {}), dict):
        raise InvalidRequest("field 'params' is not an object")
    _check_subject(value)
    return Request(**{**value, "kind": RequestKind(value["kind"])})


def _check_subject(value: Mapping[str, Any]) -> None:
    kind = value["kind"]
    job_needed = kind in (RequestKind.TRIGGER, RequestKind.SUSPEND, RequestKind.RESUME, RequestKind.DELETE)
    if job_needed and value.get("identity") is None:
        raise InvalidRequest(f"a {kind} names a job: field 'identity' is missing")
    if kind == RequestKind.SILENCE and not _is_instant(value.get("params", {}).get("until")):
        raise InvalidRequest("a silence has an end: 'until' in 'params' is no instant (microseconds since 1970)")
    if kind == RequestKind.CANCEL and value.get("identity") is None and value.get("run_id") is None:
        raise InvalidRequest("a cancel names a run or a job: field 'run_id' is missing")
    if value.get("identity") is not None and value["identity"].count("/") != 1:
        raise InvalidRequest("field 'identity' is not project/name")


def _is_instant(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62


def _reject(home: Home, path: Path, reason: str) -> None:
    """Move the file aside with the reason beside it; where even that fails, delete it: it must not come again."""
    folder = home.requests / "rejected"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        path.replace(folder / path.name)
        note = os.open(
            folder / f"{path.name}.reason", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        with open(note, "w") as file:
            file.write(f"{reason}\n")
        kept = sorted(folder.iterdir(), key=lambda entry: entry.lstat().st_mtime_ns)
        for old in kept[: max(len(kept) - 2 * MAX_REJECTED, 0)]:
            old.unlink()
    except OSError:
        with suppress(OSError):
            path.unlink()


def remove_request(home: Home, id: str) -> None:
    """The request is handled and recorded: forget the file. Gone already: nothing."""
    with suppress(FileNotFoundError):
        (home.requests / f"{id}.json").unlink()


def ring(home: Home) -> bool:
    """Wake the daemon. Whether there is one."""
    return _connect(home, send=True)


def daemon_alive(home: Home) -> bool:
    """Whether a daemon listens on this home."""
    return _connect(home, send=False)


def _connect(home: Home, *, send: bool) -> bool:
    import socket  # 3 ms that commands which ask no daemon need not pay

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as bell:
        try:
            with _short_name(home.doorbell) as name:
                bell.connect(name)
            if send:
                bell.send(b"!")
        except BlockingIOError:
            # Rings it has not drained yet: it will look anyway.
            return True
        except PermissionError:
            # Somebody else's daemon: it is there, but we may not ring. It looks at the inbox now and then.
            return True
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.EPROTOTYPE, errno.EACCES):
                return False
            raise
    return True


@contextmanager
def _short_name(path: Path) -> Iterator[str]:
    """A name for a socket in a folder that may be deeper than the 107 bytes a socket's address has room for."""
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)
