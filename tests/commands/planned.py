"""Jobs as the daemon applied them, and edits of their files: for the tests of `plan`."""

from __future__ import annotations

from reconciler.records import schedule_digest
from reconciler.table import JobTable
from tests.commands.conftest import HELLO, NOW

DAILY = "name: report\nschedule: '30 2 * * *'\ntimezone: Europe/Berlin\nrun: {command: [a]}\n"
MINUTE = 60_000_000


def applied(known, text=HELLO, **fields):
    """A job as the daemon stores it: with the digest of what its schedule means."""
    job = known.job(text, **({"cursor_at": NOW, "next_at": NOW + 10 * MINUTE} | fields))
    return known.update(job, schedule_digest=schedule_digest(*JobTable("UTC").meaning_of(job.spec)))


def edit(home, path, *pairs):
    text = (home.specs / path).read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (home.specs / path).write_text(text)
