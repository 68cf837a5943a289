"""What a digest sums up, asked of the daemon's database. Called by `status.notify.outgoing`.

A digest is of the jobs that name its notifier, or of all when none does.
"""

from __future__ import annotations

from state.telling import TellingReader
from status.notify.digest import LISTED, Coming, DigestFacts, Failing, Late, Slow
from status.notify.watching import DAY, Watch


def digest_facts(reader: TellingReader, watch: Watch, notifier: str, *, since: int, until: int) -> DigestFacts:
    """The facts from `since` to `until` (µs). Raises StateError."""
    named = watch.telling(notifier)
    ids = named or None
    late = [watch[job_id] for job_id in named if (watch[job_id].deadline or until) < until]
    late.sort(key=lambda job: job.deadline or 0)
    return DigestFacts(
        since=since,
        until=until,
        jobs=reader.living(ids),
        counts=reader.ended_between(ids, since, until),
        failing=[Failing(*row) for row in reader.failing(ids)],
        late=[Late(job.identity, job.deadline or 0) for job in late],
        slowest=[Slow(*row) for row in reader.slowest_between(ids, since, until, limit=LISTED)],
        coming=[Coming(*row) for row in reader.coming(ids, until, until + DAY, limit=LISTED)],
    )
