"""When the last backup was made."""

from __future__ import annotations

from collections.abc import Iterator

from cli.health.finding import SECOND, Check, Finding, Patient, ok, warning
from state.ids import time_of
from status.problems.backups import OLD, last_backup
from status.words.times import relative


def check_backup(patient: Patient) -> Iterator[Finding]:
    """History and cursors are nowhere but in the state; specs are in git."""
    oldest = patient.rows("SELECT min(id) FROM run")
    first = oldest[0][0] if oldest else None
    backup = last_backup(patient.home)
    if backup is None:
        if isinstance(first, str) and time_of(first) < patient.now - OLD:
            yield warning(
                f"no backup was ever made, and there are runs since {relative(time_of(first), patient.now)}",
                "jobsctl backup FILE, best from a job of its own",
            )
    elif backup.is_old(patient.now):
        yield warning(backup.words(patient.now), "jobsctl backup FILE")
    else:
        yield ok(f"last backup {relative(backup.at, patient.now + SECOND)}: {backup.file}")


CHECKS = (Check("backup", "when the last backup was made", check_backup),)
