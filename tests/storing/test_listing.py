"""The database lists jobs as a plain sort of all of them would, and gives those that are named."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.commands.list import ORDERS
from cli.tables import sort_jobs
from state.listing import ORDERS as IN_SQL
from state.reads import Reader
from state.store import Store
from status.phase import phase_of
from tests.storing.test_census import HOUR, NOW, some_job, some_past


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Jobs in every state; many are equal in what they are sorted by."""
    path: Path = tmp_path_factory.mktemp("listing") / "jobsctl.db"
    store = Store.open(path, now=NOW)
    chance = random.Random(7)
    with store.transaction():
        jobs = [store.put_job(some_job(number, chance)) for number in range(200)]
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany(
            "UPDATE job SET active_runs = ?, last_run_state = ?, health = ?, last_success_at = ?, succeeded = ?, "
            "failed = ?, last_started_at = ?, consecutive_failures = ? WHERE id = ?",
            [(*some_past(chance), chance.choice([None, NOW, NOW - HOUR]), chance.randrange(3), job.id) for job in jobs],
        )
    with Reader(path) as reader:
        yield reader
    store.close()


def test_every_order_of_the_command_line_is_one_of_the_database() -> None:
    assert {"name", *IN_SQL} == set(ORDERS)


@pytest.mark.parametrize("archived", [None, False, True])
@pytest.mark.parametrize("order", IN_SQL)
def test_an_order_is_that_of_a_plain_sort(reader: Reader, order: str, archived: bool | None) -> None:
    numbers = reader.numbers(order, archived=archived)
    everybody = reader.jobs(archived=archived)
    assert numbers == [job.id for job in sort_jobs(everybody, order)]
    assert reader.numbered(numbers[5:25]) == sort_jobs(everybody, order)[5:25]


def test_what_is_asked_for_is_what_is_ordered_and_named(reader: Reader) -> None:
    asked: dict[str, Any] = {"project": "p1", "archived": None, "phases": ["failed", "pending"]}
    fit = [job for job in reader.jobs(project="p1", archived=None) if phase_of(job) in ("failed", "pending")]
    assert 0 < len(fit) < 70
    assert reader.identities(**asked) == [job.identity for job in fit]
    assert set(reader.numbers("last", **asked)) == {job.id for job in fit}


def test_jobs_are_read_by_their_identities_archived_ones_too(reader: Reader) -> None:
    everybody = reader.jobs(archived=None)
    some = everybody[3:90:7]
    assert any(job.archived_at is not None for job in some)
    named = [job.identity for job in some]
    found = reader.called([*named, "p1/none", "p1", "", "/", "p1/job-1/x"])
    assert sorted(job.identity for job in found) == sorted(named)
    assert {job.identity: job for job in found} == {job.identity: job for job in some}
    assert reader.called([]) == []


def test_a_job_that_went_meanwhile_is_left_out(reader: Reader) -> None:
    first = reader.jobs(archived=None, limit=1)[0]
    assert first.id is not None and reader.numbered([first.id, 99_999]) == [first]
