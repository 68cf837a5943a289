"""Putting a backup in the place of the state: unpacked beside it and checked whole, then exchanged in one step.

Called by the command line, which holds the daemon's lock. A process that is killed anywhere leaves the old state or the
new one, both whole; what it leaves besides is a folder `.jobsctl.restoring-*`, which is never used for anything.
The exchange is renameat2(2) with RENAME_EXCHANGE. Where the file system has none, two renames: between them there is no
state, and a kill just there leaves both beside it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from state.archive import DATABASE, OUTBOX, BadArchive, Manifest, unpack
from state.backup import check_copy, check_outbox, copy_outbox
from state.durability import sync_folder
from state.errors import StateError, from_os
from state.home import Home

_AT_FDCWD, _EXCHANGE = -100, 2


@contextmanager
def staged(home: Home, archive: Path, name: str) -> Iterator[tuple[Path, Manifest]]:
    """The new state, unpacked and verified in a folder beside the old one; removed at the end, if still there.

    Raises:
        BadArchive: the archive is damaged, no backup, or newer than this jobsctl. The home is as it was.
        StateError: it cannot be read, or unpacked (no room).
    """
    if not archive.is_file():
        raise BadArchive(f"{archive}: no such file", hint="name a file made by `jobsctl backup`")
    place = _place(home)
    folder = place.with_name(f"{place.name}.restoring-{name}")
    state = folder / "state"
    ours = -1
    try:
        try:
            # Secrets may be in it: closed before anything is.
            folder.mkdir(mode=0o700, parents=True)
            state.mkdir(mode=0o700)
            ours = state.stat().st_ino
            (state / ".gitignore").write_text("*\n", encoding="ascii")
            manifest = unpack(archive, state)
            check_copy(state / DATABASE)
            _settle_outbox(home, state / OUTBOX)
            _sync_folders(state)
        except OSError as error:
            raise from_os(error, folder) from error
        yield state, manifest
    finally:
        # After an exchange the old state stands here until it has its name: that is nobody's to remove.
        if not state.exists() or state.stat().st_ino == ours:
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)


def _settle_outbox(home: Home, staged: Path) -> None:
    """The outbox of the new state: the one that is here, for it knows what was told since the backup was made.

    Only where there is none, or none that is sound, that of the archive. The notify process finds its place in the
    older history by time: nothing is told twice, and what waits still goes out.
    """
    if staged.exists():
        check_outbox(staged)
    if not home.outbox.exists():
        return
    present = staged.with_suffix(".present")
    try:
        copy_outbox(home.outbox, present)
    except StateError:
        with suppress(FileNotFoundError):
            present.unlink()
        return
    present.replace(staged)


def exchange(home: Home, state: Path, name: str) -> Path | None:
    """Put the staged state in place; the old one is kept aside. Where that is now; None when there was none.

    Raises StateError when it cannot be done: the old state is in place then.
    """
    place = _place(home)
    aside = place.with_name(f"{place.name}.before-{name}")
    try:
        if not place.exists():
            state.rename(place)
            sync_folder(place.parent)
            return None
        if _exchanged(state, place):
            sync_folder(place.parent)
            try:
                state.rename(aside)
            except OSError:  # the new state is in place: where the old one stands is what is left to say
                aside = state
        else:
            place.rename(aside)
            try:
                state.rename(place)
            except BaseException:
                aside.rename(place)
                raise
        sync_folder(place.parent)
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.EXDEV):
            raise StateError(
                f"{place} is a mount point: it cannot be exchanged",
                hint="restore into a new home with --home DIR, then mount that",
            ) from error
        raise from_os(error, place) from error
    return aside


def _place(home: Home) -> Path:
    """Where the state really is: `.jobsctl` may be a link to another disk."""
    return home.state.resolve()


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two names at once. False where that cannot be had. Raises OSError."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # glibc before 2.28
        return False
    if renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(second))


def _sync_folders(root: Path) -> None:
    for folder, _, _ in os.walk(root):
        sync_folder(Path(folder))
