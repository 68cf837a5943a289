"""What is active: since when jobs run, what waits and why, how full the pools are. As long as what is active."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from prometheus_client import Metric

from state.oldest import oldest_waiting, running_since
from state.reads import Reader
from state.records import WAIT_REASONS, Reason, RunState
from state.totals import counters as stored
from status.metrics.families.scrape import Scrape
from status.metrics.families.shapes import counter, gauges
from status.words.instants import SECOND


def collect(scrape: Scrape) -> Iterator[Metric]:
    """Families of active runs; nothing without a database."""
    if scrape.ledger is None:
        return
    ask = scrape.ledger.ask
    yield counter(
        "jobsctl_retries", "Attempts after the first that were made.", sum(c.value for c in stored(ask, "retries"))
    )
    yield from _running(scrape)
    with Reader(scrape.home.database) as reader:
        occupancy, documents = reader.occupancy(), reader.documents("Pool")
    yield gauges("jobsctl_blocked_runs", "Runs that wait, by what for.", ("reason",), {
        (reason.value,): sum(count for _, state, why, count in occupancy if state is RunState.BLOCKED and why is reason)
        for reason in WAIT_REASONS
    })  # fmt: skip
    yield gauges(
        "jobsctl_oldest_blocked_run_timestamp_seconds",
        "When the run was made that waits longest, by what for; absent when none waits.",
        ("reason",),
        {(reason.value,): at / SECOND for reason, at in oldest_waiting(ask).items()},
    )
    slots = {(document.name,): float(orjson.loads(document.spec)["slots"]) for document in documents}
    pools = sorted({(pool,) for pool, *_ in occupancy if pool is not None} | slots.keys())
    running = dict.fromkeys(pools, 0.0)
    waiting = dict.fromkeys(pools, 0.0)
    for pool, state, why, count in occupancy:
        if pool is not None and state is not RunState.BLOCKED:
            running[(pool,)] += count
        elif pool is not None and why is Reason.POOL:
            waiting[(pool,)] += count
    yield gauges("jobsctl_pool_slots", "Runs that may be active at once in the pool.", ("pool",), slots)
    yield gauges("jobsctl_pool_running", "Runs that hold a slot of the pool.", ("pool",), running)
    yield gauges("jobsctl_pool_waiting", "Runs that wait for a slot of the pool.", ("pool",), waiting)


def _running(scrape: Scrape) -> Iterator[Metric]:
    assert scrape.ledger is not None
    found = running_since(scrape.ledger.ask)
    if not scrape.truncated:
        yield gauges(
            "jobsctl_job_running_since_timestamp_seconds",
            "When the run started that runs longest; absent when none runs.",
            ("project", "job_name"),
            {(project, name): at / SECOND for project, name, at in found},
        )
        return
    projects: dict[tuple[str, ...], float] = {}
    for project, _, at in found:
        projects[(project,)] = min(at / SECOND, projects.get((project,), float("inf")))
    yield gauges(
        "jobsctl_project_running_since_timestamp_seconds",
        "When the run started that runs longest in the project; absent when none runs.",
        ("project",),
        projects,
    )
