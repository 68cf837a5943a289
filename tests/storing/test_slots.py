"""A slot runs at most once: the row is the lock, for one connection and for two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from state.errors import DatabaseError, RequestTaken, SlotTaken
from state.reads import Reader
from state.records import Event, Run, RunState
from state.store import Advance, RunEnd, RunStarted, Store
from tests.storing.making import NOON, SECOND, a_job, a_run


def test_a_slot_is_taken_once(store: Store) -> None:
    job = store.put_job(a_job())
    store.insert_runs([a_run(job, NOON)])
    with pytest.raises(SlotTaken):
        store.insert_runs([a_run(job, NOON)])
    assert len(store.active_runs()) == 1


def test_a_slot_is_taken_once_over_two_connections(path: Path, store: Store) -> None:
    job = store.put_job(a_job())
    other = Store.open(path, now=NOON)
    try:
        store.insert_runs([a_run(job, NOON)])
        with pytest.raises(SlotTaken):
            other.insert_runs([a_run(job, NOON)])
        other.insert_runs([a_run(job, NOON + SECOND)])
        assert store._connection.execute("SELECT active_runs FROM job").fetchone() == (2,)
        assert store.job(job.id or 0) == other.job(job.id or 0)
    finally:
        other.close()


def test_two_connections_give_no_change_number_twice(path: Path, store: Store) -> None:
    other = Store.open(path, now=NOON)
    try:
        seqs = [(store if turn % 2 else other).put_job(a_job(f"job-{turn}")).seq for turn in range(6)]
    finally:
        other.close()
    assert seqs == sorted(set(seqs))


def test_another_attempt_another_job_and_no_slot_are_free(store: Store) -> None:
    job, other = store.put_job(a_job()), store.put_job(a_job("backup"))
    store.insert_runs([a_run(job, NOON), a_run(job, NOON, attempt=2), a_run(other, NOON), a_run(job), a_run(job)])
    assert len(store.active_runs()) == 5


def test_a_request_makes_one_run(store: Store) -> None:
    job = store.put_job(a_job())
    store.insert_runs([a_run(job, request_id="r1")])
    with pytest.raises(RequestTaken):
        store.insert_runs([a_run(job, request_id="r1")])


def test_a_taken_slot_stores_nothing_of_its_call_and_leaves_the_transaction_usable(store: Store) -> None:
    job = store.put_job(a_job())
    taken, free, later = a_run(job, NOON), a_run(job, NOON + SECOND), a_run(job, NOON + 2 * SECOND)
    store.insert_runs([taken])
    with store.transaction():
        with pytest.raises(SlotTaken):
            store.insert_runs([free, a_run(job, NOON)])
        store.insert_runs([later])
    assert [run.id for run in store.active_runs()] == [taken.id, later.id]
    assert [event.run_id for event in _events(store)] == [taken.id, later.id]


def test_the_same_run_given_again_is_refused_and_stays(store: Store) -> None:
    job = store.put_job(a_job())
    first, second = a_run(job, NOON), a_run(job)
    store.insert_runs([first, second])
    for again in (first, second):
        with store.transaction(), pytest.raises((SlotTaken, DatabaseError)):
            store.insert_runs([a_run(job), again])
    assert store.active_runs() == [first, second]


def _events(store: Store) -> list[Event]:
    with Reader(store.path) as reader:
        return reader.events()


def test_run_and_advance_are_one_transaction(store: Store) -> None:
    job = store.put_job(a_job())
    assert job.id is not None
    with pytest.raises(RuntimeError, match="died here"), store.transaction():
        store.insert_runs([a_run(job, NOON)])
        store.advance([Advance(job_id=job.id, cursor_at=NOON, next_at=NOON + SECOND)])
        raise RuntimeError("died here")
    assert store.active_runs() == []
    assert store.job(job.id) == job


def test_a_run_handed_to_another_supervisor_keeps_its_id(store: Store) -> None:
    job = store.put_job(a_job())
    pending, running = a_run(job, NOON, supervisor="one", boot_id="b"), a_run(job, NOON + SECOND, supervisor="one")
    store.insert_runs([pending, running])
    store.started([RunStarted(run_id=running.id, at=NOON)])
    store.hand_over([replace(run, supervisor="two", boot_id="b2") for run in (pending, running)])
    assert [(run.supervisor, run.boot_id) for run in store.active_runs()] == [("two", "b2"), ("one", None)]


def test_a_run_of_an_unknown_job_is_refused(store: Store) -> None:
    job = store.put_job(a_job())
    stranger = a_run(job, NOON)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.insert_runs([Run(**{name: getattr(stranger, name) for name in stranger.__slots__} | {"job_id": 99})])


def test_an_end_that_is_no_end_is_a_programming_error(store: Store) -> None:
    with pytest.raises(ValueError, match="not an end"):
        store.finished([RunEnd(run_id="x", at=NOON, state=RunState.RUNNING, reason=None)])  # type: ignore[arg-type]
