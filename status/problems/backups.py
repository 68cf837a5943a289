"""The last backup, as `jobsctl backup` noted it, and when it is old. For `status`, `doctor`, the page and metrics."""

from __future__ import annotations

import orjson

from specs.frozen import frozen
from state.home import Home
from status.words.instants import SECOND
from status.words.times import relative

OLD = 7 * 86_400 * SECOND


@frozen
class LastBackup:
    """When (µs) and where."""

    at: int
    file: str

    def is_old(self, now: int) -> bool:
        """Whether it is time for another."""
        return self.at < now - OLD

    def words(self, now: int) -> str:
        """`the last backup was made 9d ago: /srv/backup.tar.gz`."""
        return f"the last backup was made {relative(self.at, now)}: {self.file}"


def last_backup(home: Home) -> LastBackup | None:
    """None when none was ever made, or its note cannot be read."""
    try:
        note = orjson.loads(home.last_backup.read_bytes())
        return LastBackup(int(note["at"]), str(note["file"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
