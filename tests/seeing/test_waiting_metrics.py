"""The series about what waits and what did not run: every reason is counted, pools show how full they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from state.home import Home
from state.records import SKIP_REASONS, WAIT_REASONS, DocumentRecord, Reason, Run, RunState, Trigger
from state.store import Skip, Store
from status.deadline import read_spec
from status.metrics.jobs import possible_skips
from tests.seeing.building import HOUR, NINE, beat, record_of, run_of
from tests.seeing.test_metrics import NOON, Scraper, scraper

__all__ = ["scraper"]
DOCS = Path(__file__).parents[2] / "docs"
BASE = {"overlap", "missed", "suspended", "daemon_down"}


def pool(name: str, slots: int) -> DocumentRecord:
    spec = f'{{"apiVersion":"jobsctl/v1","description":"","kind":"Pool","name":"{name}","slots":{slots}}}'
    return DocumentRecord(kind="Pool", name=name, spec=spec.encode(), digest="d", path="pools.yaml", line=1)


def test_pools_and_what_waits_are_counted(home: Home, store: Store, scraper: Scraper) -> None:
    beat(home, NOON)
    store.put_documents([pool("db", 2), pool("idle", 5)], [])
    jobs = [store.put_job(record_of(name, spec={"schedule": "@hourly", "pool": "db"})) for name in ("a", "b", "c")]
    free = store.put_job(record_of("free", spec={"schedule": "@hourly"}))

    def blocked(run: Run, reason: Reason) -> Run:
        return replace(run, state=RunState.BLOCKED, reason=reason)

    store.insert_runs([
        run_of(jobs[0]), run_of(jobs[1]), blocked(run_of(jobs[2]), Reason.POOL),
        blocked(replace(run_of(jobs[2], at=NINE + 1), attempt=2, trigger=Trigger.RETRY), Reason.BACKOFF),
        blocked(run_of(free), Reason.OVERLAP),
    ])  # fmt: skip
    assert scraper.values("jobsctl_pool_slots") == {("/", "db"): 2, ("/", "idle"): 5}
    assert scraper.values("jobsctl_pool_running") == {("/", "db"): 2, ("/", "idle"): 0}
    assert scraper.values("jobsctl_pool_waiting") == {("/", "db"): 1, ("/", "idle"): 0}
    assert scraper.values("jobsctl_blocked_runs") == {
        ("/", reason.value): float(reason in (Reason.POOL, Reason.BACKOFF, Reason.OVERLAP)) for reason in WAIT_REASONS
    }
    assert scraper.values("jobsctl_retries_total") == {("/",): 1}


def test_every_reason_is_counted_once_it_occurred(home: Home, store: Store, scraper: Scraper) -> None:
    beat(home, NOON)
    job = store.put_job(record_of("manual"))
    assert job.id is not None
    for place, reason in enumerate(SKIP_REASONS):
        at = NINE + place * HOUR
        store.skip([Skip(job_id=job.id, first=at, last=at, count=1, reason=reason, at=at, generation=1)])
    found = scraper.values("jobsctl_slots_skipped_total")
    assert found == {("default/manual", reason.value): 1.0 for reason in SKIP_REASONS}


ROWS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("manual", {}, set()),
    ("scheduled", {"schedule": "@hourly"}, BASE),
    ("once", {"schedule": "2026-12-24T18:00:00Z"}, BASE | {"past"}),
    ("in a pool", {"schedule": "@hourly", "pool": "db"}, BASE | {"pool"}),
    ("after another", {"depends_on": ["a"]}, {"dependency"}),
    ("with a grace", {"schedule": "@hourly", "missed": {"grace": "1h"}}, BASE | {"grace"}),
    ("with a calendar", {"schedule": "@hourly", "calendar": "holidays"}, BASE | {"calendar"}),
    ("that ends", {"schedule": "@hourly", "repeat": 3}, BASE | {"horizon"}),
    ("that skips the gap", {"schedule": "daily at 02:30", "dst": {"gap": "skip"}}, BASE | {"dst_gap"}),
]


@pytest.mark.parametrize(("spec", "reasons"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_job_has_series_from_the_start_for_what_can_occur_to_it(spec: dict[str, Any], reasons: set[str]) -> None:
    record = record_of(spec=spec)
    job = read_spec(record.spec)
    assert set(possible_skips(record, job, once="2026" in str(job.schedule))) == reasons


def test_the_rows_name_every_reason() -> None:
    assert set().union(*(row[2] for row in ROWS)) == set(SKIP_REASONS)


@pytest.mark.parametrize("page", ["metrics.md", "reasons.md"])
def test_the_pages_name_each_other(page: str) -> None:
    other: Callable[[str], str] = {"metrics.md": "reasons.md", "reasons.md": "jobsctl_blocked_runs"}.__getitem__
    assert other(page) in (DOCS / page).read_text()
