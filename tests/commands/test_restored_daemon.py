"""A real daemon on a restored home: what was due since the backup is missed, not run again and not all at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import jobsctl as jobsctl_package
from cli.main import run
from reconciler.clock import SystemClock
from specs.load import load_bytes
from state.home import Home
from state.ids import new_id
from state.reads import Reader
from state.records import JobRecord, Reason, Run, RunState, Trigger
from state.restore import staged
from state.store import RunEnd, RunStarted, Store
from status.words.instants import rfc3339

MINUTE = 60_000_000
SPEC = "name: {name}\nschedule: {{every: 10m, anchor: {anchor}}}\nmissed: {missed}\nrun: {{command: [/bin/true]}}\n"
JOBS = {"once": "latest", "never": "skip", "some": "{policy: all, max: 3}"}


@pytest.fixture
def backup(tmp_path: Path) -> tuple[Path, int]:
    """A backup from five hours ago of three jobs that had just run; and when their last slot was."""
    home = Home(tmp_path / "old")
    home.specs.mkdir(parents=True)
    now = SystemClock().now()
    slot = (now - 305 * MINUTE) // 1_000_000 * 1_000_000
    store = Store.open(home.database, now=slot)
    for name, missed in JOBS.items():
        text = SPEC.format(name=name, missed=missed, anchor=rfc3339(slot))
        (home.specs / f"{name}.yaml").write_text(text)
        (job,) = load_bytes(text.encode(), f"{name}.yaml").jobs
        record = store.put_job(
            JobRecord(
                project=job.project, name=name, spec=job.spec, digest=job.digest, path=job.path, line=1,
                created_at=slot - MINUTE, applied_at=slot - MINUTE, anchor_at=0, cursor_at=slot,
                next_at=slot + 10 * MINUTE,
            )
        )  # fmt: skip
        done = Run(
            id=new_id(slot), job_id=record.id, project=record.project, job=name, generation=record.generation,
            digest=record.digest, revision=None, state=RunState.PENDING, created_at=slot, trigger=Trigger.SCHEDULE,
            scheduled_for=slot,
        )  # fmt: skip
        store.insert_runs([done])
        store.started([RunStarted(run_id=done.id, at=slot, pid=1, pid_start=1)])
        store.finished([RunEnd(run_id=done.id, at=slot, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED)])
    store.close()
    file = tmp_path / "backup.tar.gz"
    assert run(["--home", str(home.root), "backup", str(file)]) == 0
    return file, slot


def test_slots_since_the_backup_are_missed_slots_by_the_policy_of_each_job(backup, tmp_path):
    file, slot = backup
    home = Home(tmp_path / "new")
    assert run(["--home", str(home.root), "restore", str(file)]) == 0
    (tmp_path / "old" / "jobs").rename(home.specs)
    home.config.write_text("http: null\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(jobsctl_package.__file__).parents[1])}
    with (tmp_path / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "jobsctl", "--home", str(home.root), "daemon"], stdout=log, stderr=log,
            env=environment,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 20
            while not settled(home, slot):
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.02)
        finally:
            daemon.terminate()
            daemon.wait(10)
            for journal in home.supervisors.glob("*.journal"):
                end_holder_of(journal)
    with Reader(home.database) as reader:
        runs = {name: reader.runs(job_id=reader.job(name).id, order="asc", limit=1000) for name in JOBS}
    ran = {
        name: [each.scheduled_for for each in found if each.state is not RunState.SKIPPED]
        for name, found in runs.items()
    }
    ten, last = 10 * MINUTE, slot + 300 * MINUTE
    assert ran == {
        "once": [slot, last],
        "never": [slot],
        "some": [slot, last - 2 * ten, last - ten, last],
    }
    for name, found in runs.items():
        skipped = [each for each in found if each.state is RunState.SKIPPED]
        assert sum(each.skipped_count or 0 for each in skipped) + len(ran[name]) == 31, name
        assert {each.reason for each in skipped} == {Reason.DAEMON_DOWN}


def settled(home: Home, slot: int) -> bool:
    """Every job has decided about its past, and nothing runs."""
    with Reader(home.database) as reader:
        jobs = reader.jobs()
        return all(job.cursor_at >= slot + 300 * MINUTE for job in jobs) and not reader.runs(active=True)


def end_holder_of(path: Path) -> None:
    """The supervisor outlives a daemon on purpose; nothing of a test may."""
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if entry.readlink() == path:
                os.kill(int(entry.parts[2]), 15)


def test_a_state_that_a_daemon_made_meanwhile_is_left_to_it(backup, tmp_path, monkeypatch):
    """Where there was none, there was no lock to hold while the backup was unpacked."""
    there = Home(tmp_path / "new")

    @contextmanager
    def slowly(*arguments):
        with staged(*arguments) as unpacked:
            there.state.mkdir()
            yield unpacked

    monkeypatch.setattr("cli.backups.staged", slowly)
    assert run(["--home", str(there.root), "restore", str(backup[0])]) == 7
    assert list(there.root.iterdir()) == [there.state]
    assert list(there.state.iterdir()) == []
