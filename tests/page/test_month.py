"""The month that pages are tried on: the same every time, and with everything in it that pages must tell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from specs.source import Source
from state.home import Home
from state.reads import Reader
from state.records import Reason, RunState
from status.phase import Phase, phase_of
from tests.page.month import FULL, make_month


def rows(home: Home, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home.database)) as database:
        return database.execute(sql).fetchall()


def test_equal_arguments_make_equal_histories(tmp_path: Path) -> None:
    one = make_month(tmp_path / "one", days=3)
    other = make_month(tmp_path / "other", days=3)
    for sql in ("SELECT * FROM run ORDER BY id", "SELECT * FROM event ORDER BY id", "SELECT digest, revision FROM job"):
        assert rows(one, sql) == rows(other, sql), sql
    logs = sorted(path.relative_to(one.runs) for path in one.runs.rglob("*.log"))
    assert logs == sorted(path.relative_to(other.runs) for path in other.runs.rglob("*.log"))
    assert all((one.runs / path).read_bytes() == (other.runs / path).read_bytes() for path in logs)


def test_every_phase_and_end_is_in_it(month: Home) -> None:
    with Reader(month.database) as reader:
        jobs = reader.jobs(archived=None, limit=1000)
    phases = {phase_of(job) for job in jobs}
    assert phases == set(Phase) - {Phase.CANCELLED}
    states = {state for (state,) in rows(month, "SELECT DISTINCT state FROM run")}
    assert states == set(RunState) - {RunState.PENDING}
    reasons = {reason for (reason,) in rows(month, "SELECT DISTINCT reason FROM run")}
    assert reasons >= {Reason.EXIT_CODE, Reason.OOM, Reason.LOST, Reason.SIGNAL, Reason.START_ERROR, Reason.TIMEOUT,
                       Reason.CALENDAR, Reason.DAEMON_DOWN, Reason.OVERLAP, Reason.SUSPENDED}  # fmt: skip


def test_its_books_are_balanced(month: Home) -> None:
    """As the daemon keeps them: what jobs repeat of their runs is what the runs say, but for those retention took."""
    sql = (
        "SELECT job.name, job.active_runs, (SELECT count(*) FROM run WHERE job_id = job.id AND state IN "
        "('pending', 'blocked', 'running')), job.failed, (SELECT count(*) FROM run WHERE job_id = job.id AND "
        "state = 'failed'), job.last_run_id, (SELECT max(id) FROM run WHERE job_id = job.id AND state <> 'skipped') "
        "FROM job"
    )
    for name, active, counted, failed, failures, last, newest in rows(month, sql):
        assert (active, failed, last) == (counted, failures, newest), name


def test_nothing_in_it_is_of_the_future(month: Home) -> None:
    (latest,) = rows(
        month, "SELECT max(max(created_at), max(coalesce(started_at, 0)), max(coalesce(finished_at, 0))) FROM run"
    )
    assert isinstance(latest[0], int)
    assert latest[0] <= FULL
    assert rows(month, f"SELECT count(*) FROM event WHERE at > {FULL}") == [(0,)]
    assert rows(month, "SELECT count(*) FROM run WHERE started_at < created_at OR finished_at < started_at") == [(0,)]


def test_what_is_applied_is_what_its_files_say(own_month: Home) -> None:
    desired = Source(own_month.specs, now=lambda: FULL).look().desired
    with Reader(own_month.database) as reader:
        jobs = {job.identity: job for job in reader.jobs(limit=1000)}
        source = reader.source()
    assert {identity: job.digest for identity, job in jobs.items() if not job.problem} == {
        identity: job.digest for identity, job in desired.jobs.items()
    }
    assert set(desired.invalid) == {"data/kpi-mail"}
    assert source is not None
    assert source.revision == desired.revision


@pytest.mark.parametrize("table", ["run", "event"])
def test_it_is_large_enough_to_be_realistic(month: Home, table: str) -> None:
    ((count,),) = rows(month, f"SELECT count(*) FROM {table}")
    assert isinstance(count, int)
    assert count > 8000
