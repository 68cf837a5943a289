"""Whatever is done to runs, in whatever order: what the database says of jobs is what a plain model of it says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.changes import Advance, RunEnd, RunStarted, Skip, Wait
from state.errors import Conflict, InvalidRunTransition, SlotTaken
from state.reads import Reader
from state.records import ACTIVE_STATES, SKIP_REASONS, TERMINAL_STATES, WAIT_REASONS, Health, Reason, Run, RunState
from state.store import Store
from tests.storing.making import NOON, SECOND, a_job, a_run, check_sums

ENDS = {
    RunState.SUCCEEDED: Reason.SUCCEEDED,
    RunState.FAILED: Reason.EXIT_CODE,
    RunState.EXPIRED: Reason.TIMEOUT,
    RunState.CANCELLED: Reason.REPLACED,
    RunState.SKIPPED: Reason.POOL,
}
STEPS = ("insert", "insert", "block", "block", "release", "wait", "start", "end", "end", "end", "skip", "advance",
         "rename", "prune", "forget")  # fmt: skip


@dataclass(eq=False)
class Row:
    """A run, or a record of slots without one."""

    id: str
    state: RunState
    slot: int | None
    attempt: int = 1
    filed_under: str | None = None
    reason: Reason | None = None
    is_gap: bool = False
    """It never was a run."""
    slots: int | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES


@dataclass(eq=False)
class Model:
    """A job and what it must say of its runs."""

    id: int
    name: str
    rows: list[Row] = field(default_factory=list)
    counts: dict[RunState, int] = field(default_factory=lambda: dict.fromkeys(TERMINAL_STATES, 0))
    skips: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(SKIP_REASONS, 0))
    health: Health = Health.UNKNOWN
    failures: int = 0
    last_success: str | None = None
    last_end: str | None = None
    last_start: int | None = None
    consumed: dict[str, int] = field(default_factory=dict)
    repeats: int = 0

    @property
    def runs(self) -> list[Row]:
        return [row for row in self.rows if row.state is not RunState.SKIPPED]


class Twins:
    """The store and the model; every step is done to both."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOON
        self.models = [Model(self.store.put_job(a_job(name)).id or 0, name) for name in ("a", "b")]

    def step(self, what: str, model: Model, number: int) -> None:
        self.now += SECOND
        getattr(self, f"_{what}")(model, number)

    def _new(self, model: Model, number: int, reason: Reason | None) -> None:
        state = RunState.PENDING if reason is None else RunState.BLOCKED
        slot = None if number % 5 == 4 else number % 5
        row = Row("", state, slot, attempt=1 + number % 2, reason=reason)
        record = self.store.job(model.id)
        assert record is not None
        run = a_run(record, slot, at=self.now, attempt=row.attempt, state=state, reason=reason)
        if slot is not None and (slot, row.attempt) in {(other.slot, other.attempt) for other in model.rows}:
            with pytest.raises(SlotTaken):
                self.store.insert_runs([run])
            return
        self.store.insert_runs([run])
        row.id = run.id
        model.rows.append(row)

    def _insert(self, model: Model, number: int) -> None:
        self._new(model, number, None)

    def _block(self, model: Model, number: int) -> None:
        self._new(model, number, WAIT_REASONS[number % len(WAIT_REASONS)])

    def _some(self, model: Model, number: int, wanted: Callable[[Row], bool]) -> Row | None:
        fitting = [row for row in model.rows if not row.is_gap and wanted(row)]
        return fitting[number % len(fitting)] if fitting else None

    def _release(self, model: Model, number: int) -> None:
        if (row := self._some(model, number, lambda row: True)) is None:
            return
        run = self.store.run(row.id)
        assert run is not None
        go = replace(run, supervisor="s", boot_id="b", generation=2, digest="d2", revision="r", upstream={"p/u": "1"})
        if row.state is not RunState.BLOCKED:
            with pytest.raises(InvalidRunTransition):
                self.store.release([go], self.now)
            return
        self.store.release([go], self.now)
        row.state, row.reason = RunState.PENDING, None

    def _wait(self, model: Model, number: int) -> None:
        if row := self._some(model, number, lambda row: row.state is RunState.BLOCKED):
            row.reason = WAIT_REASONS[number % len(WAIT_REASONS)]
            self.store.wait([Wait(run_id=row.id, at=self.now, reason=row.reason, not_before=number, message="m")])

    def _start(self, model: Model, number: int) -> None:
        if row := self._some(model, number, lambda row: True):
            changed = self.store.started([RunStarted(run_id=row.id, at=self.now)])
            assert [run.id for run in changed] == ([row.id] if row.state is RunState.PENDING else [])
            if changed:
                row.state, model.last_start = RunState.RUNNING, self.now

    def _end(self, model: Model, number: int) -> None:
        if (row := self._some(model, number, lambda row: True)) is None:
            return
        state = list(ENDS)[number % len(ENDS)]
        end = RunEnd(run_id=row.id, at=self.now, state=state, reason=ENDS[state])
        if state is RunState.SKIPPED and row.state is RunState.RUNNING:
            with pytest.raises(InvalidRunTransition):
                self.store.finished([end])
            return
        changed = self.store.finished([end])
        assert [run.id for run in changed] == ([row.id] if row.is_active else [])
        if not changed:
            return
        row.state, row.reason = state, end.reason
        model.counts[state] += 1
        if state is RunState.SKIPPED:
            model.skips[end.reason] += 1
            row.slots = 1
        elif state is not RunState.CANCELLED:
            good = state is RunState.SUCCEEDED
            model.last_end, model.health = row.id, Health.HEALTHY if good else Health.FAILING
            model.failures = 0 if good else model.failures + 1
            model.last_success = row.id if good else model.last_success

    def _skip(self, model: Model, number: int) -> None:
        reason, slot = SKIP_REASONS[number % 3], 100 + len(model.rows) * 1000 + sum(model.counts.values())
        self.store.skip(
            [Skip(job_id=model.id, first=slot - 1, last=slot, count=2, reason=reason, at=self.now, generation=1)]
        )
        model.counts[RunState.SKIPPED] += 2
        model.skips[reason] += 2
        last = model.rows[-1] if model.rows else None
        if last is not None and last.is_gap and last.reason is reason:
            last.slot, last.slots = slot, (last.slots or 0) + 2
            return
        (newest,) = self._stored(model)[-1:]
        model.rows.append(Row(newest.id, RunState.SKIPPED, slot, reason=reason, is_gap=True, slots=2))

    def _advance(self, model: Model, number: int) -> None:
        new = {f"default/{number % 3}": number} if number % 2 else None
        model.consumed |= new or {}
        model.repeats = number if number % 3 else model.repeats
        self.store.advance(
            [Advance(job_id=model.id, cursor_at=None, next_at=1, repeat_done=number if number % 3 else None,
                     consumed=new)]
        )  # fmt: skip

    def _rename(self, model: Model, number: int) -> None:
        name = "abc"[number % 3]
        record = self.store.job(model.id)
        assert record is not None
        if name in [other.name for other in self.models if other is not model]:
            with pytest.raises(Conflict):
                self.store.put_job(replace(record, name=name))
            return
        self.store.put_job(replace(record, name=name))
        if name != model.name:
            for row in model.rows:
                row.filed_under = row.filed_under or f"default/{model.name}"
            model.name = name

    def _prune(self, model: Model, number: int) -> None:
        pruned = self.store.prune(self.now, max_age_us=1 + number * SECOND, limit=1 + number)
        gone = {run_id for _, _, run_id in pruned or ()}
        for each in self.models:
            stay = {each.last_success, *(row.id for row in each.rows[-1:]), *(row.id for row in each.runs[-1:])}
            assert gone.isdisjoint(stay | {row.id for row in each.rows if row.is_active})
            each.rows = [row for row in each.rows if row.id not in gone]

    def _forget(self, model: Model, number: int) -> None:
        """A transaction that comes to nothing."""
        with pytest.raises(ZeroDivisionError), self.store.transaction():
            for row in model.rows:
                if row.is_active:
                    self.store.finished([RunEnd(run_id=row.id, at=self.now, state=RunState.FAILED, reason=Reason.LOST)])
            raise ZeroDivisionError

    def _stored(self, model: Model) -> list[Run]:
        with Reader(self.store.path) as reader:
            return reader.runs(job_id=model.id, order="asc", limit=1000)

    def compare(self) -> None:
        for model in self.models:
            job = self.store.job(model.id)
            assert job is not None
            last = model.runs[-1] if model.runs else None
            with_slot = [row for row in model.runs if row.slot is not None]
            says: dict[str, Any] = {
                "identity": f"default/{model.name}",
                "active_runs": sum(row.is_active for row in model.rows),
                "counts": model.counts,
                "skips": model.skips,
                "health": model.health,
                "consecutive_failures": model.failures,
                "last_success_id": model.last_success,
                "last_end_id": model.last_end,
                "last_started_at": model.last_start,
                "last_run_id": last and last.id,
                "last_run_state": last and last.state,
                "consumed": model.consumed,
                "repeat_done": model.repeats,
            }
            assert {name: getattr(job, name) for name in says} == says
            if with_slot and with_slot[-1] is last:
                assert job.last_scheduled_for == with_slot[-1].slot
            assert [
                (run.id, run.state, run.scheduled_for, run.attempt, run.filed_under, run.reason, run.skipped_count)
                for run in self._stored(model)
            ] == [(r.id, r.state, r.slot, r.attempt, r.filed_under, r.reason, r.slots) for r in model.rows]
        active = {run.id: run for run in self.store.active_runs()}
        assert self.store._active() == active
        assert set(active) == {row.id for model in self.models for row in model.rows if row.is_active}
        check_sums(self.store)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1), st.integers(0, 20)), min_size=10, max_size=50))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_jobs_say_of_their_runs_what_was_done_to_them(steps: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "jobsctl.db", now=NOON)
        store._connection.execute("PRAGMA synchronous = OFF")  # what is tested here is not durability
        twins = Twins(store)
        for what, which, number in steps:
            twins.step(what, twins.models[which], number)
            twins.compare()
        store.close()
