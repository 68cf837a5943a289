"""What bounds `/metrics`: labels, series, exemplars; and that what is counted never goes back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from reconciler.daemon import status_command
from specs.config import Config, Metrics
from state.home import Home
from state.outbox.records import DeliveryKind, DeliveryState
from state.outbox.store import Outbox
from state.records import Reason, RunState
from state.store import Skip, Store
from tests.seeing.building import HOUR, NINE, SECOND, carry_out, make_home, record_of
from tests.seeing.furnished import deliver, furnish
from tests.seeing.test_metrics import Scraper, busy, scraper

__all__ = ["busy", "scraper"]


def test_a_bucket_has_the_run_that_ended_last_in_it_as_its_exemplar_in_openmetrics_alone(
    busy: Store, home: Home, scraper: Scraper
) -> None:
    job = busy.job_by_identity("default/ran")
    assert job is not None
    newest = {
        "5.0": carry_out(busy, job, at=NINE + 4 * HOUR, seconds=3),
        "300.0": carry_out(busy, job, at=NINE + 5 * HOUR, seconds=120),
    }
    found = {family.name: family for family in parse_openmetrics(scraper.text(openmetrics=True))}
    # The refresher reads the last run of a job that changed: a round for each, as the daemon's bell has it.
    carry_out(busy, job, at=NINE + 6 * HOUR, seconds=4)
    found = {family.name: family for family in parse_openmetrics(scraper.text(openmetrics=True))}
    shown = {
        sample.labels["le"]: sample.exemplar
        for sample in found["jobsctl_run_duration_seconds"].samples
        if sample.exemplar is not None
    }
    assert shown["300.0"].labels == {"run_id": newest["300.0"].id}
    assert shown["300.0"].value == 120
    assert shown["5.0"].labels["run_id"] > newest["5.0"].id
    assert all(sum(len(key) + len(value) for key, value in each.labels.items()) <= 128 for each in shown.values())
    assert "run_id" not in scraper.text()


def test_above_the_bound_projects_have_series_and_jobs_have_none(home: Home, store: Store) -> None:
    furnish(home, store)
    few, many = Scraper(home, max_jobs=5), Scraper(home, max_jobs=4)
    try:
        assert few.values("jobsctl_metrics_truncated") == {("/",): 0}
        assert many.values("jobsctl_metrics_truncated") == {("/",): 1}
        text = many.text()
        assert "job_name=" not in text
        assert many.values("jobsctl_project_failing_jobs") == {("default/",): 1, ("data/",): 0}
        deadlines = few.values("jobsctl_job_success_deadline_timestamp_seconds")
        for project in ("default", "data"):
            first = min(at for (identity,), at in deadlines.items() if identity.startswith(f"{project}/"))
            assert many.values("jobsctl_project_success_deadline_timestamp_seconds")[f"{project}/",] == first
        assert many.values("jobsctl_project_suspended_since_timestamp_seconds") == {("default/",): NINE / SECOND}
        assert many.values("jobsctl_project_running_since_timestamp_seconds") == {("default/",): (NINE + HOUR) / SECOND}
        assert many.values("jobsctl_jobs") == few.values("jobsctl_jobs")
        assert sum(few.values("jobsctl_jobs").values()) == 5
    finally:
        few.close()
        many.close()


def test_the_bound_is_a_setting_that_reaches_the_status_process(home: Home) -> None:
    argv = status_command(home, "127.0.0.1:0", Config(metrics=Metrics(max_jobs=7)))
    assert argv[argv.index("--max-jobs") + 1] == "7"


def test_no_label_grows_with_history(home: Home, store: Store, scraper: Scraper) -> None:
    furnish(home, store)
    labels = {
        label for family in parse_text(scraper.text()) for sample in family.samples for label in sample.labels
        if not family.name.endswith("_info")
    }  # fmt: skip
    assert labels <= {
        "project", "job_name", "state", "reason", "phase", "result", "le", "pool", "kind", "target", "route", "code",
        "collector",
    }  # fmt: skip


def test_what_was_delivered_is_counted_from_zero_for_every_notifier(home: Home, store: Store, scraper: Scraper) -> None:
    furnish(home, store)
    counts = scraper.values("jobsctl_deliveries_total")
    assert counts["/", "notification", "delivered", "ops"] == 0
    assert {key[2:]: value for key, value in counts.items() if key[1] == "callback"} == {
        ("delivered", "hooks.example.com"): 1, ("failed", "hooks.example.com"): 1, ("dropped", "hooks.example.com"): 0,
    }  # fmt: skip
    assert scraper.values("jobsctl_deliveries_retrying")["/", "callback", "hooks.example.com"] == 1
    assert scraper.values("jobsctl_deliveries_pending") == {("/",): 1}


def test_the_first_delivery_to_a_place_is_told_of_while_it_is_tried_again(
    home: Home, store: Store, scraper: Scraper
) -> None:
    with closing(Outbox.open(home.outbox, now=NINE)) as outbox:
        deliver(outbox, "first", DeliveryKind.CALLBACK, "new.example.com", DeliveryState.PENDING)
    assert scraper.values("jobsctl_deliveries_retrying") == {("/", "callback", "new.example.com"): 1}
    assert set(scraper.values("jobsctl_deliveries_total").values()) == {0}


FILES_WRITTEN = ("jobsctl_status_files_written_total",)
OPERATIONS = ("run", "fail", "skip", "prune", "archive", "restart", "deliver")


@settings(max_examples=6, deadline=None, derandomize=True)
@given(operations=st.lists(st.sampled_from(OPERATIONS), min_size=3, max_size=8))
def test_no_counter_ever_goes_back(tmp_path_factory: pytest.TempPathFactory, operations: list[str]) -> None:
    home = make_home(tmp_path_factory.mktemp("home") / "home")
    store = Store.open(home.database, now=NINE)
    jobs = [store.put_job(record_of(name, spec={"schedule": "@hourly"})) for name in ("a", "b")]
    scraper = Scraper(home)
    before: dict[tuple[str, ...], float] = {}
    try:
        for number, operation in enumerate(operations, start=1):
            at = NINE + number * HOUR
            if operation in ("run", "fail"):
                state = RunState.SUCCEEDED if operation == "run" else RunState.FAILED
                carry_out(store, jobs[number % 2], at=at, state=state, seconds=number * 7)
            elif operation == "skip":
                gap = Skip(
                    job_id=jobs[0].id or 0, first=at, last=at, count=number, reason=Reason.MISSED, at=at, generation=1
                )
                store.skip([gap])
            elif operation == "prune":
                store.prune(NINE + 10_000 * HOUR, max_age_us=HOUR, max_runs=1)
            elif operation == "archive":
                store.put_job(replace(store.job(jobs[1].id or 0) or jobs[1], archived_at=at))
            elif operation == "restart":
                scraper.close()
                scraper = Scraper(home)
            else:
                with closing(Outbox.open(home.outbox, now=at)) as outbox:
                    deliver(outbox, f"d{number}", DeliveryKind.CALLBACK, "h", DeliveryState.FAILED)
            now = scraper.grown()
            if operation == "restart":
                before.pop(FILES_WRITTEN, None)  # of this process, and so from 0 again
            assert {key: value for key, value in now.items() if value < before.get(key, 0)} == {}
            before |= now
    finally:
        scraper.close()
        store.close()
