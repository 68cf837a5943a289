"""When the last backup was made."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from cli.health.finding import DAY, SECOND, Check, Finding, Patient, ok, warning
from state.ids import time_of
from status.times import relative

OLD = 7 * DAY


def check_backup(patient: Patient) -> Iterator[Finding]:
    """History and cursors are nowhere but in the state; specs are in git."""
    oldest = patient.rows("SELECT min(id) FROM run")
    first = oldest[0][0] if oldest else None
    try:
        last = orjson.loads(patient.home.last_backup.read_bytes())
        at, file = int(last["at"]), str(last["file"])
    except (OSError, ValueError, KeyError, TypeError):
        if isinstance(first, str) and time_of(first) < patient.now - OLD:
            yield warning(
                f"no backup was ever made, and there are runs since {relative(time_of(first), patient.now)}",
                "jobsctl backup FILE, best from a job of its own",
            )
        return
    if at < patient.now - OLD:
        yield warning(f"the last backup was made {relative(at, patient.now)}: {file}", "jobsctl backup FILE")
    else:
        yield ok(f"last backup {relative(at, patient.now + SECOND)}: {file}")


CHECKS = (Check("backup", "when the last backup was made", check_backup),)
