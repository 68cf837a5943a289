"""Jobs: what the daemon puts, what runs write, and how readers learn of changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from specs.desired import CachedFile
from state.errors import Conflict, JobHasActiveRuns, NotFound
from state.reads import Reader
from state.records import DocumentRecord, Event, Health, Reason, RequestRecord, RunState, SourceState
from state.store import Advance, RunEnd, RunStarted, Store
from tests.storing.making import NOON, SECOND, a_job, a_run


def test_a_job_comes_back_as_it_was_put(store: Store, reader: Reader) -> None:
    put = store.put_job(
        replace(
            a_job(labels={"team": "ops"}), revision="main@sha1:ab", archived_at=1, missing_since=2, problem_since=3,
            problem=({"code": "JOB001", "message": "no"},), schedule_digest="s", next_at=4, boot_id="b",
            suspended_at=5, suspended_by="ann", suspended_reason="why", completed_at=6, stalled="s",
        )
    )  # fmt: skip
    assert put.id is not None
    assert put == store.job(put.id) == store.job_by_identity("default/report") == reader.job("report")
    assert store.jobs() == [put]


def test_putting_a_job_again_keeps_what_its_runs_wrote(store: Store) -> None:
    stale = store.put_job(a_job())
    run = a_run(stale, NOON)
    store.insert_runs([run, a_run(stale, NOON + SECOND)])
    store.started([RunStarted(run_id=run.id, at=NOON)])
    store.finished([RunEnd(run_id=run.id, at=NOON + 5, state=RunState.FAILED, reason=Reason.EXIT_CODE)])
    stored = store.put_job(replace(stale, generation=2, digest="d2", spec=b'{"labels":{}}'))
    assert stored == store.job(stale.id or 0)
    assert (stored.generation, stored.spec) == (2, b'{"labels":{}}')
    assert (stored.active_runs, stored.health, stored.consecutive_failures) == (1, Health.FAILING, 1)
    assert stored.counts[RunState.FAILED] == 1


@pytest.mark.parametrize("damage", [None, b"\xff", b"[]"], ids=["sound", "no JSON", "no object"])
def test_labels_and_retention_are_those_of_the_spec_put_last(store: Store, path: Path, damage: bytes | None) -> None:
    first = store.put_job(replace(a_job(), spec=b'{"labels":{"a":"1","b":"2"},"retention":{"max_runs":3}}'))
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE spec SET canonical = coalesce(?, canonical)", (damage,))
    second = store.put_job(replace(first, spec=b'{"labels":{"a":"3"},"retention":{"output_max":9}}'))
    assert second == store.job(first.id or 0)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT key, value FROM label").fetchall() == [("a", "3")]
        assert raw.execute("SELECT retention_runs, output_max FROM job").fetchall() == [(None, 9)]


def test_a_new_job_brings_no_statistics_of_its_own(store: Store) -> None:
    put = store.put_job(replace(a_job(), active_runs=3, counts={RunState.FAILED: 9}))
    assert (put.active_runs, put.counts[RunState.FAILED]) == (0, 0)


def test_one_identity_is_one_row(store: Store) -> None:
    store.put_job(a_job())
    with pytest.raises(Conflict):
        store.put_job(a_job())
    with pytest.raises(NotFound):
        store.put_job(replace(a_job("other"), id=99))


def test_advance_leaves_alone_what_it_is_not_told(store: Store) -> None:
    job = store.put_job(replace(a_job(), boot_id="b1", next_at=7))
    assert job.id is not None
    store.advance([Advance(job_id=job.id, cursor_at=None, next_at=NOON + 1)])
    after = store.job(job.id)
    assert after is not None
    assert (after.cursor_at, after.next_at, after.boot_id, after.completed_at) == (NOON, NOON + 1, "b1", None)
    store.advance([Advance(job_id=job.id, cursor_at=NOON + 2, next_at=None, boot_id="b2", completed_at=NOON + 3)])
    after = store.job(job.id)
    assert after is not None
    assert (after.cursor_at, after.next_at, after.boot_id, after.completed_at) == (NOON + 2, None, "b2", NOON + 3)


def test_every_change_of_a_job_is_seen_once_by_who_asks_for_what_is_newer(store: Store, reader: Reader) -> None:
    one, two = store.put_job(a_job("one")), store.put_job(a_job("two"))
    seen = reader.seq()
    assert reader.changed_since(seen) == []
    run = a_run(one, NOON)
    for change in (
        lambda: store.insert_runs([run]),
        lambda: store.started([RunStarted(run_id=run.id, at=NOON)]),
        lambda: store.request_cancel(run.id, "me", NOON),
        lambda: store.finished([RunEnd(run_id=run.id, at=NOON, state=RunState.CANCELLED, reason=Reason.CANCELLED)]),
        lambda: store.advance([Advance(job_id=one.id or 0, cursor_at=NOON, next_at=None)]),
        lambda: store.put_job(replace(one, generation=2)),
    ):
        change()
        (changed,) = reader.changed_since(seen)
        assert changed.name == "one"
        assert changed == store.job(one.id or 0)
        seen = changed.seq
        assert seen == reader.seq()
    store.put_job(two)
    assert [job.name for job in reader.changed_since(0)] == ["one", "two"]
    assert [job.name for job in reader.changed_since(0, limit=1)] == ["one"]


def test_a_purged_job_leaves_nothing_but_the_word_that_it_went(store: Store, reader: Reader) -> None:
    job, other = store.put_job(a_job(labels={"team": "ops"})), store.put_job(a_job("report-2"))
    run = a_run(job, NOON)
    store.insert_runs([run, a_run(other, NOON)])
    with pytest.raises(JobHasActiveRuns):
        store.purge_job(job.id or 0)
    ends = [RunEnd(run_id=r.id, at=NOON, state=RunState.FAILED, reason=Reason.LOST) for r in store.active_runs()]
    store.finished(ends)
    store.add_events([Event(at=NOON, job_id=job.id, run_id=None, type="Normal", reason="applied", message="Applied")])
    seen = reader.seq()
    assert store.purge_job(job.id or 0) == [run.id]
    assert reader.removed_since(seen) == ["default/report"]
    assert reader.removed_since(reader.seq()) == []
    assert store.jobs() == reader.jobs(archived=None) == [store.job(other.id or 0)]
    for table, left in (("run", 1), ("event", 2), ("spec", 1), ("label", 0)):
        assert store._connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (left,), table
    doomed = [(one.run_id, one.job_lives, one.project_lives) for one in store.doomed_directories()]
    assert doomed == [(run.id, False, True), (None, False, True)]
    again = store.put_job(a_job())
    assert all(one.job_lives for one in store.doomed_directories())
    store.directories_removed([one.id for one in store.doomed_directories(limit=1)])
    assert [one.run_id for one in store.doomed_directories()] == [None]
    assert again.id not in (job.id, other.id)


def test_requests_are_audited(store: Store, reader: Reader) -> None:
    record = RequestRecord(
        id="r1", kind="trigger", identity="default/report", run_id=None, requested_by="ann", requested_at=NOON,
        handled_at=NOON + 1, outcome="done", message="ok", data={"params": {"a": "b"}},
    )  # fmt: skip
    store.record_request(replace(record, outcome="refused"))
    store.record_request(record)
    assert store.request("r1") == reader.request("r1") == record
    assert reader.requests() == [record]
    assert store.request("r2") is None


def test_the_last_look_is_one_row(store: Store, reader: Reader) -> None:
    assert reader.source() is None
    source = SourceState(root="/specs", revision=None, scanned_at=1, files=2, jobs=3, invalid=4)
    store.set_source(source)
    source = replace(source, problem="gone", prune_blocked=("a/b",), diagnostics=({"code": "JOB001"},))
    store.set_source(source)
    assert reader.source() == source


def test_the_file_cache_holds_one_loader_version(store: Store) -> None:
    def cached(name: str, **more: int) -> CachedFile:
        values = {"inode": 2**64 - 1, "size": 2, "mtime_ns": 3, "ctime_ns": 4} | more
        return CachedFile(path=name, sha256="ab", documents=b"[]", **values)

    store.save_cache("v1", [cached("a"), cached("b"), cached("odd \udcff name")], [])
    store.save_cache("v1", [cached("a", size=9)], ["b"])
    assert store.file_cache("v1") == [cached("a", size=9), cached("odd \udcff name")]
    store.save_cache("v2", [cached("c")], [])
    assert store.file_cache("v1") == []
    assert store.file_cache("v2") == [cached("c")]


def test_a_counter_of_the_daemon_adds_up_and_a_rolled_back_one_does_not(store: Store, reader: Reader) -> None:
    for _ in range(2):
        with store.transaction():
            store.count("reconciles", {"result": "ok"})
            store.count("reconciles", {"result": "ok"}, 2)
    with pytest.raises(KeyError), store.transaction():
        store.count("reconciles", {"result": "ok"})
        raise KeyError
    assert [(counter.labels, counter.value) for counter in reader.counters("reconciles")] == [({"result": "ok"}, 6)]


def test_other_documents_are_kept_by_kind_and_name(store: Store, path: Path) -> None:
    pool = DocumentRecord(kind="Pool", name="gpu", spec=b'{"slots":2}', digest="d", path="a.yaml", line=1, applied_at=5)
    calendar = replace(pool, kind="Calendar", revision="main@sha1:ab", line=9)
    store.put_documents([pool, calendar], [])
    assert store.documents() == [calendar, pool]
    store.put_documents([replace(pool, digest="d2")], [("Calendar", "gpu"), ("Pool", "none")])
    assert store.documents() == [replace(pool, digest="d2")]
    store.put_documents([pool], [("Pool", "gpu")])
    assert store.documents() == [pool], "renewed in one go"


def test_what_says_when_a_job_is_complete_comes_with_the_definition(store: Store, reader: Reader) -> None:
    stored = store.put_job(replace(a_job(), repeat_done=2, completion_digest="c1", consumed={"default/a": 1}))
    assert stored == reader.job("report")
    assert (stored.repeat_done, stored.completion_digest, stored.consumed) == (2, "c1", {"default/a": 1})
    assert stored.id is not None
    store.advance([Advance(job_id=stored.id, cursor_at=None, next_at=None, repeat_done=3, consumed={"a/b": 2})])
    store.advance([Advance(job_id=stored.id, cursor_at=None, next_at=None, consumed={"default/a": 3})])
    store.advance([Advance(job_id=stored.id, cursor_at=None, next_at=None)])
    now = reader.job("report")
    assert (now.repeat_done, now.consumed) == (3, {"default/a": 3, "a/b": 2})
    fresh = store.put_job(replace(now, repeat_done=0, completion_digest="c2", consumed={}, last_end_id="1" * 26))
    assert (fresh.repeat_done, fresh.completion_digest, fresh.consumed, fresh.last_end_id) == (0, "c2", {}, None)
