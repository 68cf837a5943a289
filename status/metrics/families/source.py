"""The specs: what was looked at, what is wrong with it, and the watcher of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import Metric

from status.metrics.families.scrape import Scrape
from status.metrics.families.shapes import counter, gauge, info
from status.words.instants import SECOND


def collect(scrape: Scrape) -> Iterator[Metric]:
    """Families of the source; nothing of it before the first look."""
    yield from _looks(scrape)
    source = scrape.picture.source
    if source is None:
        return
    yield info("jobsctl_source_info", "The revision that was applied last; always 1.", revision=source.revision or "")
    up = int(source.problem is None)
    yield gauge("jobsctl_source_up", "1 when the specs directory could be looked at.", up)
    yield gauge("jobsctl_spec_files", "Spec files seen.", source.files)
    yield gauge("jobsctl_spec_jobs", "Valid jobs in them.", source.jobs)
    yield gauge("jobsctl_spec_errors", "Findings that keep documents from being applied.", _errors(source.diagnostics))
    yield gauge(
        "jobsctl_prune_blocked_jobs", "Jobs the prune guard keeps from being archived.", len(source.prune_blocked)
    )


def _looks(scrape: Scrape) -> Iterator[Metric]:
    beat = scrape.beat
    if beat is None:
        return
    for name, help, path in (
        ("jobsctl_watch_events", "Changes below the specs directory the watcher was told of.", ("watch", "events")),
        ("jobsctl_watch_restarts", "Times the watcher was started again.", ("watch", "restarts")),
    ):
        yield counter(name, help, beat.number(*path) or 0)
    yield gauge(
        "jobsctl_watch_up",
        "1 when the file watcher works; without it, sweeps find changes.",
        float(beat.number("watch", "up") or 0),
    )
    at, seconds = beat.number("scan", "at"), beat.number("scan", "seconds")
    if at is not None and seconds is not None:
        yield gauge(
            "jobsctl_scan_last_timestamp_seconds", "When the daemon last looked at the specs directory.", at / SECOND
        )
        yield gauge("jobsctl_scan_duration_seconds", "How long that look took.", seconds)


def _errors(diagnostics: Iterable[Mapping[str, object]]) -> int:
    return sum(finding.get("severity", "error") == "error" for finding in diagnostics)
