"""Telling people: HTTP, status files, and what the notify process delivers."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric

from state.outbox.reads import OutboxReader
from status.metrics.families.scrape import Scrape
from status.metrics.families.shapes import counter, counters, gauge, gauges


def collect(scrape: Scrape) -> Iterator[Metric]:
    """Families of the status process itself and of the outbox."""
    answers = {(route, str(code)): float(count) for (route, code), count in sorted(scrape.requests.items())}
    yield counters(
        "jobsctl_http_requests", "HTTP answers since the status process started.", ("route", "code"), answers
    )
    yield gauge("jobsctl_http_streams", "Event streams that are open.", scrape.streams)
    yield counter("jobsctl_status_files_written", "Status files written since then.", scrape.files_written)
    yield gauge("jobsctl_status_files_up", "1 when status files can be written.", int(scrape.files_up))
    yield gauge("jobsctl_metrics_max_jobs", "How many jobs get series of their own at most.", scrape.max_jobs)
    yield gauge(
        "jobsctl_metrics_truncated", "1 when there are more jobs, and only projects have series.", int(scrape.truncated)
    )
    yield from _deliveries(scrape)


RESULTS = ("delivered", "failed", "dropped")
"""How a delivery ends: `state.outbox.records.DeliveryState`, without `pending`."""


def _deliveries(scrape: Scrape) -> Iterator[Metric]:
    """What was sent: stored in the outbox, so it does not go back. Targets are notifiers and hosts: few."""
    counts: dict[tuple[str, str, str], float] = {}
    if scrape.ledger is not None:
        for (name,) in scrape.ledger.ask("SELECT name FROM document WHERE kind = 'Notifier' ORDER BY name"):
            counts |= {("notification", name, result): 0.0 for result in RESULTS}
    with OutboxReader(scrape.home.outbox) as outbox:
        found, pending, retrying = outbox.counts(), outbox.pending(), outbox.retrying()
    # Where nothing has ended yet something may be on its way: told from the start, as 0.
    for kind, target in sorted({place[:2] for place in found} | retrying.keys()):
        counts |= {(kind, target, result): 0.0 for result in RESULTS}
    counts |= found
    yield counters(
        "jobsctl_deliveries", "Notifications and callbacks, by where to and how they ended.",
        ("kind", "target", "result"), counts,
    )  # fmt: skip
    yield gauges(
        "jobsctl_deliveries_retrying", "Notifications and callbacks that failed and are tried again.",
        ("kind", "target"), {place: float(retrying.get(place, 0)) for place in sorted({key[:2] for key in counts})},
    )  # fmt: skip
    yield gauge("jobsctl_deliveries_pending", "Notifications and callbacks that wait for an attempt.", pending)
