"""The judge of every scene: each slot is a run or inside a skip record, and what a job says of itself is so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson

from specs.model import Job
from specs.policy import policy_of
from specs.schedule import compile_schedule
from state.records import ACTIVE_STATES, JobRecord, Reason, Run, RunState
from status.phase import Phase, phase_of
from tests.deciding.driving import Rig

FAR = 1 << 60
Span = tuple[int, int]
"""Instants in (first, second]."""


def check(rig: Rig, excused: Mapping[str, Sequence[Span]]) -> None:
    """Of all jobs of the house. `excused`: when a job was archived or complete, so that its slots were none."""
    for job in rig.store.jobs():
        runs = [run for run in rig.runs(job.name) if run.job_id == job.id]
        check_job(job, runs, excused.get(job.name, ()))


def check_job(job: JobRecord, runs: list[Run], excused: Sequence[Span] = ()) -> None:
    """Independent of how it came about: only the schedule, the rows and the record."""
    _accounted_for(job, runs, excused)
    _counted(job, runs)
    active = [run for run in runs if run.state in ACTIVE_STATES]
    assert job.active_runs == len(active), f"{job.identity}: {job.active_runs} active, {len(active)} rows are"
    _phase(job, active)
    attempts = Counter((run.scheduled_for, run.attempt) for run in runs if run.scheduled_for is not None)
    assert max(attempts.values(), default=1) == 1, f"{job.identity}: a slot has two rows of one attempt"
    for run in runs:
        if run.state not in ACTIVE_STATES:
            assert run.reason is not None, f"{run.id} does not say why it ended"
            assert run.finished_at is not None


def _accounted_for(job: JobRecord, runs: list[Run], excused: Sequence[Span]) -> None:
    """Every slot of the present schedule, from when it was applied to the cursor, is in exactly one row."""
    schedule = compile_schedule(Job.from_canonical(job.spec))
    policy = policy_of(orjson.loads(job.spec))
    if schedule.from_finish is not None or not schedule.slots:
        return
    skips = [run for run in runs if run.state is RunState.SKIPPED and run.reason is not Reason.DST_GAP]
    starts = {run.scheduled_for for run in runs if run.state is not RunState.SKIPPED and run.attempt == 1}
    first = job.anchor_at if policy.start_at is None else max(job.anchor_at, policy.start_at - 1)
    last = job.cursor_at if policy.end_at is None else min(job.cursor_at, policy.end_at)
    at = schedule.next_after(first, anchor=job.anchor_at)
    while at is not None and at <= last:
        holding = [run for run in skips if _first(run) <= at <= _last(run)]
        rows = len(holding) + (at in starts)
        if not any(begin < at <= end for begin, end in excused):
            assert rows == 1, f"{job.identity}: the slot {at} is in {rows} rows"
        at = schedule.next_after(at, anchor=job.anchor_at)
    for run in skips:
        if _first(run) > job.anchor_at:
            count = schedule.count(after=_first(run) - 1, through=_last(run), anchor=job.anchor_at, limit=FAR)
            assert run.skipped_count == count, f"{job.identity}: {run.skipped_count} counted where {count} slots are"


def _first(run: Run) -> int:
    assert run.skipped_first is not None
    return run.skipped_first


def _last(run: Run) -> int:
    assert run.scheduled_for is not None
    return run.scheduled_for


def _counted(job: JobRecord, runs: list[Run]) -> None:
    ended = Counter(run.state for run in runs if run.state not in ACTIVE_STATES)
    skipped = Counter({RunState.SKIPPED: 0})
    reasons: Counter[Reason] = Counter()
    for run in runs:
        if run.state is RunState.SKIPPED:
            assert run.reason is not None
            skipped[RunState.SKIPPED] += run.skipped_count or 0
            reasons[run.reason] += run.skipped_count or 0
    expected = {**ended, **skipped}
    assert {state: count for state, count in job.counts.items() if count} == {k: v for k, v in expected.items() if v}
    assert {reason: count for reason, count in job.skips.items() if count} == reasons


def _phase(job: JobRecord, active: list[Run]) -> None:
    phase = phase_of(job)
    if job.archived_at is not None:
        assert phase is Phase.ARCHIVED
    elif any(run.state is not RunState.BLOCKED for run in active):
        assert phase is Phase.IN_PROGRESS, f"{job.identity}: {phase} with a run in progress"
    elif len(active) == 1 and active[0].id == job.last_run_id:
        assert phase is Phase.BLOCKED, f"{job.identity}: {phase} with a run that waits"
    elif not active:
        assert phase not in (Phase.BLOCKED, Phase.IN_PROGRESS), f"{job.identity}: {phase} without an active run"
