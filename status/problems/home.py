"""What is wrong in a home besides its daemon, files and jobs: what is not delivered, status files, an old backup.

Called by the page and, also for `--server`, by the command line. Reads the outbox and two places in the state
directory; the words are those of `doctor`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

from state.errors import StateError
from state.home import Home
from status.problems.backups import last_backup
from status.problems.now import Problem

ROOT_USER = 0
"""May write anywhere."""


def home_problems(home: Home, now: int, *, files_problem: str | None = None) -> Iterator[Problem]:
    """The gravest first.

    Args:
        files_problem: why status files cannot be written, where the process that writes them is asked.
    """
    if (why := files_problem or status_files_problem(home)) is not None:
        yield Problem("daemon", "status files", why, "jobsctl doctor")
    yield from _deliveries(home, now)
    backup = last_backup(home)
    if backup is not None and backup.is_old(now):
        yield Problem("backup", "backup", backup.words(now), "jobsctl backup FILE", since=backup.at)


def status_files_problem(home: Home) -> str | None:
    """Why status files cannot be written, as far as their directory tells; None when it looks well, or is not there."""
    try:
        found, state = home.status.stat(), home.state.stat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return f"{home.status} is no directory: nothing can be written there"
    if state.st_uid == ROOT_USER:
        return None
    if found.st_uid != state.st_uid:
        return f"{home.status} belongs to another user than {home.state}: nothing can be written there"
    if not found.st_mode & stat.S_IWUSR:
        return f"{home.status} cannot be written by its owner"
    return None


def _deliveries(home: Home, now: int) -> Iterator[Problem]:
    if not home.outbox.exists():
        return
    from state.outbox.reads import OutboxReader
    from status.problems.undelivered import undelivered

    try:
        with OutboxReader(home.outbox) as outbox:
            found = undelivered(outbox, now)
    except StateError as error:
        message = f"the outbox cannot be read: {error.message}"
        yield Problem("delivery", "outbox", message, error.hint or "restart the daemon: it mends it")
        return
    for each in found:
        yield Problem("delivery", each.subject, each.message, each.next)
