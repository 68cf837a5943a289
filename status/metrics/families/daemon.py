"""The daemon: what it counts since its start, from its heartbeat."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import HistogramMetricFamily

from status.heartbeat import Heartbeat
from status.metrics.families.scrape import Scrape
from status.metrics.families.shapes import counter, counters, gauge, info
from status.words.instants import SECOND


def collect(scrape: Scrape) -> Iterator[Metric]:
    """Families of the daemon; only the first two when there is no heartbeat."""
    yield info(
        "jobsctl_build_info", "Versions; always 1.",
        version=scrape.version, python=platform.python_version(), sqlite=sqlite3.sqlite_version,
    )  # fmt: skip
    yield gauge("jobsctl_daemon_up", "1 when the daemon's heartbeat is younger than 15 seconds.", int(scrape.alive))
    beat = scrape.beat
    if beat is None:
        return
    yield gauge(
        "jobsctl_supervisor_up",
        "1 when the daemon lives and no run waits because no supervisor can be started.",
        int(scrape.alive and not beat.number("runs", "unlaunched")),
    )
    for name, help, at in (
        ("jobsctl_heartbeat_timestamp_seconds", "When the daemon last gave a sign of life.", beat.at),
        ("jobsctl_daemon_start_timestamp_seconds", "When the daemon started.", beat.started_at),
        (
            "jobsctl_reconcile_last_success_timestamp_seconds",
            "When the daemon last finished a round of its work.",
            beat.last_pass_at,
        ),
        (
            "jobsctl_last_error_timestamp_seconds",
            "When the daemon last had an error; absent before the first.",
            beat.last_error_at,
        ),
    ):
        if at:
            yield gauge(name, help, at / SECOND)
    results = {(result,): beat.number("reconcile", result) or 0 for result in ("ok", "error")}
    yield counters("jobsctl_reconcile", "Rounds of work since the daemon started.", ("result",), results)
    for name, help, path in (
        ("jobsctl_reconcile_seconds", "Time spent in them.", ("reconcile", "seconds_sum")),
        ("jobsctl_clock_jumps", "Times the clock jumped or the machine slept.", ("clock_jumps",)),
        ("jobsctl_db_busy", "Times another program kept the daemon from writing its database.", ("db", "busy")),
    ):
        yield counter(name, help, beat.number(*path) or 0)
    for name, help, path in (
        ("jobsctl_queue_depth", "Jobs that wait for a time or a turn.", ("queue", "depth")),
        ("jobsctl_queue_retrying", "Jobs whose last decision failed and is tried again.", ("queue", "retrying")),
        ("jobsctl_active_runs", "Runs the daemon follows.", ("runs", "active")),
        ("jobsctl_unlaunched_runs", "Runs no supervisor has taken yet.", ("runs", "unlaunched")),
        (
            "jobsctl_status_failures",
            "Times in a row the status process ended within a minute of its start.",
            ("readers", "failures"),
        ),
    ):
        yield gauge(name, help, float(beat.number(*path) or 0))
    lag = _lag(beat)
    if lag is not None:
        yield lag


def _lag(beat: Heartbeat) -> Metric | None:
    """The histogram of how late runs started; None when the heartbeat does not hold a sound one."""
    lag = beat.raw.get("lag")
    try:
        buckets = [(str(float(bound)), float(count)) for bound, count in lag["buckets"]]  # type: ignore[index]
        count, total = float(lag["count"]), float(lag["sum"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return None
    finite = [(bound, value) for bound, value in buckets if bound != "inf"]
    family = HistogramMetricFamily("jobsctl_scheduler_lag_seconds", "How long after its instant a run was started.")
    family.add_metric((), [*finite, ("+Inf", count)], total)
    return family
