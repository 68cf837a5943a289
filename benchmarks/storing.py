"""Storing runs: their whole life in groups, and pages of a long history."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import history
from benchmarks.figures import Figure, Target, compared
from benchmarks.workshop import Bench
from state.changes import RunEnd, RunStarted
from state.ids import new_id
from state.reads import Reader
from state.records import Reason, Run, RunState, Trigger
from state.rows import RUN_COLUMNS, run_values
from state.store import Store

GROUP = 64
_EVENT = "INSERT INTO event (at, job_id, run_id, type, reason, message) VALUES (?, ?, ?, 'Normal', ?, ?)"


def lifecycle(bench: Bench) -> Iterator[Figure]:
    """life of a run in the store"""
    count, jobs = bench.size(6400, 1280), 1000
    for disk, folder in (("disk", bench.folder("store")), ("tmpfs", bench.memory_folder("store"))):
        template = folder / "template.db"
        history.make_jobs(template, jobs)
        ours, raw = [], []
        for turn in range(bench.size(5, 3)):
            path = folder / f"{turn}.db"
            shutil.copy(template, path)
            ours.append(count / _through_store(path, count, jobs))
            shutil.copy(template, path)
            raw.append(count / _through_sqlite(path, count, jobs))
            path.unlink()
        yield compared(
            f"runs per second: inserted, started, ended, 3 events, in groups of {GROUP}, FULL, {disk}",
            ours,
            raw,
            unit="/s",
            beside="raw sqlite3, same groups",
            target=Target(0.7, least=True),
            note="the store also keeps job statistics, counters and the sequence of changes",
        )


def _new_runs(count: int, jobs: int) -> list[Run]:
    now = time.time_ns() // 1000
    return [
        Run(
            id=new_id(now), job_id=1 + number % jobs, project="p", job="j", generation=1, digest="d" * 64,
            revision=None, trigger=Trigger.SCHEDULE, scheduled_for=now + number // jobs, state=RunState.PENDING,
            created_at=now,
            supervisor="s", boot_id="b",
        )
        for number in range(count)
    ]  # fmt: skip


def _through_store(path: Path, count: int, jobs: int) -> float:
    runs = _new_runs(count, jobs)
    store = Store.open(path, now=0)
    began = time.perf_counter()
    for start in range(0, count, GROUP):
        group = runs[start : start + GROUP]
        store.insert_runs(group)
        at = group[0].created_at
        store.started([RunStarted(run_id=run.id, at=at + 900, pid=4000, pid_start=77) for run in group])
        store.finished(
            [
                RunEnd(run_id=run.id, at=at + 2000, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED, exit_code=0,
                       cpu_seconds=0.01, peak_memory=4_000_000, output_bytes=120)
                for run in group
            ]
        )  # fmt: skip
    seconds = time.perf_counter() - began
    store.close()
    return seconds


def _through_sqlite(path: Path, count: int, jobs: int) -> float:
    """The same rows in the same three commits per group, by nothing but sqlite3 and values made before."""
    runs = _new_runs(count, jobs)
    rows = [run_values(run) for run in runs]
    insert = f"INSERT INTO run ({', '.join(RUN_COLUMNS)}) VALUES ({', '.join('?' * len(RUN_COLUMNS))})"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    many = database.executemany
    began = time.perf_counter()
    for start in range(0, count, GROUP):
        group = runs[start : start + GROUP]
        at = group[0].created_at
        database.execute("BEGIN IMMEDIATE")
        many(insert, rows[start : start + GROUP])
        many(_EVENT, [(at, run.job_id, run.id, "created", "Created (schedule)") for run in group])
        many("UPDATE job SET active_runs = active_runs + 1, last_run_id = ?, last_run_state = 'pending' WHERE id = ?",
             [(run.id, run.job_id) for run in group])  # fmt: skip
        database.execute("COMMIT")
        database.execute("BEGIN IMMEDIATE")
        many("UPDATE run SET state = 'running', started_at = ?, pid = 4000, pid_start = 77 WHERE id = ?",
             [(at + 900, run.id) for run in group])  # fmt: skip
        many(_EVENT, [(at + 900, run.job_id, run.id, "started", "Started") for run in group])
        many("UPDATE job SET last_started_at = ? WHERE id = ?", [(at + 900, run.job_id) for run in group])
        database.execute("COMMIT")
        database.execute("BEGIN IMMEDIATE")
        many("UPDATE run SET state = 'succeeded', reason = 'succeeded', finished_at = ?, exit_code = 0, "
             "cpu_seconds = 0.01, peak_memory = 4000000, output_bytes = 120 WHERE id = ?",
             [(at + 2000, run.id) for run in group])  # fmt: skip
        many(_EVENT, [(at + 2000, run.job_id, run.id, "succeeded", "Succeeded") for run in group])
        many("UPDATE job SET active_runs = active_runs - 1, last_finished_at = ?, succeeded = succeeded + 1 "
             "WHERE id = ?", [(at + 2000, run.job_id) for run in group])  # fmt: skip
        database.execute("COMMIT")
    seconds = time.perf_counter() - began
    database.close()
    return seconds


def pages(bench: Bench) -> Iterator[Figure]:
    """pages of a long history"""
    jobs, runs = 10_000, bench.size(1_000_000, 30_000)
    path = bench.folder("history") / "jobsctl.db"
    history.make_jobs(path, jobs)
    history.add_runs(path, runs)
    began = time.perf_counter()
    store = Store.open(path, now=time.time_ns() // 1000)
    opened = time.perf_counter() - began
    store.close()
    yield compared(f"open the store at {runs:,} runs, closed well before", [opened], target=Target(0.010, "value"))
    with Reader(path) as reader:
        job = reader.job("report-05000").id
        newest = reader.runs(limit=50)
        middle = newest[0].id
        for _ in range(min(5, runs // 20_000)):
            middle = reader.runs(before=middle, limit=10_000)[-1].id
        questions: dict[str, Callable[[], object]] = {
            "50 jobs with their latest run": lambda: reader.jobs(limit=50),
            "50 runs of a job": lambda: reader.runs(job_id=job, limit=50),
            "50 newest runs": lambda: reader.runs(limit=50),
            "50 runs, far back in history": lambda: reader.runs(before=middle, limit=50),
            "50 newest failed runs (there are none)": lambda: reader.runs(states={RunState.FAILED}, limit=50),
            "50 newest succeeded runs": lambda: reader.runs(states={RunState.SUCCEEDED}, limit=50),
            "the events of a run": lambda: reader.events(run_id=newest[-1].id),
            "the active runs": lambda: reader.runs(active=True, limit=50),
        }
        for what, ask in questions.items():
            taken = []
            for _ in range(bench.size(300, 60)):
                began = time.perf_counter()
                ask()
                taken.append(time.perf_counter() - began)
            yield compared(f"page: {what}", taken, target=Target(0.0003, "value"))
    yield from _pruning(bench, path)


def _pruning(bench: Bench, path: Path) -> Iterator[Figure]:
    store = Store.open(path, now=time.time_ns() // 1000)
    taken = []
    later = time.time_ns() // 1000 + 25 * 86_400_000_000
    for _ in range(bench.size(200, 40)):
        began = time.perf_counter()
        gone = store.prune(later)
        taken.append(time.perf_counter() - began)
        assert gone
    store.close()
    yield compared("pause for pruning a bite: up to 12 runs with their events", taken, target=Target(0.001, "value"))


PARTS = (lifecycle, pages)
