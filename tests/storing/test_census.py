"""The overview reads few jobs: what it leaves unread must be well, and counted as if each had been read."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from specs.load import load_bytes
from state.reads import Reader
from state.records import Health, JobRecord, RunState
from state.store import Store
from status.deadline import read_spec, schedule_of, success_deadline
from status.phase import Phase, phase_of

NOW = 1_795_248_000_000_000
HOUR = 3_600_000_000
SPECS = (
    "schedule: every 10m\n",
    "schedule: daily at 9am\nsuspend: {reason: moving}\n",
    "schedule: daily at 9am\ntimeout: 1m\n",
    "",
    "schedule: {once: 2026-11-20T22:00:00Z}\n",
    "schedule: '@reboot'\n",
    "depends_on: [other]\n",
)


def some_job(number: int, chance: random.Random) -> JobRecord:
    text = f"name: job-{number}\nproject: p{number % 3}\n{chance.choice(SPECS)}run: {{command: [a]}}\n"
    (job,) = load_bytes(text.encode(), "a.yaml").jobs

    def at() -> int:
        return NOW + chance.randrange(-48, 3) * HOUR

    def maybe(value: object) -> object:
        return value if chance.random() < 0.2 else None

    cursor = at()
    return JobRecord(
        project=job.project, name=job.name, spec=job.spec, digest=job.digest, path="a.yaml", line=1,
        created_at=NOW - 99 * HOUR, applied_at=at(), anchor_at=NOW - 99 * HOUR, cursor_at=cursor,
        next_at=chance.choice([None, cursor + HOUR, NOW + HOUR, NOW - 1, NOW]),
        archived_at=maybe(at()), suspended_at=maybe(at()), completed_at=maybe(at()), stalled=maybe("it raises"),
        problem=({"message": "wrong", "line": 1},) if chance.random() < 0.1 else (), problem_since=NOW,
        resumed_at=maybe(at()),
    )  # fmt: skip


def some_past(chance: random.Random) -> tuple[object, ...]:
    """What runs leave in the row of their job."""
    state = chance.choice([None, *RunState])
    success = chance.choice([None, NOW - chance.randrange(0, 48) * HOUR])
    return (
        chance.choice([0, 0, 1, 2, 3]), state and state.value, chance.choice(list(Health)).value, success,
        chance.choice([0, 1]), chance.choice([0, 2]),
    )  # fmt: skip


@pytest.fixture
def reader(tmp_path: Path):
    """A town of jobs in every state, half of them well."""
    path = tmp_path / "jobsctl.db"
    store = Store.open(path, now=NOW)
    chance = random.Random(4)
    with store.transaction():
        jobs = [store.put_job(some_job(number, chance)) for number in range(400)]
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany(
            "UPDATE job SET active_runs = ?, last_run_state = ?, health = ?, last_success_at = ?, succeeded = ?, "
            "failed = ? WHERE id = ?",
            [(*some_past(chance), job.id) for job in jobs],
        )
    with Reader(path) as reader:
        assert len(reader.jobs(archived=None)) == len(jobs)
        yield reader
    store.close()


@pytest.mark.parametrize("project", [None, "p1"])
def test_groups_count_every_job_in_its_phase(reader, project):
    counted: Counter[str] = Counter()
    for job, count in reader.groups(project=project):
        counted[phase_of(job)] += count
    assert counted == Counter(phase_of(job) for job in reader.jobs(project=project))
    assert len(counted) > 5


def test_the_database_has_the_phases_that_people_read(reader):
    everybody = reader.jobs(archived=None)
    for phase in Phase:
        found = [job.identity for job in reader.jobs(archived=None, phases=[phase])]
        assert found == [job.identity for job in everybody if phase_of(job) is phase]
    assert reader.jobs(archived=None, phases=["failed", "suspended"], limit=2)[0].identity < everybody[-1].identity


def is_overdue(job: JobRecord) -> bool:
    deadline = success_deadline(job, read_spec(job.spec), schedule_of(job))
    return deadline is not None and deadline < NOW


@pytest.mark.parametrize("project", [None, "p1"])
def test_a_job_that_is_not_doubtful_is_well(reader, project):
    jobs = reader.jobs(project=project)
    doubtful = reader.doubtful(NOW, project=project)
    names = {job.identity for job in doubtful}
    for job in jobs:
        if job.problem or job.stalled is not None or job.health is Health.FAILING or is_overdue(job):
            assert job.identity in names
    assert names < {job.identity for job in jobs}
    assert [job.identity for job in doubtful] == sorted(names)


def test_a_late_job_is_doubtful(reader):
    assert any(is_overdue(job) for job in reader.doubtful(NOW) if job.health is Health.HEALTHY and not job.problem)


def test_manual_jobs_and_those_that_wait_for_their_next_slot_are_not_looked_at(tmp_path):
    path = tmp_path / "well.db"
    store = Store.open(path, now=NOW)
    for name, schedule in (("by-hand", ""), ("hourly", "schedule: '@hourly'\n")):
        (job,) = load_bytes(f"name: {name}\n{schedule}run: {{command: [a]}}\n".encode(), "a.yaml").jobs
        store.put_job(
            JobRecord(
                project=job.project, name=job.name, spec=job.spec, digest=job.digest, path="a.yaml", line=1,
                created_at=NOW - HOUR, applied_at=NOW - HOUR, anchor_at=NOW - HOUR, cursor_at=NOW - HOUR,
                next_at=NOW + 1 if schedule else None,
            )
        )  # fmt: skip
    with Reader(path) as reader:
        assert reader.doubtful(NOW) == []
    store.close()
