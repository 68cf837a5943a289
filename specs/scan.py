"""Looking at a directory of specs through directory descriptors: what is there, and reading one file soundly.

Called by `specs.source`. Nothing is reached through a path twice: a folder is opened once, and its entries are looked
at relative to it, so a name that is changed for a link meanwhile leads nowhere. Parses nothing, remembers nothing.

Symbolic links are not followed, with two exceptions that people's tools make: the root itself (git-sync flips it), and
the pattern of Kubernetes volumes (`x.yaml -> ..data/x.yaml`, `..data -> ..2026_11_21`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import stat
from collections.abc import Iterator
from typing import NamedTuple

from specs.frozen import frozen
from specs.text import MAX_FILE_BYTES

SUFFIXES = (".yaml", ".yml", ".json")
MAX_FOLDERS_DEEP = 32
QUIET_NS = 300_000_000
"""How old a file's last write must be where writers cannot be asked for: an editor's pause between two writes."""
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
"""A file of our own without these bits is not `loose`."""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
_DATA = "..data"
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\u202a-\u202e\u2066-\u2069\udc80-\udcff]")

StatKey = tuple[int, int, int, int]
"""(inode, size, mtime_ns, ctime_ns): while it is the same, so is the content (but see `specs.source` on racy ones)."""


class Unstable(Exception):
    """Raised when a file is being written: look again soon."""


@frozen
class Root:
    """The specs directory, opened for one look."""

    descriptor: int
    path: str
    """Without links."""
    identity: tuple[int, int]
    """(st_dev, st_ino): another one means that the directory was replaced."""
    loose: str | None
    """Who else can write it, in words."""


class Entry(NamedTuple):
    """One entry of a folder. Usable while the walk stands at it: `folder` is closed afterwards.

    A named tuple: a sweep makes 10,000, and a frozen dataclass sets each field by a call.
    """

    path: str
    """Below the root, as the file system gives it (undecodable bytes as surrogates)."""
    name: str
    folder: int
    status: os.stat_result
    link: bool = False
    """A symbolic link that is not followed."""
    closed: bool = False
    """A folder that we may not list."""

    @property
    def key(self) -> StatKey:
        return key_of(self.status)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


def ignore_lease_signals() -> None:
    """Let `read_file` ask the kernel for writers. To be called once, in the main thread, by a long-living process.

    A lease that is broken while we hold it (for microseconds) sends SIGIO, which would end the process.
    """
    signal.signal(signal.SIGIO, signal.SIG_IGN)


def shown(path: str) -> str:
    r"""A path as people and databases see it: one line, `/` between folders, odd characters as `\xNN`, `\` as `\\`."""
    return path if path.isascii() and path.isprintable() and "\\" not in path else _ODD.sub(_escape, path)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def open_root(path: str) -> Root:
    """The directory at `path`, links resolved once. The caller closes the descriptor. Raises OSError."""
    real = os.path.realpath(path, strict=True)
    descriptor = os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    return Root(descriptor, real, (status.st_dev, status.st_ino), loose(status))


def count_files(path: str, limit: int) -> int:
    """About how many spec files are below a folder; counting stops soon after `limit`."""
    count = 0
    for _, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name[0] != "."]
        count += sum(1 for name in names if name.endswith(SUFFIXES))
        if count >= limit:
            break
    return count


def walk(folder: int, prefix: str = "", depth: int = 0) -> Iterator[Entry]:
    """Everything below an open folder that a spec can be, folders first named, in the order of names.

    Raises OSError when a folder cannot be listed (half a look is no look), except where permission is what is missing.
    """
    data: int | None = None
    try:
        names = sorted(name for name in os.listdir(folder) if name[0] != ".")
        for name in names:
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                continue  # went away since the listing
            if stat.S_ISREG(status.st_mode):
                if name.endswith(SUFFIXES):
                    yield Entry(prefix + name, name, folder, status)
            elif stat.S_ISLNK(status.st_mode):
                if data is None:
                    data = _open_data(folder)
                yield from _through(name, folder, data, prefix, depth, status)
            else:
                yield from _here(name, folder, prefix, depth, status)
    finally:
        if data is not None and data >= 0:
            os.close(data)


def look_at(root: int, path: str) -> Iterator[Entry]:
    """As `walk`, for one path below the root: the file, or the folder with all that is in it. Nothing when it is
    gone, or hidden."""
    *folders, name = path.split("/")
    if any(part in ("", ".", "..") or part[0] == "." for part in (*folders, name)):
        return
    folder = os.dup(root)
    try:
        for part in folders:
            inner = _enter(part, folder)
            os.close(folder)
            folder = inner
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        prefix = "".join(f"{part}/" for part in folders)
        if stat.S_ISLNK(status.st_mode):
            data = _open_data(folder)
            try:
                yield from _through(name, folder, data, prefix, len(folders), status)
            finally:
                if data >= 0:
                    os.close(data)
        else:
            yield from _here(name, folder, prefix, len(folders), status)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    finally:
        os.close(folder)


def _enter(name: str, folder: int) -> int:
    """Open a folder inside another, also the one behind a link of a Kubernetes volume."""
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
    data = _open_data(folder)
    if data < 0:
        raise NotADirectoryError(errno.ENOTDIR, "is not a folder", name)
    try:
        if os.readlink(name, dir_fd=folder) != f"{_DATA}/{name}":
            raise NotADirectoryError(errno.ENOTDIR, "is not a folder", name)
        return os.open(name, _FOLDER, dir_fd=data)
    except OSError as error:
        raise NotADirectoryError(errno.ENOTDIR, "is not a folder", name) from error
    finally:
        os.close(data)


def _here(name: str, folder: int, prefix: str, depth: int, status: os.stat_result) -> Iterator[Entry]:
    if stat.S_ISDIR(status.st_mode):
        if depth >= MAX_FOLDERS_DEEP:
            return
        try:
            inner = os.open(name, _FOLDER, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return  # replaced since it was listed; the next look sees by what
        except PermissionError:
            yield Entry(prefix + name, name, folder, status, closed=True)
            return
        yield Entry(prefix + name, name, folder, status)
        try:
            yield from walk(inner, f"{prefix}{name}/", depth + 1)
        finally:
            os.close(inner)
    elif name.endswith(SUFFIXES):
        yield Entry(prefix + name, name, folder, status)


def _through(name: str, folder: int, data: int, prefix: str, depth: int, status: os.stat_result) -> Iterator[Entry]:
    """A symbolic link: through `..data` when it is one of a Kubernetes volume, else only mentioned."""
    if data >= 0 and os.readlink(name, dir_fd=folder) == f"{_DATA}/{name}":
        try:
            inside = os.stat(name, dir_fd=data, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not stat.S_ISLNK(inside.st_mode):
            yield from _here(name, data, prefix, depth, inside)
            return
    if name.endswith(SUFFIXES):
        yield Entry(prefix + name, name, folder, status, link=True)


def _open_data(folder: int) -> int:
    """The folder that `..data` leads to, when it is a hidden one right beside it; else -1."""
    try:
        target = os.readlink(_DATA, dir_fd=folder)
        if "/" in target or not target.startswith("..") or target in ("..", _DATA):
            return -1
        return os.open(target, _FOLDER, dir_fd=folder)
    except OSError:
        return -1


def key_of(status: os.stat_result) -> StatKey:
    """The part of a status that changes when the content may have."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def read_file(entry: Entry, now_ns: int) -> tuple[bytes, StatKey]:
    """The content of a file, and the status it belongs to. At most one byte more than a spec may have.

    Raises `Unstable` when somebody is writing it, OSError when it cannot be read or is no regular file.
    """
    descriptor = os.open(entry.name, _FILE, dir_fd=entry.folder)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError("is not a regular file")
        if _has_writer(descriptor, before, now_ns):
            raise Unstable
        content = _read(descriptor, min(before.st_size, MAX_FILE_BYTES + 1))
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    key = key_of(before)
    if key != key_of(after) or len(content) != min(before.st_size, MAX_FILE_BYTES + 1):
        raise Unstable
    return content, key


def _read(descriptor: int, most: int) -> bytes:
    content = os.read(descriptor, most)
    while len(content) < most and (more := os.read(descriptor, most - len(content))):
        content += more
    return content


def _has_writer(descriptor: int, status: os.stat_result, now_ns: int) -> bool:
    """Whether somebody has the file open for writing. The kernel grants a read lease only when nobody has.

    Where leases cannot be had (not our file, network file systems, SIGIO not ignored), a file that was written in the
    last moments is taken for one that is being written.
    """
    if signal.getsignal(signal.SIGIO) is signal.SIG_IGN:
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        else:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return False
    return 0 <= now_ns - status.st_mtime_ns < QUIET_NS


def loose(status: os.stat_result) -> str | None:
    """Who else can write this, in words; None when only its owner can, who is root or we. As sshd asks it.

    The group may, when it is our own: many systems give every user a group of their own and a umask of 002.
    """
    user = os.geteuid()
    if status.st_uid not in (0, user):
        return f"belongs to another user (uid {status.st_uid})"
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        return "can be written by everybody"
    if status.st_mode & stat.S_IWGRP and status.st_gid not in (0, os.getegid()):
        return f"can be written by the group {status.st_gid}"
    return None
