"""Every page of the month in every state it has: where the tests of this folder go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

Ids = Mapping[str, str]
"""Of the newest run of each job, by identity."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page. `name` is also that of its screenshots."""

    name: str
    path: str | Callable[[Ids], str]
    status: int = 200

    def at(self, ids: Ids) -> str:
        """Its path in this month."""
        return self.path if isinstance(self.path, str) else self.path(ids)


def _run(identity: str, query: str = "") -> Callable[[Ids], str]:
    return lambda ids: f"/runs/{ids[identity]}{query}"


PLACES = [
    Place("overview", "/"),
    Place("jobs", "/jobs"),
    Place("jobs-filtered", "/jobs?phase=failed&sort=next&q=shop"),
    Place("jobs-none", "/jobs?q=no-such-job"),
    Place("job-failing", "/jobs/shop/invoices"),
    Place("job-invalid", "/jobs/data/kpi-mail"),
    Place("job-hostile", "/jobs/ops/dns-check"),
    Place("job-blocked", "/jobs/data/quality"),
    Place("job-suspended", "/jobs/ops/patch-hosts"),
    Place("job-never-ran", "/jobs/data/year-end-close"),
    Place("run-failed", _run("shop/invoices")),
    Place("run-hostile", _run("ops/dns-check")),
    Place("run-two-streams", _run("data/transform")),
    Place("run-running", _run("data/backfill")),
    Place("run-waiting", _run("data/quality")),
    Place("run-skipped", _run("ops/mirror")),
    Place("run-files", _run("data/export-partners")),
    Place("run-found-lines", _run("shop/orders-import", "?find=order+1")),
    Place("graph", "/graph"),
    Place("graph-of-a-job", "/graph?job=data/load"),
    Place("source", "/source"),
    Place("deliveries", "/deliveries"),
    Place("not-found", "/jobs/no/such", status=404),
    Place("bad-request", "/jobs?sort=colour", status=400),
]


def newest_runs(address: str) -> Ids:
    """Of every job that ran within the last thousand runs."""
    found = httpx.get(f"{address}/api/v1/runs?limit=1000", timeout=30).raise_for_status().json()["items"]
    return {f"{run['project']}/{run['job']}": run["id"] for run in reversed(found)}
