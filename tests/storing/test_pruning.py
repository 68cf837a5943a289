"""Retention: what may go goes, what must stay stays, counts never go down."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state import retention
from state.reads import Reader
from state.records import ACTIVE_STATES, Event, Reason, RequestRecord, Run, RunState
from state.store import RunEnd, Skip, Store
from tests.storing.making import DAY, NOON, SECOND, a_job, a_run, check_sums

MAX_AGE = 30 * DAY
ENDS = {
    "s": (RunState.SUCCEEDED, Reason.SUCCEEDED),
    "f": (RunState.FAILED, Reason.EXIT_CODE),
    "c": (RunState.CANCELLED, Reason.CANCELLED),
}
HISTORY = st.lists(st.tuples(st.sampled_from("sfcak"), st.integers(0, 60)), max_size=12)
"""Runs of a job: how each ended (a: is active, k: is a skip), and how many days before the last one it was made."""


LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_runs": st.none() | st.integers(1, 8),
        "max_age": st.none() | st.sampled_from([DAY / 1e6, 5 * DAY / 1e6, 300 * DAY / 1e6]),
        "keep_last_success": st.booleans(),
    },
)
"""The `retention` of a spec."""


def live(
    store: Store,
    name: str,
    history: list[tuple[str, int]],
    archived_days: int | None = None,
    limits: dict[str, Any] | None = None,
) -> list[Run]:
    archived_at = None if archived_days is None else NOON - archived_days * DAY
    job = store.put_job(replace(a_job(name, archived_at=archived_at), spec=orjson.dumps({"retention": limits or {}})))
    assert job.id is not None
    for number, (end, days) in enumerate(sorted(history, key=lambda entry: -entry[1])):
        at = NOON - days * DAY + number
        if end == "k":
            reason = (Reason.MISSED, Reason.OVERLAP)[number % 2]
            store.skip([Skip(job_id=job.id, first=at, last=at, count=1, reason=reason, at=at, generation=1)])
            continue
        run = a_run(job, at, at=at)
        store.insert_runs([run])
        if end != "a":
            store.finished([RunEnd(run_id=run.id, at=at, state=ENDS[end][0], reason=ENDS[end][1])])
    return runs_of(store, name)


def runs_of(store: Store, name: str) -> list[Run]:
    with Reader(store.path) as reader:
        job = store.job_by_identity(f"default/{name}")
        return [] if job is None else reader.runs(job_id=job.id, order="asc", limit=100)


def must_stay(runs: list[Run], archived_days: int | None, max_age: float = MAX_AGE, success: bool = True) -> set[str]:
    """By DESIGN 4: never an active run, a job's latest, its last success where that is wanted."""
    kept = {run.id for run in runs if run.state in ACTIVE_STATES}
    if archived_days is None or archived_days * DAY <= max_age:
        kept |= {run.id for run in runs[-1:]}
        kept |= {run.id for run in [run for run in runs if run.state is not RunState.SKIPPED][-1:]}
        kept |= {run.id for run in [run for run in runs if run.state is RunState.SUCCEEDED][-1:] if success}
    return kept


def prune_all(store: Store, *, max_runs: int = 1000, limit: int = 50, now: int = NOON) -> list[tuple[str, str, str]]:
    gone = []
    while (pruned := store.prune(now, max_age_us=MAX_AGE, max_runs=max_runs, limit=limit)) is not None:
        assert len(pruned) <= limit
        gone += pruned
    return gone


@given(
    st.lists(st.tuples(HISTORY, st.sampled_from([None, 1, 40]), st.just({}) | LIMITS), min_size=1, max_size=4),
    st.integers(1, 8),
    st.integers(1, 5),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_whatever_the_history_what_must_stay_stays_and_the_rest_is_within_bounds(
    jobs: list[tuple[list[tuple[str, int]], int | None, dict[str, Any]]], max_runs: int, limit: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "jobsctl.db", now=NOON)
        store._connection.execute("PRAGMA synchronous = OFF")
        with store.transaction():
            for n, (history, archived, limits) in enumerate(jobs):
                live(store, f"job-{n}", history, archived, limits)
        lives = [runs_of(store, f"job-{n}") for n in range(len(jobs))]
        with Reader(store.path) as reader:
            counted = reader.totals().runs, reader.counters()
            before = [run for runs in lives for run in runs]
            gone = prune_all(store, max_runs=max_runs, limit=limit)
            left = {run.id for run in reader.runs(limit=1000)}
            assert {id for _, _, id in gone} == {run.id for run in before} - left
            assert len(gone) == len({id for _, _, id in gone})
            doomed = [(one.project, one.job, one.run_id) for one in store.doomed_directories(limit=1000)]
            assert [place for place in doomed if place[2] is not None] == gone
            for number, (runs, (_, archived, limits)) in enumerate(zip(lives, jobs, strict=True)):
                age = MAX_AGE if (own := limits.get("max_age")) is None else own * SECOND
                most = max_runs if (own := limits.get("max_runs")) is None else own
                kept = must_stay(runs, archived, age, limits.get("keep_last_success", True))
                here = [run for run in runs if run.id in left]
                assert kept <= {run.id for run in here}
                free = [run for run in here if run.id not in kept]
                assert all(NOON - (run.finished_at or 0) <= age for run in free)
                assert len(free) == 0 or len(here) <= most
                # No more than needed: what went was too old, or older than all that stayed by choice.
                went = [run for run in runs if run.id not in left]
                young = [run for run in went if NOON - (run.finished_at or 0) <= age]
                assert not young or len(here) >= min(most, len(runs))
                assert all(run.id < other.id for run in young for other in free)
                stored = store.job_by_identity(f"default/job-{number}")
                assert (stored is None) == (archived is not None and archived * DAY > age and not here)
                if stored is not None:
                    assert {e.run_id for e in reader.events(job_id=stored.id, limit=1000)} == {run.id for run in here}
            if None not in [store.job_by_identity(f"default/job-{number}") for number in range(len(jobs))]:
                assert (reader.totals().runs, reader.counters()) == counted
        check_sums(store)
        store.close()


def test_pruning_goes_on_where_it_stopped_and_finds_what_became_old(store: Store, reader: Reader) -> None:
    runs = live(store, "job", [("f", 40)] * 10)
    bites = [store.prune(NOON, max_age_us=MAX_AGE, limit=4) for _ in range(3)]
    assert [run_id for bite in bites for _, _, run_id in bite or ()] == [run.id for run in runs[:-1]]
    assert prune_all(store) == []
    assert [run.id for run in reader.runs()] == [runs[-1].id]
    live(store, "other", [("f", 35), ("f", 34), ("f", 20)])
    assert len(prune_all(store, limit=4)) == 2
    assert prune_all(store, limit=4, now=NOON + 11 * DAY) == []


def test_a_long_run_is_as_old_as_its_end(store: Store) -> None:
    job = store.put_job(a_job())
    run = a_run(job, NOON - 40 * DAY, at=NOON - 40 * DAY)
    store.insert_runs([run, a_run(job, NOON)])
    store.finished([RunEnd(run_id=run.id, at=NOON - DAY, state=RunState.FAILED, reason=Reason.EXIT_CODE)])
    assert prune_all(store) == []
    assert len(prune_all(store, now=NOON + 30 * DAY)) == 1


def test_old_events_and_requests_go_by_age(store: Store, reader: Reader) -> None:
    for days in (31, 1):
        at = NOON - days * DAY
        store.add_events([Event(at=at, job_id=None, run_id=None, type="Normal", reason="started", message="Started")])
        id = f"{days:026}" if days == 31 else "1" * 26
        store.record_request(
            RequestRecord(
                id=id, kind="reconcile", identity=None, run_id=None, requested_by="me", requested_at=at,
                handled_at=at, outcome="done", message="",
            )
        )  # fmt: skip
    assert prune_all(store) == []
    assert [event.at for event in reader.events()] == [NOON - DAY]
    assert [request.handled_at for request in reader.requests()] == [NOON - DAY]


@pytest.mark.parametrize("count", [1, 3])
def test_an_archived_job_without_history_is_removed_in_time(store: Store, reader: Reader, count: int) -> None:
    live(store, "gone", [("s", 45)] * count, archived_days=40)
    live(store, "recent", [("s", 45)] * count, archived_days=20)
    seen = reader.seq()
    assert len(prune_all(store, max_runs=1000, limit=50)) == count + count - 1
    assert [job.name for job in reader.jobs(archived=None)] == ["recent"]
    assert reader.removed_since(seen) == ["default/gone"]


def test_the_last_run_stays_whatever_gaps_came_after_it(store: Store, reader: Reader) -> None:
    runs = live(store, "job", [("f", 60), ("f", 50), ("k", 45), ("k", 44)])
    assert len(prune_all(store, max_runs=1, limit=50)) == 2
    assert [run.id for run in reader.runs(order="asc")] == [runs[1].id, runs[3].id]


@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
def test_a_bite_waits_for_no_disk_and_the_next_commit_does_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    live(store, "job", [("s", 45)] * 3)
    said: list[str] = []
    store._connection.set_trace_callback(said.append)
    if fails:
        monkeypatch.setattr(retention, "delete", None)
        with pytest.raises(TypeError):
            store.prune(NOON, max_age_us=MAX_AGE)
    else:
        assert store.prune(NOON, max_age_us=MAX_AGE)
        store.directories_removed([one.id for one in store.doomed_directories()])
    store._connection.set_trace_callback(None)
    levels = [word.removeprefix("PRAGMA synchronous = ") for word in said if word.split()[0] in ("PRAGMA", "BEGIN")]
    assert levels == ["NORMAL", "BEGIN IMMEDIATE", "FULL"] * (1 if fails else 2)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
