"""`/metrics`: sound in both formats, complete from the start, never going back, never failing as a whole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from docs.generate_metrics import document
from state.home import Home
from state.records import Reason, RunState
from state.store import Skip, Store
from state.store_runs import DURATION_BUCKETS, WAIT_BUCKETS
from status.metrics import exposition as metrics
from status.metrics.exposition import Exporter, Sources, wants_openmetrics
from status.metrics.jobs import FAMILIES, escape
from status.metrics.projects import PROJECT_FAMILIES
from status.picture import exemplars
from status.picture.board import Board, Picture
from status.picture.files import StatusFiles
from status.picture.refresh import Refresher
from tests.components import program
from tests.seeing.building import (
    HOUR,
    MINUTE,
    NINE,
    SECOND,
    beat,
    carry_out,
    record_of,
    source_state,
)  # fmt: skip
from tests.seeing.furnished import furnish

DOCS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
NOON = NINE + 3 * HOUR


class Scraper:
    """An exporter over a real database."""

    def __init__(self, home: Home, *, max_jobs: int = metrics.MAX_JOBS) -> None:
        self.home = home
        self.refresher = Refresher(
            home.database, Board(), StatusFiles(home.status), monotonic=lambda: 0.0, now=lambda: NOON
        )
        self.exporter = Exporter(
            Sources(
                home=home,
                picture=lambda: self.refresher.picture,
                requests=lambda: {("/healthz", 200): 3, ("other", 404): 1},
                files_written=lambda: self.refresher.files_written,
                now=lambda: NOON,
                monotonic=lambda: 0.0,
                version="0.1.0",
                max_jobs=max_jobs,
            )
        )

    def text(self, *, openmetrics: bool = False) -> str:
        self.refresher.round()
        return b"".join(self.exporter.scrape(openmetrics=openmetrics)).decode()

    def families(self) -> dict[str, Metric]:
        return {family.name: family for family in parse_text(self.text())}

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """Values by label values, `project` and `job_name` joined."""
        found = {}
        for family in parse_text(self.text()):
            for sample in family.samples:
                if sample.name == name:
                    labels = dict(sample.labels)
                    identity = f"{labels.pop('project', '')}/{labels.pop('job_name', '')}"
                    found[identity, *labels.values()] = sample.value
        return found

    def grown(self) -> dict[tuple[str, ...], float]:
        """Every number that only grows, by name and labels."""
        return {
            (sample.name, *map(str, sorted(sample.labels.items()))): sample.value
            for family in parse_text(self.text())
            if family.type in ("counter", "histogram") and not family.name.startswith(("process_", "jobsctl_daemon_"))
            for sample in family.samples
        }

    def close(self) -> None:
        self.refresher.stop()
        self.refresher.run()


@pytest.fixture
def scraper(home: Home) -> Iterator[Scraper]:
    made = Scraper(home)
    yield made
    made.close()


@pytest.fixture
def busy(home: Home, store: Store) -> Store:
    """Three jobs: one that ran, one that never did, one that is suspended; a good look; a heartbeat."""
    ran = store.put_job(record_of("ran", spec={"schedule": "@hourly", "timeout": "5m"}))
    store.put_job(record_of("new", project="data", spec={"schedule": "daily at 09:00", "timezone": "Europe/Berlin"}))
    store.put_job(record_of("off", spec={"schedule": "@hourly"}, suspended_at=NINE))
    carry_out(store, ran, at=NINE + HOUR, seconds=90)
    carry_out(store, ran, at=NINE + 2 * HOUR, state=RunState.FAILED)
    store.set_source(source_state(diagnostics=({"code": "JOB012", "severity": "error"}, {"severity": "warning"})))
    beat(home, NOON)
    return store


def test_both_formats_are_read_by_prometheus_own_parsers_and_say_the_same(busy: Store, scraper: Scraper) -> None:
    plain = {(s.name, *sorted(s.labels.items())): s.value for f in parse_text(scraper.text()) for s in f.samples}
    opened = {
        (s.name, *sorted(s.labels.items())): s.value
        for f in parse_openmetrics(scraper.text(openmetrics=True))
        for s in f.samples
    }
    volatile = ("process_", "jobsctl_daemon_process_", "jobsctl_db_", "jobsctl_state_filesystem_")
    assert {k: v for k, v in plain.items() if not k[0].startswith(volatile)} == {
        k: v for k, v in opened.items() if not k[0].startswith(volatile)
    }
    assert len(plain) > 60


def test_promtool_finds_nothing_to_complain_about(busy: Store, scraper: Scraper) -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=scraper.text(),
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_every_series_of_a_job_is_there_with_its_value(busy: Store, scraper: Scraper) -> None:
    values = {name: scraper.values(f"jobsctl_job_{name}").get(("default/ran",)) for name in (
        "suspended", "ready", "active_runs", "consecutive_failures", "generation", "next_run_timestamp_seconds",
        "last_run_timestamp_seconds", "last_success_timestamp_seconds", "last_run_duration_seconds", "last_run_success",
        "success_deadline_timestamp_seconds", "timeout_seconds")}  # fmt: skip
    assert values == {
        "suspended": 0, "ready": 1, "active_runs": 0, "consecutive_failures": 1, "generation": 1,
        "next_run_timestamp_seconds": (NINE + HOUR) / SECOND,
        "last_run_timestamp_seconds": (NINE + 2 * HOUR) / SECOND,
        "last_success_timestamp_seconds": (NINE + HOUR) / SECOND + 90,
        "last_run_duration_seconds": 2, "last_run_success": 0,
        "success_deadline_timestamp_seconds": (NINE + 2 * HOUR + 5 * MINUTE) / SECOND + 10, "timeout_seconds": 300,
    }  # fmt: skip
    assert scraper.values("jobsctl_job_info")["data/new", "cron", "0 9 * * *", "Europe/Berlin"] == 1


def test_what_is_known_is_zero_from_the_start_and_what_is_not_is_left_out(busy: Store, scraper: Scraper) -> None:
    assert scraper.values("jobsctl_runs_total") | {("default/off", "failed"): 0} == {
        (identity, state): float((identity, state) in (("default/ran", "succeeded"), ("default/ran", "failed")))
        for identity in ("default/ran", "data/new", "default/off")
        for state in ("succeeded", "failed", "cancelled", "expired")
    }
    assert scraper.values("jobsctl_slots_skipped_total") == {
        (identity, reason): 0.0
        for identity in ("default/ran", "data/new", "default/off")
        for reason in ("overlap", "missed", "suspended", "daemon_down")
    }
    for name in ("last_run_timestamp_seconds", "last_success_timestamp_seconds", "last_run_success"):
        assert list(scraper.values(f"jobsctl_job_{name}")) == [("default/ran",)]
    assert ("default/off",) not in scraper.values("jobsctl_job_next_run_timestamp_seconds")
    assert ("default/off",) not in scraper.values("jobsctl_job_success_deadline_timestamp_seconds")


def test_the_daemon_and_the_source_are_told(busy: Store, scraper: Scraper) -> None:
    found = scraper.families()
    one = {name: family.samples[0].value for name, family in found.items() if len(family.samples) == 1}
    assert one["jobsctl_daemon_up"] == 1
    assert one["jobsctl_spec_errors"] == 1
    assert one["jobsctl_watch_up"] == 1
    assert one["jobsctl_queue_depth"] == 2
    lag = {s.labels.get("le", s.name): s.value for s in found["jobsctl_scheduler_lag_seconds"].samples}
    assert lag == {"0.001": 1, "0.01": 2, "+Inf": 3, "jobsctl_scheduler_lag_seconds_count": 3,
                   "jobsctl_scheduler_lag_seconds_sum": 0.02}  # fmt: skip
    took = {s.labels.get("le", s.name): s.value for s in found["jobsctl_run_duration_seconds"].samples}
    assert (took["1.0"], took["5.0"], took["60.0"], took["300.0"], took["+Inf"]) == (0, 1, 1, 2, 2)
    assert took["jobsctl_run_duration_seconds_sum"] == 92
    requests = found["jobsctl_http_requests"].samples
    assert {(s.labels["route"], s.labels["code"]): s.value for s in requests} == {
        ("/healthz", "200"): 3, ("other", "404"): 1
    }  # fmt: skip


def test_counters_do_not_go_back_when_history_is_pruned_or_the_process_restarts(
    home: Home, busy: Store, scraper: Scraper
) -> None:
    job = busy.job_by_identity("default/ran")
    assert job is not None
    carry_out(busy, job, at=NINE + 3 * HOUR)
    before = scraper.values("jobsctl_runs_total"), scraper.values("jobsctl_run_duration_seconds_count")
    assert busy.prune(NINE + 10_000 * HOUR, max_age_us=HOUR, max_runs=1)
    again = Scraper(home)
    try:
        assert (again.values("jobsctl_runs_total"), again.values("jobsctl_run_duration_seconds_count")) == before
    finally:
        again.close()


def test_skipped_slots_are_counted_by_reason_also_after_pruning(busy: Store, home: Home) -> None:
    job = busy.job_by_identity("default/ran")
    assert job is not None
    assert job.id is not None
    for hour, count, reason in ((4, 2, Reason.MISSED), (5, 3, Reason.OVERLAP), (6, 1, Reason.MISSED)):
        at = NINE + hour * HOUR
        busy.skip([Skip(job_id=job.id, first=at, last=at, count=count, reason=reason, at=at, generation=1)])
    assert busy.prune(NINE + 10_000 * HOUR, max_age_us=HOUR, max_runs=1)
    scraper = Scraper(home)
    try:
        values = scraper.values("jobsctl_slots_skipped_total")
    finally:
        scraper.close()
    found = {reason: value for (identity, reason), value in values.items() if identity == "default/ran"}
    assert found == {"missed": 3, "overlap": 3, "suspended": 0, "daemon_down": 0}


def test_an_archived_job_has_no_series(store: Store, scraper: Scraper) -> None:
    store.put_job(record_of(archived_at=NINE))
    assert "hello" not in scraper.text()


def test_without_daemon_and_database_there_are_metrics_that_say_so(scraper: Scraper) -> None:
    found = scraper.families()
    assert found["jobsctl_daemon_up"].samples[0].value == 0
    assert {s.value for s in found["jobsctl_collector_up"].samples} == {1}
    assert found["jobsctl_db_up"].samples[0].value == 0


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "OpenMetrics"])
def test_a_part_that_fails_leaves_the_rest(
    busy: Store, scraper: Scraper, monkeypatch: pytest.MonkeyPatch, openmetrics: bool
) -> None:
    def broken(samples: object, *, openmetrics: bool) -> Iterator[bytes]:
        yield b"# TYPE jobsctl_job_info gauge\n"
        raise RuntimeError("broken")

    monkeypatch.setattr(metrics, "render_jobs", broken)
    text = scraper.text(openmetrics=openmetrics)
    found = {family.name: family for family in (parse_openmetrics if openmetrics else parse_text)(text)}
    assert [s.labels["collector"] for s in found["jobsctl_collector_up"].samples if s.value == 0] == ["jobs"]
    assert "jobsctl_job_info" not in found
    assert "jobsctl_build_info" in found


def test_a_label_value_is_escaped() -> None:
    assert escape('a\\b"c\nd') == 'a\\\\b\\"c\\nd'


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        pytest.param("", False, id="nothing"),
        pytest.param("*/*", False, id="anything"),
        pytest.param("text/plain;version=0.0.4;q=0.5", False, id="text"),
        pytest.param("application/openmetrics-text", True, id="OpenMetrics of any version"),
        pytest.param(
            "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5", True, id="Prometheus"
        ),
        pytest.param("application/openmetrics-text;version=0.0.1,text/plain", False, id="a draft of OpenMetrics"),
    ],
)
def test_the_format_is_the_one_asked_for(accept: str, openmetrics: bool) -> None:
    assert wants_openmetrics(accept) is openmetrics


def test_every_metric_is_in_the_docs_with_its_type_and_the_docs_name_no_other(
    home: Home, store: Store, scraper: Scraper
) -> None:
    furnish(home, store)
    told = {
        f"{family.name}_total" if family.type == "counter" else family.name: family.type
        for family in parse_text(scraper.text())
        if not family.name.startswith(("process_", "jobsctl_daemon_process_"))
    }
    documented = dict(re.findall(r"^\| `(jobsctl_[a-z_]+)` \| (\w+) \|", DOCS, re.MULTILINE))
    stand_ins = {"jobsctl_project_running_since_timestamp_seconds", *(family.name for family in PROJECT_FAMILIES)}
    assert told == {name: type for name, type in documented.items() if name not in stand_ins}
    assert stand_ins <= documented.keys()


def test_the_page_about_metrics_is_made_of_what_is_told() -> None:
    assert document() == DOCS, "python -m docs.generate_metrics"


def test_the_buckets_are_those_the_store_counts_in() -> None:
    assert exemplars.DURATION_BUCKETS == DURATION_BUCKETS
    assert exemplars.WAIT_BUCKETS == WAIT_BUCKETS


def test_no_family_is_told_twice(busy: Store, scraper: Scraper) -> None:
    names = re.findall(r"^# TYPE (\S+)", scraper.text(), re.MULTILINE)
    assert len(names) == len(set(names))
    assert len(FAMILIES) == 16
    assert isinstance(scraper.refresher.picture, Picture)
