"""The store after its process or its disk is gone in the middle of everything."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.errors import DiskFull
from state.records import Reason, RunState
from state.store import Advance, RunEnd, RunStarted, Store
from tests.storing.making import NOON, SECOND, a_job, a_run, check_sums

WRITER = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {here!r}]
from tests.storing.making import NOON, SECOND, a_job, a_run
from state.records import Reason, RunState
from state.store import Advance, RunEnd, RunStarted, Store

store = Store.open(Path(sys.argv[1]), now=NOON)
job = store.job_by_identity("default/report") or store.put_job(a_job())
at = job.cursor_at
while True:
    at += SECOND
    run = a_run(job, at, at=at)
    with store.transaction():
        store.insert_runs([run])
        store.advance([Advance(job_id=job.id, cursor_at=at, next_at=at + SECOND)])
    with store.transaction():
        store.started([RunStarted(run_id=run.id, at=at)])
        store.finished([RunEnd(run_id=run.id, at=at, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED)])
    print(at, flush=True)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small disk needs the right to mount: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_writer_killed_anywhere_lost_nothing_it_committed(path: Path) -> None:
    here = Path(__file__).parent
    script = WRITER.format(root=str(here.parents[1]), here=str(here))
    for wanted in (1, 40, 7):
        child = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE)
        assert child.stdout is not None
        try:
            said = 0
            for _ in range(wanted):
                said = int(child.stdout.readline())
        finally:
            os.kill(child.pid, signal.SIGKILL)
            rest = child.stdout.read().split()
            child.stdout.close()
            child.wait()
        whole = [int(line) for line in rest if len(line) == len(str(NOON))]
        told = max([said, *whole])
        store = Store.open(path, now=NOON)
        assert not store.was_clean
        job = store.job_by_identity("default/report")
        assert job is not None
        # Every slot up to the cursor has its run: claim and advance are one commit.
        slots = [row[0] for row in store._connection.execute("SELECT scheduled_for FROM run ORDER BY id").fetchall()]
        assert slots == list(range(NOON + SECOND, job.cursor_at + 1, SECOND))
        assert told <= job.cursor_at <= told + 2 * SECOND
        check_sums(store)
        ends = [RunEnd(run_id=r.id, at=NOON, state=RunState.FAILED, reason=Reason.LOST) for r in store.active_runs()]
        assert len(ends) <= 1
        store.finished(ends)
        store._database.close()  # no clean stop: the next writer finds it as a crash left it


def test_a_full_disk_is_told_and_work_goes_on_when_there_is_room(small_disk: Path) -> None:
    store = Store.open(small_disk / "jobsctl.db", now=NOON)
    job = store.put_job(a_job())
    assert job.id is not None
    ballast = small_disk / "ballast"
    slot, stored = NOON, 0
    ballast.write_bytes(b"x" * 900_000)
    with pytest.raises(DiskFull, match="no space left") as full:
        while True:
            slot += SECOND
            with store.transaction():
                store.insert_runs([a_run(job, slot, error="x" * 4000)])
                store.advance([Advance(job_id=job.id, cursor_at=slot, next_at=None)])
            stored += 1
    assert full.value.hint
    after = store.job(job.id)
    assert after is not None
    assert (after.active_runs, after.cursor_at) == (stored, slot - SECOND)
    ballast.unlink()
    run = a_run(job, slot)
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=slot)])
    check_sums(store)
    store.close()
    Store.open(small_disk / "jobsctl.db", now=NOON).close()


def test_a_database_cannot_be_made_on_a_full_disk(small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 65_536)
    with pytest.raises(DiskFull):
        Store.open(small_disk / "jobsctl.db", now=NOON)
    (small_disk / "ballast").unlink()
    Store.open(small_disk / "jobsctl.db", now=NOON).close()


def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    from state.errors import Unwritable
    from state.reads import Reader

    path = small_disk / "jobsctl.db"
    store = Store.open(path, now=NOON)
    store.put_job(a_job())
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(Unwritable, match=r"[Rr]ead-only"):
        Store.open(path, now=NOON)
    with Reader(path) as reader:
        assert len(reader.jobs()) == 1


def test_damage_found_at_work_is_told(path: Path) -> None:
    from state.errors import CorruptDatabase

    store = Store.open(path, now=NOON)
    with store.transaction():
        for number in range(300):
            store.put_job(a_job(f"job-{number}"))
    store.close()
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'spec'").fetchone()
    connection.close()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    store = Store.open(path, now=NOON)
    with pytest.raises(CorruptDatabase):
        store.jobs()
    with pytest.raises(CorruptDatabase):
        store.put_job(a_job("another"))
    store._database.close()
