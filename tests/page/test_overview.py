"""The overview: what is wrong first, since when, why and what to do; then what goes on; then the last day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from state.home import Home
from state.records import Reason, RunState
from state.store import RunEnd, RunStarted, Store
from tests.page.markup import Element
from tests.page.month import FULL
from tests.page.site import site
from tests.seeing.building import HOUR, MINUTE, NINE, beat, carry_out, make_home, record_of, run_of, source_state


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    store = Store.open(home.database, now=NINE)
    yield store
    store.close()


def overview(home: Home, tmp_path: Path, *, now: int = NINE, project: str | None = None) -> Element:
    beat(home, now)
    with site(home, now, tmp_path / "spare", project=project) as pages:
        return pages.page("/")


def test_a_house_without_jobs_says_how_to_begin(home: Home, store: Store, tmp_path: Path) -> None:
    page = overview(home, tmp_path)
    assert page.one("h1").text == "All right, and no jobs yet"
    assert "jobsctl explain job" in page.one("main").text


def test_when_all_is_well_that_is_the_first_thing_said(home: Home, store: Store, tmp_path: Path) -> None:
    carry_out(store, store.put_job(record_of("hello")), at=NINE)
    page = overview(home, tmp_path)
    assert page.one("h1").text == "Everything is all right"
    assert not page.all(class_="trouble")
    assert page.one(class_="phases").text.startswith("1 job 1 active")


def test_a_failing_job_says_since_when_why_and_what_next(home: Home, store: Store, tmp_path: Path) -> None:
    job = store.put_job(record_of("hello"))
    carry_out(store, job, at=NINE - 2 * HOUR)
    run = run_of(job, at=NINE - HOUR)
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=NINE - HOUR, pid=1, pid_start=1)])
    end = RunEnd(run_id=run.id, at=NINE - HOUR, state=RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=3,
                 error="exit code 3 <b>")  # fmt: skip
    store.finished([end])
    folder = home.run_dir_of(run)
    folder.mkdir(parents=True)
    (folder / "output.log").write_text("begins\ncannot reach <db>\n\n")
    page = overview(home, tmp_path)
    assert page.one("h1").text == "1 thing to look at"
    trouble = page.one(class_="trouble")
    assert trouble.one("h2").text == "default/hello"
    assert trouble.one(class_="why").text == "failed 1h ago: exit code 3 <b>"
    assert trouble.one(class_="since").one("time").attributes["datetime"] == "2026-11-21T08:00:00.000Z"
    assert trouble.one(class_="said").one("code").text == "cannot reach <db>"
    assert trouble.one(class_="command").text == "jobsctl logs default/hello"
    assert f"/runs/{run.id}" in [each.attributes["href"] for each in trouble.all("a")]
    assert "succeeded, failed" in trouble.one(class_="strip").attributes["aria-label"]


def test_what_keeps_files_from_being_applied_is_told(home: Home, store: Store, tmp_path: Path) -> None:
    store.put_job(record_of("hello"))
    finding = {"code": "JOB030", "severity": "error", "message": "unknown key `x`", "path": "hello.yaml", "line": 2,
               "column": 3, "identity": "default/hello"}  # fmt: skip
    store.set_source(source_state(diagnostics=(finding,), invalid=1, prune_blocked=("default/a", "default/b")))
    page = overview(home, tmp_path)
    kinds = [each.attributes["class"].split()[1] for each in page.all(class_="trouble")]
    assert kinds == ["t-file", "t-prune"]
    first, second = page.all(class_="trouble")
    assert first.one("h2").text == "hello.yaml:2:3 of default/hello"
    assert first.one(class_="why").text == "unknown key x; the last good version runs on"
    assert "2 jobs vanished" in second.text
    assert second.one(class_="command").text == "jobsctl apply --confirm-prune"


def test_a_job_that_did_not_run_in_time_is_told_with_what_it_does_meanwhile(
    home: Home, store: Store, tmp_path: Path
) -> None:
    job = store.put_job(record_of("hello", at=NINE - 9 * HOUR, spec={"schedule": "every 1h"}))
    carry_out(store, job, at=NINE - 8 * HOUR)
    run = run_of(job, at=NINE - 7 * HOUR)
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=NINE - 7 * HOUR, pid=1, pid_start=1)])
    trouble = overview(home, tmp_path).one(class_="trouble")
    assert trouble.one(class_="state").text == "overdue"
    assert trouble.one(class_="why").text.endswith("; a run has gone on for 7h00m")


def test_a_daemon_without_a_sign_of_life_is_the_headline(home: Home, store: Store, tmp_path: Path) -> None:
    with site(home, NINE, tmp_path / "spare") as pages:
        page = pages.page("/")
    assert page.one("h1").text == "Nothing is started"
    assert "jobsctl daemon" in page.one(class_="verdict").text
    beat(home, NINE - HOUR)
    with site(home, NINE, tmp_path / "spare") as pages:
        page = pages.page("/")
    assert page.one(class_="why").text == "it runs, but its last sign of life is 1h ago"
    assert page.one(class_="daemon").text == "daemon down"


def test_what_runs_is_told_with_how_far_it_is_and_what_it_uses(home: Home, store: Store, tmp_path: Path) -> None:
    job = store.put_job(record_of("hello"))
    run = run_of(job, at=NINE - 5 * MINUTE)
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=NINE - 5 * MINUTE, pid=1, pid_start=1)])
    folder = home.run_dir_of(run)
    folder.mkdir(parents=True)
    (folder / "progress.json").write_text('{"percent": 40, "message": "half <i>way</i>"}')
    page = overview(home, tmp_path)
    row = page.one("li", data_key=run.id)
    assert "default/hello" in row.text
    assert row.one("time").text == "5m00s"
    assert row.one("progress").attributes["value"] == "40.0"
    assert row.one(class_="said-now").text == "half <i>way</i>"


def test_what_waits_says_for_what(month: Home, tmp_path: Path) -> None:
    with site(month, FULL, tmp_path / "spare") as pages:
        page = pages.page("/")
    section = page.one("section", aria_labelledby="waiting")
    assert "for the success of a job it depends on" in section.text


def test_what_comes_next_is_in_order(month: Home, tmp_path: Path) -> None:
    with site(month, FULL, tmp_path / "spare") as pages:
        instants = [
            each.attributes["datetime"]
            for each in pages.page("/").one("section", aria_labelledby="next").all("time")
            if "data-due" in each.attributes
        ]
    assert len(instants) == 8
    assert instants == sorted(instants)


def test_the_last_day_counts_every_run_of_it(month: Home, tmp_path: Path) -> None:
    from state.reads import Reader

    with Reader(month.database) as reader:
        runs = reader.runs(since=FULL - 24 * HOUR, until=FULL + 1, limit=10_000)
    with site(month, FULL, tmp_path / "spare") as pages:
        day = pages.page("/").one("section", aria_labelledby="day")
    told = {each.text for each in day.one(class_="legend").all(class_="state")}
    for state in {run.state for run in runs}:
        count = sum(run.state is state for run in runs)
        assert f"{count:,} {state}" in told


def test_jobs_that_failed_have_a_lane_first(month: Home, tmp_path: Path) -> None:
    from state.reads import Reader

    with Reader(month.database) as reader:
        bad = reader.runs(since=FULL - 24 * HOUR, states=(RunState.FAILED, RunState.EXPIRED), limit=1000)
    with site(month, FULL, tmp_path / "spare") as pages:
        lanes = pages.page("/").one("section", aria_labelledby="day").one("ul").all("li")
    failed = list(dict.fromkeys(run.identity for run in bad))
    assert [each.attributes["data-key"] for each in lanes][: len(failed)] == failed
    assert [each.attributes["data-key"] for each in lanes if "has-bad" in each.attributes["class"]] == failed


def test_a_token_for_one_project_sees_nothing_of_others(month: Home, tmp_path: Path) -> None:
    with site(month, FULL, tmp_path / "spare", project="ops") as pages:
        for path in ("/", "/jobs", "/jobs?q=orders", "/graph", "/deliveries"):
            text = pages.page(path).text
            assert "shop/" not in text and "data/" not in text, path
            assert str(month.root) not in pages.get(path).text, path
        assert "ops/" in pages.page("/").text
        assert pages.get("/source").status_code == 403
        assert pages.get("/graph?job=data/load").status_code == 404


def test_archived_jobs_are_not_counted(home: Home, store: Store, tmp_path: Path) -> None:
    store.put_job(record_of("hello"))
    store.put_job(replace(record_of("old"), archived_at=NINE))
    assert overview(home, tmp_path).one(class_="phases").text.startswith("1 job ")
