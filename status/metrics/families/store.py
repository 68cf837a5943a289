"""What is stored: the database and the disk below it, how far history goes, backups, and how long runs took."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import Exemplar as Shown
from prometheus_client.core import HistogramMetricFamily

from state.home import Home
from state.oldest import oldest_run
from state.totals import counters as stored
from status.metrics.families.scrape import Ledger, Scrape
from status.metrics.families.shapes import gauge
from status.picture.exemplars import DURATION_BUCKETS, WAIT_BUCKETS, Exemplar
from status.problems.backups import last_backup
from status.words.instants import SECOND


def collect(scrape: Scrape) -> Iterator[Metric]:
    """Families of what is stored; without a database only those of its disk."""
    yield gauge(
        "jobsctl_db_up", "1 when the status process can read the database: else what it shows is old.",
        int(scrape.ledger is not None),
    )  # fmt: skip
    path = scrape.home.database
    for name, help, file in (
        ("jobsctl_db_size_bytes", "The database file.", path),
        ("jobsctl_db_wal_bytes", "Its write-ahead log.", path.with_name(f"{path.name}-wal")),
    ):
        try:
            yield gauge(name, help, file.stat().st_size)
        except FileNotFoundError:
            yield gauge(name, help, 0)
    yield from _disk(scrape.home)
    backup = last_backup(scrape.home)
    if backup is not None:
        yield gauge(
            "jobsctl_backup_last_success_timestamp_seconds",
            "When `jobsctl backup` last made one; absent before the first.",
            backup.at / SECOND,
        )
    if scrape.ledger is None:
        return
    first = oldest_run(scrape.ledger.ask)
    if first is not None:
        yield gauge(
            "jobsctl_oldest_run_timestamp_seconds",
            "When the oldest run was made that is kept; absent when there is none.",
            first / SECOND,
        )
    yield _histogram(
        scrape.ledger,
        "run_duration",
        "How long runs took, all jobs together.",
        DURATION_BUCKETS,
        scrape.picture.exemplars,
    )
    yield _histogram(
        scrape.ledger,
        "run_wait",
        "How long runs that ended had waited for their start: for a pool, a run before, another job, a delay.",
        WAIT_BUCKETS,
        {},
    )


def _disk(home: Home) -> Iterator[Metric]:
    try:
        disk = os.statvfs(home.state)
    except OSError:
        return
    yield gauge(
        "jobsctl_state_filesystem_avail_bytes",
        "Room on the file system of the state, for the daemon's user.",
        disk.f_bavail * disk.f_frsize,
    )
    yield gauge(
        "jobsctl_state_filesystem_size_bytes", "Size of the file system of the state.", disk.f_blocks * disk.f_frsize
    )


def _histogram(
    ledger: Ledger, name: str, help: str, bounds: Sequence[float], exemplars: Mapping[str, Exemplar]
) -> Metric:
    """The histogram of all runs ever, from stored counts per bucket.

    An exemplar is told by OpenMetrics alone: `{run_id="..."}`, 35 of the 128 characters it may have.
    """
    buckets = {found.labels["le"]: found.value for found in stored(ledger.ask, f"{name}_bucket")}
    total = sum(found.value for found in stored(ledger.ask, f"{name}_sum"))
    cumulative: list[tuple[str, float] | tuple[str, float, Shown]] = []
    count = 0.0
    for bound in sorted({"+Inf", *map(str, bounds), *buckets}, key=float):
        counted = buckets.get(bound, 0)
        count += counted
        last = exemplars.get(bound) if counted else None
        le = bound if bound == "+Inf" else str(float(bound))
        if last is None:
            cumulative.append((le, count))
        else:
            shown = Shown({"run_id": last.run_id}, last.seconds, last.finished_at / SECOND)
            cumulative.append((le, count, shown))
    family = HistogramMetricFamily(f"jobsctl_{name}_seconds", help)
    family.add_metric((), cumulative, total)
    return family
