"""The graph reads few jobs: those that depend on others, and those that these name; no other one has an edge."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from specs.load import load_bytes
from specs.policy import policy_of
from state.reads import Reader
from state.records import JobRecord
from state.schema import VERSION_5
from state.store import Store
from status.deadline import read_spec
from status.graph import graph_of

NOW = 1_795_248_000_000_000
FALSE_TRAIL = "description: '\"depends_on\":[]'\nenv: {depends_on: p0/j1}\n"
NAMES = [f"p{project}/j{number}" for project in range(3) for number in range(25)]


def some_job(identity: str, chance: random.Random) -> JobRecord:
    """Half of them depend on something: here, in another project, with an age, twice, on what is not there."""
    project, _, name = identity.partition("/")
    others = [each for each in NAMES if each < identity] + ["p9/gone"]
    named = []
    for other in chance.sample(others, min(len(others), chance.choice([0, 0, 0, 1, 2]))):
        short = other.partition("/")[2] if other.startswith(f"{project}/") and chance.random() < 0.7 else other
        named.append(f"{{job: {short}, max_age: 6h}}" if chance.random() < 0.3 else short)
    said = f"depends_on: [{', '.join(named)}]\n" if named else chance.choice(["", FALSE_TRAIL])
    text = f"name: {name}\nproject: {project}\nschedule: hourly\n{said}run: {{command: [a]}}\n"
    (job,) = load_bytes(text.encode(), "a.yaml").jobs
    return JobRecord(
        project=project, name=name, spec=job.spec, digest=job.digest, path="a.yaml", line=1, created_at=NOW,
        applied_at=NOW, anchor_at=NOW, cursor_at=NOW, archived_at=NOW if chance.random() < 0.15 else None,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_linked_jobs_are_those_with_an_edge_and_no_others(tmp_path: Path, seed: int):
    chance = random.Random(seed)
    store = Store.open(tmp_path / "jobsctl.db", now=NOW)
    with store.transaction():
        for name in NAMES:
            store.put_job(some_job(name, chance))
    store.close()
    with Reader(tmp_path / "jobsctl.db") as reader:
        live = {job.identity: job for job in reader.jobs()}
        wanted = set()
        for job in live.values():
            ends = [each.identity for each in policy_of(read_spec(job.spec).fields).depends_on]
            wanted |= {*ends, job.identity} & live.keys() if ends else set()
        assert [job.identity for job in reader.linked()] == sorted(wanted)
        assert 20 < len(wanted) < len(live)
        whole = graph_of(reader.linked(), NOW, default_timezone="UTC")
        for identity in wanted:
            alone = graph_of(reader.linked(identity), NOW, default_timezone="UTC")
            assert alone.around(identity) == whole.around(identity)


def test_an_older_database_learns_who_follows_whom(tmp_path: Path):
    """What migrating finds by SQL is what storing finds anew."""
    chance = random.Random(7)
    store = Store.open(tmp_path / "jobsctl.db", now=NOW)
    columns = "SELECT id, suspends, scheduled, follows FROM job ORDER BY id"
    with store.transaction():
        for number, name in enumerate(NAMES):
            job = some_job(name, chance)
            spec = job.spec.replace(b'"suspend":false', b'"suspend":true') if number % 5 == 0 else job.spec
            if number % 3 == 0:
                spec = spec.replace(b'"schedule":"hourly"', b'"schedule":null')
            store.put_job(replace(job, spec=spec))
    store.close()
    with closing(sqlite3.connect(tmp_path / "jobsctl.db")) as database:
        stored = database.execute(columns).fetchall()
        assert {len(set(column)) > 1 for column in list(zip(*stored, strict=True))[1:]} == {True}
        database.execute("UPDATE job SET suspends = 0, scheduled = 1, follows = NULL")
        for statement in VERSION_5.split(";"):
            if "ALTER" not in statement and "INDEX" not in statement:
                database.execute(statement)
        assert database.execute(columns).fetchall() == stored


def test_a_spec_that_is_damaged_hides_no_other_job(tmp_path: Path):
    store = Store.open(tmp_path / "jobsctl.db", now=NOW)
    with store.transaction():
        for name, said in (("a", "schedule: hourly"), ("b", "depends_on: [a]"), ("c", "depends_on: [b]")):
            (job,) = load_bytes(f"name: {name}\n{said}\nrun: {{command: [x]}}\n".encode(), "a.yaml").jobs
            store.put_job(
                JobRecord(
                    project="default", name=name, spec=job.spec, digest=job.digest, path="a.yaml", line=1,
                    created_at=NOW, applied_at=NOW, anchor_at=NOW, cursor_at=NOW,
                )
            )  # fmt: skip
    store.close()
    with closing(sqlite3.connect(tmp_path / "jobsctl.db")) as database, database:
        (canonical,) = database.execute("SELECT canonical FROM spec WHERE job_id = 3").fetchone()
        database.execute("UPDATE spec SET canonical = ? WHERE job_id = 3", (canonical[:-5],))
    with Reader(tmp_path / "jobsctl.db") as reader:
        assert [job.name for job in reader.linked()] == ["a", "b", "c"]
        graph = graph_of(reader.linked(), NOW, default_timezone="UTC")
        assert [(edge.above, edge.below) for edge in graph.edges] == [("default/a", "default/b")]
