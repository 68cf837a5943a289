"""Rendering metrics: the text of a scrape with a hundred thousand series."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import history
from benchmarks.figures import Figure, Target, compared
from benchmarks.timing import interleaved
from benchmarks.workshop import Bench
from state.reads import Reader
from status.metrics.jobs import JobSample, render_jobs
from status.picture.board import Board


def series(bench: Bench) -> Iterator[Figure]:
    """a scrape of all jobs"""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.parser import text_string_to_metric_families

    count = bench.size(10_000, 2_000)
    samples, seconds = _samples(bench.folder("series") / "jobsctl.db", count)
    yield compared(f"picture of {count:,} jobs made from the database, when the status process starts", [seconds])
    text = b"".join(render_jobs(samples)).decode()
    registry = CollectorRegistry()
    lines = _fill(registry, list(text_string_to_metric_families(text)))

    assert generate_latest(registry).count(b"\n") >= lines
    taken = interleaved(
        {"ours": lambda: b"".join(render_jobs(samples)), "reference": lambda: generate_latest(registry)},
        bench.size(5, 3),
    )
    yield compared(
        f"scrape of {lines:,} series of {count:,} jobs ({len(text) / 1e6:.1f} MB)",
        taken["ours"],
        taken["reference"],
        beside="generate_latest of the same",
        target=Target(0.05),
    )


def _samples(path: Path, count: int) -> tuple[list[JobSample], float]:
    history.make_jobs(path, count)
    history.add_runs(path, count)
    board = Board()
    with Reader(path) as reader:
        records = reader.jobs()
        runs = {run.id: run for run in (reader.runs(limit=10_000))}
        began = time.perf_counter()
        board.update(records, last_runs=runs, source_problem=None)
        picture = board.publish(source=None, seq=1)
        seconds = time.perf_counter() - began
    return [entry.sample for entry in picture.entries.values() if entry.sample is not None], seconds


def _fill(registry: object, families: list) -> int:  # type: ignore[type-arg]
    """Gauges with the same names, labels and values in a registry; how many series."""
    from prometheus_client import Gauge

    total = 0
    for family in families:
        if not family.samples:
            continue
        labels = list(family.samples[0].labels)
        gauge = Gauge(family.name, family.documentation, labels, registry=registry)
        for sample in family.samples:
            gauge.labels(*sample.labels.values()).set(sample.value)
        total += len(family.samples)
    return total


PARTS = (series,)
