"""Exemplars: the last run of each bucket of how long runs took, to which a point of the histogram leads.

`status.picture.board` shows it what the refresher reads; `status.metrics.families.store` tells it. Kept in memory
only: after a restart of the status process the last run of each job is read anew. Not thread-safe: one owner.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from state.records import Run
from status.words.instants import SECOND

DURATION_BUCKETS = (1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
WAIT_BUCKETS = (0.1, 1, 10, 60, 600, 3600, 21600)
"""Seconds; those of `state.store_runs`, whose import would cost peewee. A test compares."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One run that stands for its bucket."""

    run_id: str
    seconds: float
    finished_at: int
    """Microseconds UTC."""


def bucket_of(seconds: float) -> str:
    """The upper bound of the bucket it is counted in, as the store writes it: `60`, `+Inf`."""
    place = bisect_left(DURATION_BUCKETS, seconds)
    return str(DURATION_BUCKETS[place]) if place < len(DURATION_BUCKETS) else "+Inf"


class Exemplars:
    """The run that ended last, of each bucket."""

    def __init__(self) -> None:
        self._newest: dict[str, Exemplar] = {}

    def see(self, runs: Iterable[Run]) -> None:
        """Take over runs that were read; those that did not start or are not over say nothing."""
        for run in runs:
            if run.started_at is None or run.finished_at is None:
                continue
            seconds = max(run.finished_at - run.started_at, 0) / SECOND
            bucket = bucket_of(seconds)
            known = self._newest.get(bucket)
            if known is None or (known.finished_at, known.run_id) < (run.finished_at, run.id):
                self._newest[bucket] = Exemplar(run.id, seconds, run.finished_at)

    def shown(self) -> Mapping[str, Exemplar]:
        """By the upper bound of the bucket; never changes afterwards."""
        return self._newest.copy()
