"""What `backup` and `restore` share, and restoring itself: whom it would disturb, and the daemon's lock meanwhile."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.errors import Refused
from cli.options import Settings
from cli.output import counted
from cli.progress import Progress
from cli.supervisors import living_supervisors
from reconciler.lock import AlreadyRunning, take_lock
from state.archive import Manifest, view_of
from state.home import Home
from state.restore import exchange, staged
from status.words.instants import rfc3339
from status.words.times import both, size, stamp


def backup_name(now: int) -> str:
    """Of a backup in a folder: sorts by time."""
    return f"jobsctl-{_compact(now)}.tar.gz"


def _compact(now: int) -> str:
    return stamp(now).replace(" ", "T").replace(":", "").replace("-", "")


def backup_view(file: Path, manifest: Manifest) -> dict[str, Any]:
    """For `-o json`."""
    return {"file": str(file), "createdAt": rfc3339(manifest.created_at), **view_of(manifest)}


def size_words(manifest: Manifest) -> str:
    """What is in it."""
    files = "with their files" if manifest.run_files else "without their files"
    total = sum(length for length, _ in manifest.files.values())
    return (
        f"{counted(manifest.jobs, 'job')}, {counted(manifest.runs, 'run')} {files}, {size(total)}, "
        f"made {stamp(manifest.created_at)}"
    )


def restore(settings: Settings, file: Path, *, force: bool) -> tuple[Manifest, Path | None]:
    """Verify the backup, then exchange the state for it. What it says, and where the old state is now.

    Raises:
        NotFound: no home was named, and here is none.
        Refused: a daemon runs; the state is another user's; or there is a state, or runs that go on, and no `force`.
        state.errors.StateError: the backup cannot be used. The home is as it was.
    """
    # A new home is made where one was named, not wherever somebody happens to be.
    home = settings.home if settings.home_option is not None else settings.existing_home()
    home.root.mkdir(parents=True, exist_ok=True)
    name = f"{_compact(settings.now())}-{secrets.token_hex(3)}"
    with _lock(home) as locked:
        if home.state.is_dir() and home.state.stat().st_uid != os.geteuid():
            # Of root's new state the daemon could read nothing.
            raise Refused(
                f"{home.state} belongs to user {home.state.stat().st_uid}, you are {os.geteuid()}",
                hint=f"restore as the user of the daemon: sudo -u '#{home.state.stat().st_uid}' jobsctl ...",
            )
        if not force and home.database.exists():
            raise Refused(
                f"{home.state} has a state already", hint="--force restores all the same, and keeps the old one aside"
            )
        if not force and (count := len(living_supervisors(home))):
            raise Refused(
                f"runs of the last daemon go on, under {counted(count, 'supervisor')}",
                hint="wait, or cancel them with a daemon; with --force they go on and nobody writes down how they end",
            )
        with Progress() as tell:
            tell("unpacking and checking")
            with staged(home, file, name) as (state, manifest):
                if not locked and home.state.exists():
                    raise Refused(f"{home.state} was made meanwhile: a daemon was started", hint="stop it, then again")
                return manifest, exchange(home, state, name)


def restored_lines(home: Home, manifest: Manifest, aside: Path | None, now: int) -> Iterator[str]:
    """What a person should know now."""
    yield f"as of {both(manifest.created_at, now)}: {size_words(manifest)}"
    if aside is not None:
        yield f"the state of before is in {aside}; delete it once all is well"
    if manifest.revision is not None:
        yield f"the specs were at {manifest.revision} then; what is in the files now counts"
    if not home.specs.is_dir() and manifest.specs_root is not None:
        yield f"bring the specs too: they were in {manifest.specs_root}"
    yield "Next: jobsctl daemon, or systemctl start jobsctl"


@contextmanager
def _lock(home: Home) -> Iterator[bool]:
    """Hold the daemon's lock, so that none starts meanwhile. False without a state: there is nothing to hold."""
    if not home.state.is_dir():
        yield False
        return
    try:
        descriptor = take_lock(home.lock)
    except AlreadyRunning as error:
        hint = "`systemctl stop jobsctl`, or Ctrl-C where it runs; what runs goes on"
        raise Refused(f"{home.root}: {error}", hint=hint) from None
    try:
        yield True
    finally:
        os.close(descriptor)
