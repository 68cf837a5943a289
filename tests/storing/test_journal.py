"""The write-ahead log: a reader that does not let go makes it long; when it does, the log is short again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from state.database import JOURNAL_LIMIT
from state.store import Store
from tests.storing.making import a_job


def test_a_journal_a_reader_made_long_is_cut_when_the_reader_lets_go(store: Store) -> None:
    journal = store.path.with_name(f"{store.path.name}-wal")
    jobs = [a_job(f"job-{number}", labels={"text": "x" * 100_000}) for number in range(20)]
    with closing(sqlite3.connect(f"{store.path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM job").fetchone()
        while journal.stat().st_size <= JOURNAL_LIMIT:
            jobs = [store.put_job(job) for job in jobs]
    store.put_job(jobs[0])  # writes the log back
    store.put_job(jobs[0])  # begins it anew
    assert journal.stat().st_size <= JOURNAL_LIMIT
