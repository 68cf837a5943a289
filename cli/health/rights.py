"""Who could make this daemon run something: owners and modes of home, settings, specs and state."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from cli.health.finding import Check, Finding, Patient, ok, problem, warning
from status.problems.home import status_files_problem

MOST = 20_000
"""Files and folders of the specs that are looked at."""
SHOWN = 3


def check_specs(patient: Patient) -> Iterator[Finding]:
    """Others who can write specs can run commands as the daemon's user."""
    root = patient.specs
    if not root.is_dir():
        return
    trusted = {0, _owner(patient)}
    foreign: list[Path] = []
    by_all: list[Path] = []
    by_group: dict[int, list[Path]] = {}
    count = 0
    for path in (patient.home.config, root, *_below(root)):
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        count += 1
        if stat.S_ISLNK(status.st_mode):
            continue
        if status.st_uid not in trusted:
            foreign.append(path)
        if status.st_mode & stat.S_IWOTH:
            by_all.append(path)
        elif status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid, status.st_uid):
            by_group.setdefault(status.st_gid, []).append(path)
    user = _user(_owner(patient))
    if by_all:
        yield problem(
            f"every user of this machine can run commands as {user}: {_some(by_all)} can be written by all",
            f"chmod -R o-w {root}",
        )
    for gid, paths in sorted(by_group.items()):
        yield warning(
            f"members of group {_group(gid)} can run commands as {user}: they can write {_some(paths)}",
            f"right if they are meant to; else chmod -R g-w {root}",
        )
    if foreign:
        owners = ", ".join(sorted({_user(path.lstat().st_uid) for path in foreign}))
        yield warning(
            f"{owners} can run commands as {user}: {_some(foreign)} belong to them",
            f"right if they are meant to; else chown -R {user} {root}",
        )
    if not (by_all or by_group or foreign):
        yield ok(f"{count} files and folders can be written by {user} only")


def check_way(patient: Patient) -> Iterator[Finding]:
    """Folders above: who can rename one of them can put another home in its place."""
    for folder in patient.home.root.resolve().parents:
        status = folder.stat()
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            yield problem(
                f"{folder} can be written by all: everybody can put another home in the place of this one",
                f"chmod o-w {folder}",
            )


def check_state(patient: Patient) -> Iterator[Finding]:
    """History, output and requests of everybody's jobs are in the state. Others may pass through it to a run's
    directory (jobs with `user`), not read it."""
    home = patient.home
    if not home.state.is_dir():
        return
    owner = home.state.stat().st_uid
    if owner != os.geteuid():
        yield warning(
            f"{home.state} belongs to {_user(owner)}, you are {_user(os.geteuid())}",
            f"look as that user: sudo -u {_user(owner)} jobsctl --home {home.root} doctor",
        )
    if (why := status_files_problem(home)) is not None:
        yield problem(f"status files: {why}", f"remove {home.status}: it is made anew")
    open_ones = [
        (path, mode)
        for path in (home.state, home.requests, home.supervisors, home.runs, home.status, home.database, home.lock)
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o066 and _matters(path, mode)
    ]
    for path, mode in open_ones:
        closed = mode & ~0o066

        def close(path: Path = path, closed: int = closed) -> str:
            path.chmod(closed)
            return f"chmod {closed:o} {path}"

        who = "written" if mode & 0o022 else "read"
        tell = problem if mode & 0o022 else warning
        yield tell(f"{path} can be {who} by others (mode {mode:o})", f"chmod {closed:o} {path}", fix=close)
    if not open_ones:
        yield ok(f"{home.state} is closed to others")


def _matters(path: Path, mode: int) -> bool:
    """Below a folder nobody else may enter, only what could be written matters."""
    return path.name == ".jobsctl" or bool(mode & 0o022) or bool(path.parent.stat().st_mode & 0o011)


def _below(root: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".jobsctl")]
        for name in (*folders, *names):
            count += 1
            if count > MOST:
                return
            yield Path(folder, name)


def _owner(patient: Patient) -> int:
    """As whom the daemon runs: whose the state is."""
    state = patient.home.state
    return state.stat().st_uid if state.is_dir() else os.geteuid()


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"gid {gid}"


def _is_own_group(gid: int, uid: int) -> bool:
    """A group of one: Debian and Red Hat give every user one, and an umask that goes with it."""
    try:
        group = grp.getgrgid(gid)
        user = pwd.getpwuid(uid)
    except KeyError:
        return False
    return group.gr_gid == user.pw_gid and not set(group.gr_mem) - {user.pw_name} and group.gr_name == user.pw_name


def _some(paths: list[Path]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(map(str, paths[:SHOWN])) + more


CHECKS = (
    Check(
        "rights-specs", "who besides the daemon's user can write specs or settings, and so run commands", check_specs
    ),
    Check("rights-way", "whether the folders above the home keep it in its place", check_way),
    Check("rights-state", "whether history, output and requests are closed to others", check_state),
)
