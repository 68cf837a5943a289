"""Opening the file: ours, sound, of our version, or left as it is with one clear error."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import state.store
from state import database
from state.errors import (
    Busy,
    CorruptDatabase,
    DatabaseError,
    NewerSchema,
    NoDatabase,
    NotADatabase,
    OlderSchema,
    Unwritable,
)
from state.migrations import migrate
from state.reads import Reader
from state.records import SKIP_REASONS, Health, Reason
from state.schema import STEPS, VERSION
from state.store import Store
from tests.storing.making import NOON, a_job, check_sums


def filled(path: Path, *, clean: bool) -> None:
    store = Store.open(path, now=NOON)
    with store.transaction():
        for number in range(300):
            store.put_job(a_job(f"job-{number}"))
    if clean:
        store.close()
    else:
        store._database.close()


def pragma(path: Path, text: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {text}")
        connection.commit()


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    half = len(data) // 2 // 4096 * 4096
    data[half : half + 8192] = b"\xff" * 8192
    path.write_bytes(data)


def files(path: Path) -> dict[str, str]:
    """What lies in the folder, but for the locks that SQLite makes for readers."""
    return {
        entry.name: hashlib.sha256(entry.read_bytes()).hexdigest()
        for entry in path.parent.iterdir()
        if not entry.name.endswith("-shm") and entry.stat().st_size
    }


def _newer(path: Path) -> None:
    filled(path, clean=True)
    pragma(path, f"user_version = {VERSION + 1}")


def _damaged(path: Path) -> None:
    filled(path, clean=False)
    damage(path)


def _damaged_rows(path: Path) -> None:
    """Damage that nothing but a look at every page finds."""
    filled(path, clean=False)
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'spec'").fetchone()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(data)


def _text(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("name: hello\nschedule: every 10m\n")


def _foreign(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE moz_places (id)")


def _cut(path: Path) -> None:
    filled(path, clean=False)
    path.write_bytes(path.read_bytes()[:20_000])


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        pytest.param(_newer, NewerSchema, "newer jobsctl", id="a newer schema"),
        pytest.param(_damaged, CorruptDatabase, "damaged", id="damaged pages"),
        pytest.param(_damaged_rows, CorruptDatabase, "damaged", id="a damaged page of specs"),
        pytest.param(_cut, CorruptDatabase, "damaged", id="cut short"),
        pytest.param(_text, NotADatabase, "not an SQLite database", id="a text file"),
        pytest.param(_foreign, NotADatabase, "another program", id="another program's database"),
    ],
)
def test_what_cannot_be_used_is_refused_and_left_as_it_is(
    path: Path, make: Callable[[Path], None], error: type[DatabaseError], says: str
) -> None:
    make(path)
    before = files(path)
    with pytest.raises(error, match=says) as refused:
        Store.open(path, now=NOON)
    assert refused.value.hint
    assert str(path) in str(refused.value)
    assert files(path) == before


def test_a_file_closed_well_is_not_read_whole_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path, clean=True)
    statements: list[str] = []
    real = database.connect_read_only

    def watched(path: Path, *, timeout: float) -> sqlite3.Connection:
        connection = real(path, timeout=timeout)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(database, "connect_read_only", watched)
    store = Store.open(path, now=NOON)
    assert store.was_clean
    assert not [text for text in statements if "quick_check" in text]
    store._database.close()
    store = Store.open(path, now=NOON)
    assert not store.was_clean
    assert [text for text in statements if "quick_check" in text]
    store.close()
    store.close()


def test_a_database_of_the_first_schema_is_taken_over_whole(path: Path, tmp_path: Path) -> None:
    """`version_1.db.gz` was written by the last code that knew schema 1: runs, a skip of 5 slots, a suspended job."""
    old = gzip.decompress(Path(__file__).with_name("version_1.db.gz").read_bytes())
    path.parent.mkdir()
    for each in (path, tmp_path / "old.db"):
        each.write_bytes(old)
    with pytest.raises(OlderSchema):
        Reader(path)
    store = Store.open(path, now=NOON)
    assert store.backup == path.with_name("jobsctl.db.v1.bak")
    with closing(sqlite3.connect(store.backup)) as backup, closing(sqlite3.connect(tmp_path / "old.db")) as original:
        assert list(backup.iterdump()) == list(original.iterdump())
    report, other = store.job_by_identity("default/report"), store.job_by_identity("data/other")
    assert report is not None
    assert other is not None
    assert report.counts == {"succeeded": 1, "failed": 1, "cancelled": 0, "expired": 0, "skipped": 5}
    assert report.skips == dict.fromkeys(SKIP_REASONS, 0) | {Reason.MISSED: 5}
    assert (report.active_runs, report.resumed_at, other.suspended_by) == (1, None, "ann")
    assert set(other.skips.values()) == {0}
    with Reader(path) as reader:
        assert [run.state for run in reader.runs(order="asc")] == ["succeeded", "failed", "skipped", "pending"]
        assert [counter.name for counter in reader.counters()] == [
            *["run_duration_bucket"] * len(reader.counters("run_duration_bucket")), "run_duration_sum"
        ]  # fmt: skip
    assert store.doomed_directories() == []
    check_sums(store)
    store.close()
    Store.open(path, now=NOON).close()


def test_a_database_of_the_second_schema_is_taken_over_whole(path: Path) -> None:
    """`version_2.db.gz` was written by the last code that knew schema 2: as the first, with more ends and a purge."""
    path.parent.mkdir()
    path.write_bytes(gzip.decompress(Path(__file__).with_name("version_2.db.gz").read_bytes()))
    store = Store.open(path, now=NOON)
    report, other = store.job_by_identity("default/report"), store.job_by_identity("data/other")
    assert report is not None
    assert other is not None
    assert report.counts == {"succeeded": 1, "failed": 1, "cancelled": 0, "expired": 1, "skipped": 6}
    assert report.skips == dict.fromkeys(SKIP_REASONS, 0) | {Reason.MISSED: 5, Reason.OVERLAP: 1}
    assert (report.repeat_done, report.completion_digest, report.consumed) == (0, "", {})
    assert (report.health, report.active_runs, other.resumed_at) == (Health.FAILING, 1, NOON + 5)
    with Reader(path) as reader:
        rows = reader.runs(job_id=report.id, order="asc")
        assert [run.state for run in rows] == ["succeeded", "failed", "skipped", "skipped", "expired", "pending"]
        assert (report.last_success_id, report.last_end_id) == (rows[0].id, rows[4].id)
        assert {(run.not_before, run.params, run.upstream, run.filed_under) for run in rows} == {(None,) * 4}
        assert (rows[0].progress, rows[0].result) == ({"percent": 100}, {"rows": 3})
        assert [job.identity for job in reader.jobs(labels=["team=data"])] == ["default/report"]
        assert reader.removed_since(0) == ["default/gone"]
    assert [one.run_id is None for one in store.doomed_directories()] == [False, True]
    assert store.documents() == []
    check_sums(store)
    store.close()


@pytest.mark.parametrize("version", [1, 2])
def test_an_old_database_and_a_new_one_have_the_same_tables(path: Path, tmp_path: Path, version: int) -> None:
    path.parent.mkdir()
    path.write_bytes(gzip.decompress(Path(__file__).with_name(f"version_{version}.db.gz").read_bytes()))
    tables = []
    for each in (path, tmp_path / "new.db"):
        store = Store.open(each, now=NOON)
        tables.append(sorted(store._connection.execute("SELECT name, sql FROM sqlite_master").fetchall()))
        store.close()
    assert tables[0] == tables[1]


def test_a_new_database_is_ours_alone(path: Path) -> None:
    store = Store.open(path, now=NOON)
    store.put_job(a_job())
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()} == {0o600}
    store.close()


def test_the_writer_is_durable_and_checks_references(path: Path) -> None:
    store = Store.open(path, now=NOON)
    values = {
        name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    store.close()


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with pytest.raises(NoDatabase):
        Reader(path)
    Store.open(path, now=NOON).close()
    with Reader(path) as reader:
        assert reader.jobs() == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable, match=r"Not a directory|File exists"):
        Store.open(tmp_path / "file" / "jobsctl.db", now=NOON)


def test_a_second_writer_is_told_that_it_is_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.store, "BUSY_SECONDS", 0.05)
    one = Store.open(path, now=NOON)
    two = Store.open(path, now=NOON)
    with one.transaction():
        one.put_job(a_job())
        with pytest.raises(Busy), two.transaction():
            pass
    two.put_job(a_job("after"))
    two.close()
    one.close()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(lambda path: None, NoDatabase, id="missing"),
        pytest.param(_newer, NewerSchema, id="newer"),
        pytest.param(_text, NotADatabase, id="a text file"),
        pytest.param(_foreign, DatabaseError, id="another program's"),
    ],
)
def test_a_reader_says_what_is_wrong_with_the_file(
    path: Path, make: Callable[[Path], None], error: type[DatabaseError]
) -> None:
    make(path)
    with pytest.raises(error) as refused:
        Reader(path)
    assert refused.value.hint


def test_a_reader_waits_for_the_daemon_to_migrate(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path, clean=True)
    monkeypatch.setattr(database, "VERSION", VERSION + 1)
    with pytest.raises(OlderSchema) as refused:
        Reader(path)
    assert "restart the daemon" in (refused.value.hint or "")


def test_a_reader_cannot_write(store: Store) -> None:
    with Reader(store.path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM job")


EXTRA = "ALTER TABLE job ADD COLUMN colour TEXT;\nCREATE TABLE shape (id INTEGER PRIMARY KEY);"


def older(path: Path) -> sqlite3.Connection:
    filled(path, clean=True)
    return sqlite3.connect(path, isolation_level=None)


def test_a_migration_is_made_after_a_backup(path: Path) -> None:
    with closing(older(path)) as connection:
        backup = migrate(connection, path, steps=(*STEPS, EXTRA))
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
        assert connection.execute("SELECT count(colour), count(*) FROM job").fetchone() == (0, 300)
    assert backup == path.with_name(f"jobsctl.db.v{VERSION}.bak")
    assert backup.stat().st_mode & 0o777 == 0o600
    with Reader(backup) as reader:
        assert len(reader.jobs()) == 300


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    with closing(older(path)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, steps=(*STEPS, EXTRA + "\nCREATE TABLE job (id);"))
        assert not connection.in_transaction
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("SELECT colour FROM job")
        assert migrate(connection, path, steps=(*STEPS, EXTRA)) is not None


def test_a_database_of_this_version_is_not_backed_up(path: Path) -> None:
    filled(path, clean=True)
    store = Store.open(path, now=NOON)
    assert store.backup is None
    assert not list(path.parent.glob("*.bak"))
    store.close()


MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/fast rw shared:1 - xfs /dev/sdb rw
32 22 0:41 / /with\\040space rw - cifs //server/share rw
33 22 8:3 / /stacked rw - ext4 /dev/sdc rw
34 22 0:42 / /stacked rw - fuse.sshfs host: rw
"""


@pytest.mark.parametrize(
    ("where", "mode"),
    [
        ("/var/jobs/x.db", "wal"),
        ("/home/ann/x.db", "delete"),
        ("/home/fast/x.db", "wal"),
        ("/homeless/x.db", "wal"),
        ("/with space/x.db", "delete"),
        ("/stacked/x.db", "delete"),
    ],
)
def test_the_journal_fits_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, mode: str
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    real = database.file_system
    monkeypatch.setattr(database, "file_system", lambda path: real(path, mounts=mounts))
    assert database.journal_mode(Path(where)) == mode


def test_an_old_sqlite_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    assert "3.51.3" in (database.sqlite_warning() or "")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert database.sqlite_warning() is None
