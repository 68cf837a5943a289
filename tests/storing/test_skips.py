"""Slots that did not run are accounted for in few rows."""

from __future__ import annotations

import pytest

from state.errors import NotFound, SlotTaken
from state.reads import Reader
from state.records import SKIP_REASONS, JobRecord, Reason, Run, RunState
from state.store import RunEnd, Skip, Store
from tests.storing.making import NOON, SECOND, a_job, a_run


def skip(job: JobRecord, first: int, count: int = 1, reason: Reason = Reason.OVERLAP) -> Skip:
    assert job.id is not None
    last = NOON + (first + count - 1) * SECOND
    return Skip(
        job_id=job.id, first=NOON + first * SECOND, last=last, count=count, reason=reason, at=last, generation=1
    )


def rows(reader: Reader) -> list[tuple[Reason | None, int, int, int | None]]:
    def seconds(at: int | None) -> int:
        assert at is not None
        return (at - NOON) // SECOND

    return [
        (run.reason, seconds(run.skipped_first), seconds(run.scheduled_for), run.skipped_count)
        for run in reader.runs(states=[RunState.SKIPPED], order="asc")
    ]


def test_skips_in_a_row_with_one_reason_are_one_row(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job())
    store.skip([skip(job, 1), skip(job, 2)])
    store.skip([skip(job, 3, count=4)])
    assert rows(reader) == [(Reason.OVERLAP, 1, 6, 6)]
    stored = store.job(job.id or 0)
    assert stored is not None
    assert stored.counts[RunState.SKIPPED] == 6
    assert [event.reason for event in reader.events()] == ["overlap"]
    assert stored.skips == dict.fromkeys(SKIP_REASONS, 0) | {Reason.OVERLAP: 6}


def test_another_reason_begins_another_row(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job())
    store.skip([skip(job, 1), skip(job, 2, reason=Reason.MISSED), skip(job, 3)])
    assert [row[0] for row in rows(reader)] == [Reason.OVERLAP, Reason.MISSED, Reason.OVERLAP]


def test_a_run_in_between_begins_another_row(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job())
    store.skip([skip(job, 1)])
    store.insert_runs([a_run(job, NOON + 2 * SECOND)])
    store.skip([skip(job, 3)])
    assert [row[1:3] for row in rows(reader)] == [(1, 1), (3, 3)]


def test_another_jobs_rows_are_not_between(store: Store, reader: Reader) -> None:
    job, other = store.put_job(a_job()), store.put_job(a_job("other"))
    store.skip([skip(job, 1)])
    store.skip([skip(other, 2)])
    store.skip([skip(job, 2)])
    assert sorted(row[3] or 0 for row in rows(reader)) == [1, 2]


def test_a_skip_does_not_hide_the_last_run(store: Store) -> None:
    job = store.put_job(a_job())
    run: Run = a_run(job, NOON)
    store.insert_runs([run])
    store.skip([skip(job, 1)])
    store.finished([RunEnd(run_id=run.id, at=NOON, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED)])
    stored = store.job(job.id or 0)
    assert stored is not None
    assert (stored.last_run_id, stored.last_run_state) == (run.id, RunState.SUCCEEDED)


@pytest.mark.parametrize("row", ["new", "longer"])
def test_a_slot_with_a_run_cannot_be_skipped(store: Store, reader: Reader, row: str) -> None:
    job = store.put_job(a_job())
    store.insert_runs([a_run(job, NOON + 5 * SECOND)])
    if row == "longer":
        store.skip([skip(job, 1)])
    before = rows(reader)
    with pytest.raises(SlotTaken):
        store.skip([skip(job, 4), skip(job, 5)] if row == "longer" else [skip(job, 5)])
    assert rows(reader) == before


def test_a_skip_of_no_job_says_so(store: Store) -> None:
    with pytest.raises(NotFound):
        store.skip([Skip(job_id=9, first=1, last=1, count=1, reason=Reason.MISSED, at=1, generation=1)])
