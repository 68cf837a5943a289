"""Runs only go forward: a random life of many runs, held against a model of twenty lines."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.errors import DatabaseError, InvalidRunTransition, NotFound
from state.reads import Reader
from state.records import TERMINAL_STATES, Health, Reason, RunState
from state.store import RunEnd, RunStarted, Store
from tests.storing.making import NOON, SECOND, a_job, a_run, check_sums

REASONS = {
    RunState.SUCCEEDED: Reason.SUCCEEDED,
    RunState.FAILED: Reason.EXIT_CODE,
    RunState.CANCELLED: Reason.CANCELLED,
    RunState.EXPIRED: Reason.TIMEOUT,
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "cancel", *REASONS]),
        st.integers(min_value=0, max_value=3),
    ),
    max_size=25,
)


@dataclass
class Model:
    """What DESIGN 6 says, for four runs."""

    states: dict[int, RunState] = field(default_factory=lambda: dict.fromkeys(range(4), RunState.PENDING))
    cancelled: set[int] = field(default_factory=set)
    counts: Counter[RunState] = field(default_factory=Counter)
    health: Health = Health.UNKNOWN
    failures: int = 0

    def start(self, run: int) -> bool:
        fits = self.states[run] is RunState.PENDING
        if fits:
            self.states[run] = RunState.RUNNING
        return fits

    def end(self, run: int, state: RunState) -> bool:
        if self.states[run] in TERMINAL_STATES:
            return False
        self.states[run] = state
        self.counts[state] += 1
        if state is RunState.SUCCEEDED:
            self.health, self.failures = Health.HEALTHY, 0
        elif state is not RunState.CANCELLED:
            self.health, self.failures = Health.FAILING, self.failures + 1
        return True


@given(STEPS)
@settings(max_examples=40, derandomize=True, deadline=None)
def test_whatever_is_told_in_whatever_order_the_store_does_as_the_model(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "jobsctl.db", now=NOON)
        job = store.put_job(a_job())
        runs = [a_run(job, NOON + number * SECOND) for number in range(4)]
        store.insert_runs(runs)
        model = Model()
        for at, (step, number) in enumerate(steps, start=NOON):
            id = runs[number].id
            if step == "start":
                changed = store.started([RunStarted(run_id=id, at=at, pid=7, pid_start=8)])
                assert bool(changed) is model.start(number)
            elif step == "cancel":
                if model.states[number] in TERMINAL_STATES:
                    with pytest.raises(InvalidRunTransition) as refused:
                        store.request_cancel(id, "me", at)
                    assert (refused.value.current, refused.value.requested) == (model.states[number], "cancelled")
                else:
                    assert store.request_cancel(id, "me", at).cancel_requested_at is not None
            else:
                state = RunState(step)
                changed = store.finished([RunEnd(run_id=id, at=at, state=state, reason=REASONS[state])])
                assert bool(changed) is model.end(number, state)
                assert [store.run(run.id) for run in changed] == changed
        stored = store.job(job.id or 0)
        assert stored is not None
        assert [run.state for run in map(store.run, (run.id for run in runs)) if run] == list(model.states.values())
        assert {state: n for state, n in stored.counts.items() if n} == dict(model.counts)
        assert (stored.health, stored.consecutive_failures) == (model.health, model.failures)
        assert stored.last_run_state is model.states[3]
        check_sums(store)
        store.close()


def test_what_is_told_of_an_end_is_stored(store: Store) -> None:
    job = store.put_job(a_job())
    run = a_run(job, NOON)
    store.insert_runs([run])
    end = RunEnd(
        run_id=run.id, at=NOON + 9, state=RunState.FAILED, reason=Reason.SIGNAL, error="killed \udcff", signal=9,
        cpu_seconds=1.5, peak_memory=2**40, output_bytes=3, started_at=NOON + 1, pid=5, pid_start=6,
        progress={"done": 0.5}, result={"rows": [1]},
    )  # fmt: skip
    (ended,) = store.finished([end])
    assert ended == store.run(run.id)
    assert (ended.error, ended.signal, ended.started_at, ended.pid) == ("killed \\udcff", 9, NOON + 1, 5)
    assert (ended.progress, ended.result, ended.peak_memory) == ({"done": 0.5}, {"rows": [1]}, 2**40)


def test_a_start_told_late_does_not_move_a_stored_one(store: Store) -> None:
    job = store.put_job(a_job())
    run = a_run(job, NOON)
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=NOON + 1, pid=5, pid_start=6)])
    (ended,) = store.finished(
        [
            RunEnd(
                run_id=run.id,
                at=NOON + 9,
                state=RunState.SUCCEEDED,
                reason=Reason.SUCCEEDED,
                started_at=NOON + 2,
                pid=7,
            )
        ]
    )
    assert (ended.started_at, ended.pid) == (NOON + 1, 5)
    assert store.run(run.id) == ended


def test_an_older_run_that_ends_later_is_not_the_last_run(store: Store) -> None:
    job = store.put_job(a_job())
    old, new = a_run(job, NOON), a_run(job, NOON + SECOND)
    store.insert_runs([old, new])
    store.finished([RunEnd(run_id=new.id, at=NOON + 5, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED)])
    store.finished([RunEnd(run_id=old.id, at=NOON + 9, state=RunState.FAILED, reason=Reason.EXIT_CODE)])
    stored = store.job(job.id or 0)
    assert stored is not None
    assert (stored.last_run_id, stored.last_run_state) == (new.id, RunState.SUCCEEDED)
    assert stored.health is Health.FAILING


def test_the_whole_story_of_a_run_is_in_its_events(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job())
    run = a_run(job, NOON, requested_by="ann")
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=NOON + 1)])
    store.request_cancel(run.id, "bob", NOON + 2)
    store.finished([RunEnd(run_id=run.id, at=NOON + 3, state=RunState.CANCELLED, reason=Reason.CANCELLED)])
    events = reader.events(run_id=run.id)
    assert [event.reason for event in events] == ["created", "started", "cancel_requested", "cancelled"]
    assert [event.at - NOON for event in events] == [0, 1, 2, 3]
    assert events == reader.events(job_id=job.id)


def test_the_first_cancel_stays(store: Store) -> None:
    job = store.put_job(a_job())
    run = a_run(job, NOON)
    store.insert_runs([run])
    store.request_cancel(run.id, "ann", NOON + 1)
    again = store.request_cancel(run.id, "bob", NOON + 2)
    assert (again.cancel_requested_by, again.cancel_requested_at) == ("ann", NOON + 1)


def test_cancelling_an_unknown_run_says_so(store: Store) -> None:
    with pytest.raises(NotFound):
        store.request_cancel("0" * 26, "me", NOON)


def test_durations_are_counted_in_buckets(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job())
    for number, seconds in enumerate((0, 1, 2, 400_000)):
        run = a_run(job, NOON + number)
        store.insert_runs([run])
        end = NOON + seconds * SECOND
        store.finished(
            [RunEnd(run_id=run.id, at=end, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED, started_at=NOON)]
        )
    buckets = {counter.labels["le"]: counter.value for counter in reader.counters("run_duration_bucket")}
    assert buckets == {"1": 2, "5": 1, "+Inf": 1}
    assert [counter.value for counter in reader.counters("run_duration_sum")] == [400_003]


def test_what_a_rolled_back_transaction_did_to_a_run_is_forgotten(store: Store) -> None:
    job = store.put_job(a_job())
    run, other = a_run(job, NOON), a_run(job, NOON + SECOND)
    store.insert_runs([run])
    for attempt in ("whole", "caught inside"):
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.insert_runs([other])
            store.started([RunStarted(run_id=run.id, at=NOON)])
            store.finished([RunEnd(run_id=run.id, at=NOON, state=RunState.FAILED, reason=Reason.LOST)])
            if attempt == "caught inside":
                with pytest.raises(ValueError, match="is not an end"):
                    store.finished([RunEnd(run_id=other.id, at=NOON, state=RunState.RUNNING, reason=Reason.LOST)])
            raise ZeroDivisionError
    assert store.started([RunStarted(run_id=other.id, at=NOON)]) == []
    assert [one.state for one in store.started([RunStarted(run_id=run.id, at=NOON)])] == [RunState.RUNNING]


def test_a_run_that_another_program_changed_is_not_changed_again(store: Store, path: Path) -> None:
    job = store.put_job(a_job())
    run, other = a_run(job, NOON), a_run(job, NOON + SECOND)
    store.insert_runs([run, other])
    with closing(sqlite3.connect(path)) as stranger:
        stranger.execute("UPDATE run SET state = 'cancelled' WHERE id = ?", (run.id,))
        stranger.execute("UPDATE job SET active_runs = active_runs - 1")
        stranger.commit()
    starts = [RunStarted(run_id=run.id, at=NOON), RunStarted(run_id=other.id, at=NOON)]
    with pytest.raises(DatabaseError, match="another program changed runs"):
        store.started(starts)
    assert [one.id for one in store.started(starts)] == [other.id]
    assert [one.state for one in (store.run(run.id), store.run(other.id)) if one] == ["cancelled", "running"]


def test_runs_of_an_earlier_daemon_go_on(path: Path) -> None:
    store = Store.open(path, now=NOON)
    job = store.put_job(a_job())
    run = a_run(job, NOON)
    store.insert_runs([run])
    store.close()
    again = Store.open(path, now=NOON)
    assert [one.id for one in again.started([RunStarted(run_id=run.id, at=NOON, pid=7)])] == [run.id]
    (ended,) = again.finished([RunEnd(run_id=run.id, at=NOON, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED)])
    assert (ended, ended.pid) == (again.run(run.id), 7)
    again.close()
