"""Runs that wait: created blocked, told what for, let go or ended without having started; and slots seen as one."""

from __future__ import annotations

import pytest

from state.changes import RunEnd, RunStarted, Skip, Wait
from state.errors import InvalidRunTransition, NotFound, SlotTaken
from state.reads import Reader
from state.records import WAIT_REASONS, Health, JobRecord, Reason, Run, RunState
from state.store import Store
from tests.storing.making import NOON, SECOND, a_job, a_run


def blocked(job: JobRecord, slot: int | None = 1, reason: Reason = Reason.OVERLAP, **more: object) -> Run:
    return a_run(job, slot, state=RunState.BLOCKED, reason=reason, **more)


def stories(reader: Reader, run: Run) -> list[tuple[str, str]]:
    return [(event.reason, event.message) for event in reader.events(run_id=run.id)]


@pytest.fixture
def job(store: Store) -> JobRecord:
    return store.put_job(a_job())


@pytest.mark.parametrize("reason", WAIT_REASONS)
def test_a_run_may_be_made_waiting_and_its_story_begins_with_what_for(
    store: Store, reader: Reader, job: JobRecord, reason: Reason
) -> None:
    run = blocked(job, reason=reason, not_before=NOON + SECOND, params={"day": "1"}, upstream={"default/a": "0" * 26})
    store.insert_runs([run])
    assert reader.run(run.id) == run
    assert store.active_runs() == [run]
    stored = reader.job("report")
    assert (stored.active_runs, stored.last_run_id, stored.last_run_state) == (1, run.id, RunState.BLOCKED)
    ((what, message),) = stories(reader, run)
    assert what == "created"
    assert message.startswith("Created (schedule), waiting for ")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        pytest.param(RunState.BLOCKED, None, id="without a reason"),
        pytest.param(RunState.BLOCKED, Reason.SUSPENDED, id="for what nothing waits for"),
        pytest.param(RunState.PENDING, Reason.POOL, id="a reason without waiting"),
        pytest.param(RunState.FAILED, Reason.DEPENDENCY, id="over already"),
    ],
)
def test_a_new_run_is_pending_or_says_what_it_waits_for(
    store: Store, job: JobRecord, state: RunState, reason: Reason | None
) -> None:
    with pytest.raises(ValueError, match="a new run is not"):
        store.insert_runs([a_run(job, 1, state=state, reason=reason)])
    assert store.active_runs() == []


def test_a_run_whose_dependency_failed_is_stored_as_failed_in_one_transaction(
    store: Store, reader: Reader, job: JobRecord
) -> None:
    run = blocked(job, reason=Reason.DEPENDENCY)
    with store.transaction():
        store.insert_runs([run])
        end = RunEnd(run_id=run.id, at=NOON, state=RunState.FAILED, reason=Reason.DEPENDENCY, error="a failed")
        (ended,) = store.finished([end])
    assert reader.run(run.id) == ended
    assert (ended.state, ended.started_at, ended.error) == (RunState.FAILED, None, "a failed")
    stored = reader.job("report")
    assert (stored.health, stored.consecutive_failures, stored.last_end_id) == (Health.FAILING, 1, run.id)
    assert (stored.last_started_at, stored.active_runs, stored.last_run_state) == (None, 0, RunState.FAILED)


def test_a_released_run_is_pending_under_the_spec_and_supervisor_given(
    store: Store, reader: Reader, job: JobRecord
) -> None:
    run = blocked(job, reason=Reason.BACKOFF, not_before=NOON + SECOND, params={"a": "b"})
    store.insert_runs([run])
    given = {"supervisor": "s1", "boot_id": "b1", "generation": 2, "digest": "d2", "revision": "r2"}
    go = a_run(job, 99, upstream={"default/a": "1" * 26}, params={"not": "written"}, **given)
    object.__setattr__(go, "id", run.id)
    store.release([go], NOON + SECOND)
    released = reader.run(run.id)
    assert {name: getattr(released, name) for name in given} == given
    assert (released.state, released.reason, released.not_before) == (RunState.PENDING, None, None)
    assert (released.upstream, released.params, released.scheduled_for) == ({"default/a": "1" * 26}, {"a": "b"}, 1)
    assert store.active_runs() == [released]
    assert reader.job("report").last_run_state is RunState.PENDING
    assert stories(reader, run)[1:] == [("released", "Released")]
    (started,) = store.started([RunStarted(run_id=run.id, at=NOON + SECOND)])
    assert started.state is RunState.RUNNING


def test_what_does_not_wait_is_not_released_and_nothing_of_the_call_is_stored(
    store: Store, reader: Reader, job: JobRecord
) -> None:
    waiting, pending, over = blocked(job, 1), a_run(job, 2), a_run(job, 3)
    store.insert_runs([waiting, pending, over])
    store.finished([RunEnd(run_id=over.id, at=NOON, state=RunState.CANCELLED, reason=Reason.CANCELLED)])
    for other, error in ((pending, InvalidRunTransition), (over, InvalidRunTransition), (blocked(job, 4), NotFound)):
        with pytest.raises(error):
            store.release([waiting, other], NOON)
        with pytest.raises(error):
            store.wait([Wait(run_id=other.id, at=NOON, reason=Reason.POOL)])
    assert store.started([RunStarted(run_id=waiting.id, at=NOON)]) == []
    assert reader.run(waiting.id).state is RunState.BLOCKED
    assert {run.id: run for run in store.active_runs()} == store._active()


def test_what_a_run_waits_for_is_told_once(store: Store, reader: Reader, job: JobRecord) -> None:
    run = blocked(job, reason=Reason.DEPENDENCY)
    store.insert_runs([run])

    def wait(reason: Reason, message: str | None, not_before: int | None = None) -> int:
        before = reader.seq()
        store.wait([Wait(run_id=run.id, at=NOON, reason=reason, message=message, not_before=not_before)])
        assert (reader.run(run.id).reason, reader.run(run.id).not_before) == (reason, not_before)
        return reader.seq() - before

    assert wait(Reason.DEPENDENCY, None) == 0
    assert wait(Reason.DEPENDENCY, "extract has not succeeded") == 1
    assert wait(Reason.DEPENDENCY, "extract has not succeeded") == 0
    assert wait(Reason.DEPENDENCY, None) == 0
    assert wait(Reason.DEPENDENCY, "load has not succeeded") == 1
    assert wait(Reason.POOL, None) == 1
    assert wait(Reason.POOL, None, NOON + 5) == 1
    assert stories(reader, run)[1:] == [
        ("dependency", "extract has not succeeded"),
        ("dependency", "load has not succeeded"),
        ("pool", "Waiting for a free slot of its pool"),
    ]


def test_a_run_that_waited_in_vain_becomes_the_record_of_its_slot(store: Store, reader: Reader, job: JobRecord) -> None:
    first, run = a_run(job, 1), blocked(job, 2)
    store.insert_runs([first])
    store.started([RunStarted(run_id=first.id, at=NOON)])
    store.finished([RunEnd(run_id=first.id, at=NOON, state=RunState.FAILED, reason=Reason.EXIT_CODE)])
    before = reader.job("report")
    store.insert_runs([run])
    store.finished([RunEnd(run_id=run.id, at=NOON + SECOND, state=RunState.SKIPPED, reason=Reason.OVERLAP)])
    skipped, stored = reader.run(run.id), reader.job("report")
    assert (skipped.skipped_first, skipped.scheduled_for, skipped.skipped_count) == (2, 2, 1)
    assert (stored.counts[RunState.SKIPPED], stored.skips[Reason.OVERLAP], stored.active_runs) == (1, 1, 0)
    for name in ("health", "health_since", "consecutive_failures", "last_end_id", "last_run_id", "last_run_state",
                 "last_scheduled_for", "last_started_at", "last_finished_at"):  # fmt: skip
        assert getattr(stored, name) == getattr(before, name)
    # It has a story of its own: the next gap is another record.
    store.skip([Skip(job_id=skipped.job_id, first=3, last=3, count=1, reason=Reason.OVERLAP, at=NOON, generation=1)])
    assert [row.skipped_count for row in reader.runs(states=[RunState.SKIPPED])] == [1, 1]


def test_a_running_run_is_not_skipped(store: Store, reader: Reader, job: JobRecord) -> None:
    run = a_run(job, 1)
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=NOON)])
    with pytest.raises(InvalidRunTransition):
        store.finished([RunEnd(run_id=run.id, at=NOON, state=RunState.SKIPPED, reason=Reason.OVERLAP)])
    with pytest.raises(ValueError, match="no reason to skip"):
        store.finished([RunEnd(run_id=run.id, at=NOON, state=RunState.SKIPPED, reason=Reason.LOST)])
    assert reader.run(run.id).state is RunState.RUNNING


def test_a_slot_is_found_by_its_attempts_or_the_gap_around_it(store: Store, reader: Reader, job: JobRecord) -> None:
    assert job.id is not None
    first, second = a_run(job, 10), a_run(job, 10, attempt=2)
    store.insert_runs([first, second])
    store.skip([Skip(job_id=job.id, first=20, last=40, count=3, reason=Reason.MISSED, at=NOON, generation=1)])
    with pytest.raises(SlotTaken):
        store.skip([Skip(job_id=job.id, first=10, last=10, count=1, reason=Reason.POOL, at=NOON, generation=1)])
    assert reader.slot(job.id, 10) == [first, second]
    assert store.last_slot_run(job.id, 10) == second
    for at in (20, 30, 40):
        (gap,) = reader.slot(job.id, at)
        assert (gap.skipped_first, gap.scheduled_for) == (20, 40)
    assert [reader.slot(job.id, at) for at in (9, 19, 41)] == [[], [], []]
    assert (store.last_slot_run(job.id, 30), store.last_slot_run(job.id, 11)) == (None, None)
