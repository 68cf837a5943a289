"""`/metrics`: the series of jobs (`status.metrics.jobs`, own text) and all else (`families`, prometheus_client).

Called by `status.api`, in a thread. Jobs are read from memory (the picture), the daemon's numbers from its heartbeat;
the databases are asked for the few totals that live there. A part that fails never fails the scrape: its
`jobsctl_collector_up` is 0 and the rest is served. docs/metrics.md is made of what this tells.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.registry import Collector

from state.database import open_reader
from state.errors import StateError
from state.home import Home
from status.heartbeat import DOWN_AFTER, read_heartbeat
from status.metrics.families import daemon, source, store, telling, waiting
from status.metrics.families.scrape import Ledger, Scrape
from status.metrics.jobs import JobSample, render_jobs
from status.metrics.projects import render_jobs_by_phase, render_projects
from status.picture.board import Picture

PLAIN = CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
MAX_JOBS = 20_000
"""Jobs with series of their own, about 20 each: more is no use to a Prometheus, and projects have series instead."""
PARTS: Mapping[str, Callable[[Scrape], Iterator[Metric]]] = {
    "daemon": daemon.collect,
    "source": source.collect,
    "waiting": waiting.collect,
    "store": store.collect,
    "telling": telling.collect,
}


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
    streams: Callable[[], int] = lambda: 0
    """Event streams that are open."""
    files_up: Callable[[], bool] = lambda: True
    """Whether status files can be written."""
    max_jobs: int = MAX_JOBS


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
        self._pid = 0

    def scrape(self, *, openmetrics: bool = False) -> list[bytes]:
        """The exposition, in pieces: joined they would be 13 MB for 10,000 jobs, twice."""
        with self._lock, self._look() as scrape:
            pieces: list[bytes] = []
            up: list[str] = []
            seconds: list[str] = []
            parts: dict[str, Callable[[], Iterable[bytes]]] = {"jobs": lambda: _jobs(scrape, openmetrics=openmetrics)}
            for name, collect in PARTS.items():
                parts[name] = lambda collect=collect: _text([_Once(collect(scrape))], openmetrics)  # type: ignore[misc]
            parts["processes"] = lambda: self._processes(scrape, openmetrics)
            for name, part in parts.items():
                began = self._sources.monotonic()
                try:
                    pieces.extend(list(part()))  # whole or not at all: a family must not end half-way
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

    @contextmanager
    def _look(self) -> Iterator[Scrape]:
        sources = self._sources
        now, beat, picture = sources.now(), read_heartbeat(sources.home), sources.picture()
        live = sum(entry.sample is not None for entry in picture.entries.values())
        try:
            connection = open_reader(sources.home.database, timeout=0.5)
        except StateError:
            connection = None  # no database yet, or a busy moment: what it holds is left out this time
        try:
            yield Scrape(
                home=sources.home,
                now=now,
                version=sources.version,
                beat=beat,
                alive=beat is not None and beat.age(now) <= DOWN_AFTER,
                picture=picture,
                truncated=live > sources.max_jobs,
                max_jobs=sources.max_jobs,
                ledger=None if connection is None else Ledger(sources.home, connection),
                requests=sources.requests(),
                streams=sources.streams(),
                files_written=sources.files_written(),
                files_up=sources.files_up(),
            )
        finally:
            if connection is not None:
                connection.close()

    def _processes(self, scrape: Scrape, openmetrics: bool) -> Iterable[bytes]:
        pid = scrape.beat.pid if scrape.beat is not None and scrape.alive else None
        daemons = ProcessCollector(namespace="jobsctl_daemon", pid=lambda: pid or 0, registry=None)
        return _text([ProcessCollector(registry=None), daemons], openmetrics)


def _jobs(scrape: Scrape, *, openmetrics: bool) -> Iterable[bytes]:
    phases: Counter[tuple[str, str]] = Counter()
    samples: dict[str, list[JobSample]] = {}
    for entry in scrape.picture.entries.values():
        if entry.sample is not None:
            phases[entry.project, entry.phase] += 1
            samples.setdefault(entry.project, []).append(entry.sample)
    yield render_jobs_by_phase(phases)
    if scrape.truncated:
        yield from render_projects(samples)
    else:
        yield from render_jobs([sample for found in samples.values() for sample in found], openmetrics=openmetrics)


class _Once(Collector):
    """Families that were collected already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _text(collectors: Iterable[Collector], openmetrics: bool) -> Iterable[bytes]:
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    if openmetrics:
        data: bytes = openmetrics_exposition.generate_latest(registry)  # type: ignore[no-untyped-call]
        return [data.removesuffix(b"# EOF\n")]
    return [generate_latest(registry)]


def _gauge_text(name: str, help: str, lines: Iterable[str]) -> bytes:
    return f"# HELP {name} {help}\n# TYPE {name} gauge\n{''.join(lines)}".encode()
