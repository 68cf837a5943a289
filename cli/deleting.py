"""Removing a job from the files, when that is possible without touching another job. Used by `delete`."""

from __future__ import annotations

from pathlib import Path

from cli.errors import Refused
from cli.options import Settings
from cli.placing import identities_in, remove, where_defined
from cli.specfiles import load_at, specs_root
from state.errors import NoDatabase, NotFound, OlderSchema
from state.inbox import daemon_alive
from state.reads import Reader


def refuse_active(settings: Settings, identity: str) -> None:
    """Raises `Refused` when the job has an active run: its history cannot go. Without a daemon that is seen later."""
    if not daemon_alive(settings.home):
        return
    try:
        with Reader(settings.home.database) as reader:
            active = reader.job(identity).active_runs
    except (NoDatabase, NotFound, OlderSchema):
        return
    if active:
        raise Refused(
            f"{identity} has an active run: its history cannot go yet; nothing was removed",
            hint=f"wait for it, or end it with `jobsctl cancel {identity} --wait`",
        )


def remove_spec(settings: Settings, identity: str) -> Path | None:
    """Remove the file that defines only this job. The file; None when no file defines the job any more.

    Raises:
        Refused: the file defines other jobs too, says which lines are this one's; or it may define others.
    """
    root = specs_root(settings)
    place = where_defined(settings, root, [identity]).get(identity)
    if place is None:
        return None
    path = root / place
    if load_at(root, place, path.read_bytes()).unreadable:
        raise Refused(
            f"{path} has a document whose name cannot be read; nothing was removed",
            hint=f"`jobsctl validate {path}` shows where; mend or remove that document, then run this again",
        )
    there = identities_in(root, path)
    others = sorted(there.keys() - {identity})
    if others:
        first, last = _lines(path, there[identity])
        raise Refused(
            f"{path} also defines {', '.join(others)}; nothing was removed",
            hint=f"delete lines {first} to {last} of it, then run this again",
        )
    remove(path)
    return path


def _lines(path: Path, line: int) -> tuple[int, int]:
    """First and last line of the document that holds `line`, counted from 1; separators stay."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    first = last = line
    while first > 1 and not lines[first - 2].startswith("---"):
        first -= 1
    while last < len(lines) and not lines[last].startswith("---"):
        last += 1
    return first, last
