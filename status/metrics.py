"""`/metrics`: the job series (`status.jobseries`, own text) and everything else (prometheus_client).

Called by `status.api`, in a thread. Everything is read from memory (the picture, the guard's counts) and from the
heartbeat file; the database is asked for the few totals that live there. A part that fails never fails the scrape:
its `jobsctl_collector_up` is 0 and the rest is served. Names are documented in docs/metrics.md.
"""

from __future__ import annotations

import platform
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson
from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.registry import Collector

from state.errors import StateError
from state.home import Home
from state.reads import Reader
from state.records import WAIT_REASONS, Reason, RunState
from status.board import Picture
from status.heartbeat import DOWN_AFTER, Heartbeat, read_heartbeat
from status.instants import SECOND
from status.jobseries import render_jobs

PLAIN = CONTENT_TYPE_PLAIN_0_0_4
DURATION_BUCKETS = (1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
"""Seconds; those of `state.store_runs`, whose import would cost peewee. A test compares."""
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers come from."""

    home: Home
    picture: Callable[[], Picture]
    requests: Callable[[], Mapping[tuple[str, int], int]]
    """Answers by (route, status code)."""
    files_written: Callable[[], int]
    now: Callable[[], int]
    """Microseconds UTC."""
    monotonic: Callable[[], float]
    version: str


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header names OpenMetrics 1.0 (or no version of it): Prometheus' does, before text."""
    for part in accept.split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        if kind == "application/openmetrics-text":
            versions = [value for value in parameters if value.startswith("version=")]
            return not versions or versions[0] == "version=1.0.0"
    return False


class Exporter:
    """Makes the text of a scrape. Use from any thread; one scrape is made at a time."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        house = HouseCollector(sources)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(house)
        ProcessCollector(registry=self._registry)
        ProcessCollector(namespace="jobsctl_daemon", pid=house.daemon_pid, registry=self._registry)
        self._parts: dict[str, Callable[[bool], Iterable[bytes]]] = {"jobs": self._jobs, "house": self._house}

    def scrape(self, *, openmetrics: bool = False) -> list[bytes]:
        """The exposition, in pieces: joined they would be 13 MB for 10,000 jobs, twice."""
        with self._lock:
            pieces: list[bytes] = []
            up: list[str] = []
            seconds: list[str] = []
            for name, part in self._parts.items():
                began = self._sources.monotonic()
                try:
                    pieces.extend(list(part(openmetrics)))  # whole or not at all: a family must not end half-way
                    ok = 1
                except Exception:  # whatever it is: half of the metrics beat none, and the gauge says so
                    ok = 0
                label = f'{{collector="{name}"}}'
                up.append(f"jobsctl_collector_up{label} {ok}\n")
                seconds.append(f"jobsctl_collector_duration_seconds{label} {self._sources.monotonic() - began:.6f}\n")
            pieces.append(_gauge_text("jobsctl_collector_up", "1 when this part of the scrape could be made.", up))
            pieces.append(_gauge_text("jobsctl_collector_duration_seconds", "What this part of it took.", seconds))
            if openmetrics:
                pieces.append(b"# EOF\n")
            return pieces

    def _jobs(self, openmetrics: bool) -> Iterable[bytes]:
        entries = self._sources.picture().entries.values()
        return render_jobs([entry.sample for entry in entries if entry.sample is not None], openmetrics=openmetrics)

    def _house(self, openmetrics: bool) -> Iterable[bytes]:
        if openmetrics:
            data: bytes = openmetrics_exposition.generate_latest(self._registry)  # type: ignore[no-untyped-call]
            return [data.removesuffix(b"# EOF\n")]
        return [generate_latest(self._registry)]


def _gauge_text(name: str, help: str, lines: Iterable[str]) -> bytes:
    return f"# HELP {name} {help}\n# TYPE {name} gauge\n{''.join(lines)}".encode()


class HouseCollector(Collector):
    """The daemon, the source, the database, this server: everything without a job's name."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._pid = 0

    def daemon_pid(self) -> int:
        """Of the last scrape; 0, which is no process, when there is no daemon."""
        return self._pid

    def collect(self) -> Iterable[Metric]:
        beat = read_heartbeat(self._sources.home)
        up = beat is not None and beat.age(self._sources.now()) <= DOWN_AFTER
        self._pid = beat.pid or 0 if beat is not None and up else 0
        picture = self._sources.picture()
        yield _labelled(
            "jobsctl_build_info", "Versions; always 1.",
            version=self._sources.version, python=platform.python_version(), sqlite=sqlite3.sqlite_version,
        )  # fmt: skip
        yield _gauge("jobsctl_daemon_up", "1 when the daemon's heartbeat is fresh.", int(up))
        yield from self._heartbeat(beat)
        yield from self._source(picture)
        yield from self._database()
        yield from self._waiting()
        requests = CounterMetricFamily(
            "jobsctl_http_requests", "HTTP answers since the status process started.", labels=("route", "code")
        )
        for (route, code), count in sorted(self._sources.requests().items()):
            requests.add_metric((route, str(code)), count)
        yield requests
        yield _counter("jobsctl_status_files_written", "Status files written.", self._sources.files_written())

    def _heartbeat(self, beat: Heartbeat | None) -> Iterable[Metric]:
        """What the daemon counts since its start; nothing when there is no heartbeat."""
        if beat is None:
            return
        for name, help, at in (
            ("jobsctl_heartbeat_timestamp_seconds", "When the daemon last gave a sign of life.", beat.at),
            ("jobsctl_daemon_start_timestamp_seconds", "When the daemon started.", beat.started_at),
            ("jobsctl_reconcile_last_success_timestamp_seconds", "When a reconcile last went well.", beat.last_pass_at),
            ("jobsctl_last_error_timestamp_seconds", "When the daemon last had an error.", beat.last_error_at),
        ):
            if at:
                yield _gauge(name, help, at / SECOND)
        reconciles = CounterMetricFamily(
            "jobsctl_reconcile", "Reconciles since the daemon started.", labels=("result",)
        )
        reconciles.add_metric(("ok",), beat.number("reconcile", "ok") or 0)
        reconciles.add_metric(("error",), beat.number("reconcile", "error") or 0)
        yield reconciles
        for name, help, path in (
            (
                "jobsctl_reconcile_seconds",
                "Time spent reconciling since the daemon started.",
                ("reconcile", "seconds_sum"),
            ),
            ("jobsctl_watch_restarts", "Times the file watcher was started again.", ("watch", "restarts")),
            ("jobsctl_clock_jumps", "Times the clock jumped or the machine slept.", ("clock_jumps",)),
        ):
            yield _counter(name, help, beat.number(*path) or 0)
        for name, help, path in (
            ("jobsctl_watch_up", "1 when the file watcher works; without it, scans find changes.", ("watch", "up")),
            ("jobsctl_queue_depth", "Jobs that wait for a time or a turn.", ("queue", "depth")),
            ("jobsctl_queue_retrying", "Jobs whose last decision failed and is tried again.", ("queue", "retrying")),
            ("jobsctl_active_runs", "Runs the daemon follows.", ("runs", "active")),
        ):
            yield _gauge(name, help, float(beat.number(*path) or 0))
        lag = _lag(beat)
        if lag is not None:
            yield lag

    def _source(self, picture: Picture) -> Iterable[Metric]:
        source = picture.source
        if source is None:
            return
        yield _labelled(
            "jobsctl_source_info", "The revision that was applied last; always 1.", revision=source.revision or ""
        )
        problem = "1 when the specs directory could be looked at."
        yield _gauge("jobsctl_source_up", problem, int(source.problem is None))
        yield _gauge("jobsctl_spec_files", "Spec files seen.", source.files)
        yield _gauge("jobsctl_spec_jobs", "Valid jobs in the files.", source.jobs)
        yield _gauge(
            "jobsctl_spec_errors", "Findings that keep documents from being applied.", _errors(source.diagnostics)
        )
        yield _gauge(
            "jobsctl_prune_blocked_jobs", "Jobs the prune guard keeps from being archived.", len(source.prune_blocked)
        )

    def _database(self) -> Iterable[Metric]:
        path = self._sources.home.database
        for name, help, file in (
            ("jobsctl_db_size_bytes", "The database file.", path),
            ("jobsctl_db_wal_bytes", "The database's write-ahead log.", path.with_name(f"{path.name}-wal")),
        ):
            try:
                yield _gauge(name, help, file.stat().st_size)
            except FileNotFoundError:
                yield _gauge(name, help, 0)
        try:
            with Reader(path) as reader:
                buckets = {counter.labels["le"]: counter.value for counter in reader.counters("run_duration_bucket")}
                total = sum(counter.value for counter in reader.counters("run_duration_sum"))
        except StateError:
            return  # no database yet, or a busy moment: no histogram this time
        yield _durations(buckets, total)

    def _waiting(self) -> Iterable[Metric]:
        """What is blocked and why, and how full the pools are: two questions, as long as what is active."""
        try:
            with Reader(self._sources.home.database) as reader:
                occupancy, documents = reader.occupancy(), reader.documents("Pool")
                retries = sum(counter.value for counter in reader.counters("retries"))
        except StateError:
            return
        yield _counter("jobsctl_retries", "Attempts after the first that were made.", retries)
        blocked = GaugeMetricFamily("jobsctl_blocked_runs", "Runs that wait, by what for.", labels=("reason",))
        for reason in WAIT_REASONS:
            waits = (count for _, state, why, count in occupancy if state is RunState.BLOCKED and why is reason)
            blocked.add_metric((reason.value,), sum(waits))
        yield blocked
        slots = {document.name: int(orjson.loads(document.spec)["slots"]) for document in documents}
        pools = sorted({pool for pool, *_ in occupancy if pool is not None} | slots.keys())
        running = dict.fromkeys(pools, 0)
        waiting = dict.fromkeys(pools, 0)
        for pool, state, why, count in occupancy:
            if pool is not None and state is not RunState.BLOCKED:
                running[pool] += count
            elif pool is not None and why is Reason.POOL:
                waiting[pool] += count
        yield _by_pool("jobsctl_pool_slots", "Runs that may be active at once in the pool.", slots)
        yield _by_pool("jobsctl_pool_running", "Runs that hold a slot of the pool.", running)
        yield _by_pool("jobsctl_pool_waiting", "Runs that wait for a slot of the pool.", waiting)


def _by_pool(name: str, help: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help, labels=("pool",))
    for pool, value in values.items():
        family.add_metric((pool,), value)
    return family


def _errors(diagnostics: Iterable[Mapping[str, object]]) -> int:
    return sum(finding.get("severity", "error") == "error" for finding in diagnostics)


def _durations(buckets: Mapping[str, float], total: float) -> Metric:
    """The histogram of all runs ever, from stored counts per bucket."""
    bounds = sorted({"+Inf", *map(str, DURATION_BUCKETS), *buckets}, key=float)
    cumulative: list[tuple[str, float]] = []
    count = 0.0
    for bound in bounds:
        count += buckets.get(bound, 0)
        cumulative.append((bound if bound == "+Inf" else str(float(bound)), count))
    family = HistogramMetricFamily("jobsctl_run_duration_seconds", "How long runs took, all jobs together.")
    family.add_metric((), cumulative, total)
    return family


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


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help, value=value)


def _counter(name: str, help: str, value: float) -> Metric:
    return CounterMetricFamily(name, help, value=value)


def _labelled(name: str, help: str, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, help, labels=tuple(labels))
    family.add_metric(tuple(labels.values()), 1)
    return family
