"""The backup jobs against a live SQLite database and a real PostgreSQL server."""

from __future__ import annotations

import gzip
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.examples.conftest import Site
from tests.examples.servers import Postgres


def restored_rows(backup: Path, into: Path) -> int:
    into.write_bytes(gzip.decompress(backup.read_bytes()))
    with closing(sqlite3.connect(into)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM customer").fetchone()[0])


def test_sqlite_backup_taken_while_a_writer_writes_is_whole(site: Site, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(site.shop, timeout=10)) as shop:
            while not done.wait(0.002):
                shop.execute("INSERT INTO customer (name) VALUES ('meanwhile')")
                shop.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        ended = site.run("sqlite-backup")
    finally:
        done.set()
        writer.join()
    assert ended.succeeded, ended.output
    assert ended.result is not None
    assert restored_rows(Path(ended.result["file"]), tmp_path / "again.db") == ended.result["rows"]["customer"] >= 1000


def test_sqlite_backup_keeps_the_newest_and_nothing_half_done(site: Site) -> None:
    directory = site.backups / "shop"
    directory.mkdir(parents=True, exist_ok=True)
    for day in range(1, 6):
        (directory / f"shop-2020010{day}T000000Z.db.gz").write_bytes(b"old")
    (directory / "notes.txt").write_text("not a backup")
    ended = site.run("sqlite-backup")
    assert ended.succeeded, ended.output
    kept = sorted(path.name for path in directory.iterdir())
    assert len([name for name in kept if name.startswith("shop-")]) == 3
    assert "notes.txt" in kept
    assert "shop-20200101T000000Z.db.gz" not in kept
    assert [name for name in kept if name.startswith(".")] == []


def test_damaged_sqlite_database_fails_and_the_old_backups_stay(site: Site) -> None:
    directory = site.backups / "shop"
    directory.mkdir(parents=True, exist_ok=True)
    before = sorted(directory.iterdir())
    sound = site.shop.read_bytes()
    try:
        with site.shop.open("r+b") as shop:
            shop.seek(4096 * 2)
            shop.write(b"\xff" * 8192)
        ended = site.run("sqlite-backup")
    finally:
        site.shop.write_bytes(sound)
    assert not ended.succeeded
    assert "integrity check failed" in ended.output or "cannot be copied" in ended.output
    assert sorted(directory.iterdir()) == before


@pytest.fixture
def dumps(site: Site, postgres: Postgres) -> Iterator[Path]:
    """The directory of PostgreSQL dumps, empty."""
    directory = site.backups / "billing"
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    yield directory


def test_postgres_dump_is_kept_and_old_ones_go(site: Site, dumps: Path) -> None:
    for day in range(1, 5):
        (dumps / f"billing-2020010{day}T000000Z.dump").write_bytes(b"old")
    ended = site.run("postgres-dump")
    assert ended.succeeded, ended.output
    assert ended.result is not None
    assert ended.result["tables"] == 2
    assert ended.result["removed"] == 2
    assert Path(ended.result["file"]).read_bytes()[:5] == b"PGDMP"
    assert len(list(dumps.iterdir())) == 3


def test_restore_check_counts_the_rows_and_leaves_no_database(site: Site, postgres: Postgres, dumps: Path) -> None:
    assert site.run("postgres-dump").succeeded
    ended = site.run("postgres-restore-check")
    assert ended.succeeded, ended.output
    assert (ended.outputs / "rows.tsv").read_text() == "archive.old\t500\npublic.invoice\t500\n"
    assert ended.result is not None
    assert ended.result["rows"] == 1000
    assert postgres.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'restore_check%'") == "0"


def test_truncated_dump_fails_the_restore_check_and_leaves_no_database(
    site: Site, postgres: Postgres, dumps: Path
) -> None:
    assert site.run("postgres-dump").succeeded
    newest = max(dumps.iterdir())
    newest.write_bytes(newest.read_bytes()[:-400])
    ended = site.run("postgres-restore-check")
    assert not ended.succeeded
    assert "pg_restore: error:" in ended.output
    assert postgres.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'restore_check%'") == "0"


def test_no_dump_at_all_fails_the_restore_check(site: Site, dumps: Path) -> None:
    ended = site.run("postgres-restore-check")
    assert not ended.succeeded
    assert f"{dumps}: no dump to restore" in ended.output


def test_wrong_password_fails_the_dump_and_is_not_shown(site: Site, postgres: Postgres, dumps: Path) -> None:
    right = site.password_file.read_text()
    site.password_file.write_text("not-the-password\n")
    try:
        ended = site.run("postgres-dump")
    finally:
        site.password_file.write_text(right)
    assert not ended.succeeded
    assert 'password authentication failed for user "backup"' in ended.output
    assert "not-the-password" not in ended.output
    assert list(dumps.iterdir()) == []
