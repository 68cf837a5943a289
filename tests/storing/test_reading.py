"""Readers: every filter against a plain loop over everything, every page a walk down one index."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.errors import Ambiguous, InvalidQuery, NotFound
from state.ids import time_of
from state.reads import Reader
from state.records import ACTIVE_STATES, Event, JobRecord, Reason, Run, RunState
from state.store import RunEnd, RunStarted, Skip, Store
from tests.storing.making import NOON, SECOND, a_job, a_run, check_sums

MINUTE = 60 * SECOND
LABELS: tuple[dict[str, str], ...] = ({}, {"team": "ops"}, {"team": "ops", "tier": "1"}, {"tier": "2"})
ENDS = {RunState.SUCCEEDED: Reason.SUCCEEDED, RunState.FAILED: Reason.EXIT_CODE, RunState.CANCELLED: Reason.CANCELLED}


class House:
    """Eight jobs in two projects with 120 runs, one every minute, and the same as plain lists."""

    def __init__(self, path: Path) -> None:
        chance = random.Random(7)
        self.store = Store.open(path, now=NOON)
        with self.store.transaction():
            self._fill(chance)
        ids = [row[0] for row in self.store._connection.execute("SELECT id FROM run").fetchall()]
        self.runs = sorted((run for run in map(self.store.run, ids) if run), key=lambda run: run.id)
        self.reader = Reader(path)

    def _fill(self, chance: random.Random) -> None:
        self.jobs = [
            self.store.put_job(a_job(f"job-{n % 4}", project="ab"[n // 4], labels=LABELS[n % 4])) for n in range(8)
        ]
        self.labels = {job.id: LABELS[n % 4] for n, job in enumerate(self.jobs)}
        for n in range(120):
            job, at = chance.choice(self.jobs), NOON + n * MINUTE
            if n % 10 == 9:
                assert job.id is not None
                skip = Skip(job_id=job.id, first=at, last=at, count=1, reason=Reason.MISSED, at=at, generation=n)
                self.store.skip([skip])
                continue
            run = a_run(job, at, at=at)
            self.store.insert_runs([run])
            if n % 7:
                self.store.started([RunStarted(run_id=run.id, at=at)])
                if n % 6:
                    state = chance.choice(list(ENDS))
                    self.store.finished([RunEnd(run_id=run.id, at=at, state=state, reason=ENDS[state])])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house") / "jobsctl.db")
    yield house
    check_sums(house.store)
    house.reader.close()
    house.store.close()


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "job": st.integers(0, 7),
        "project": st.sampled_from(["a", "b", "c"]),
        "labels": st.lists(st.sampled_from(["team=ops", "tier", "tier!=1", "!team", "team=ops,tier=1"]), max_size=2),
        "states": st.lists(st.sampled_from(list(RunState)), max_size=3),
        "active": st.booleans(),
        "since": st.integers(-5, 125),
        "until": st.integers(-5, 125),
        "before": st.integers(0, 100),
        "after": st.integers(0, 100),
        "limit": st.integers(1, 20),
        "order": st.sampled_from(["asc", "desc"]),
    },
)


def selected(selector: str, labels: dict[str, str]) -> bool:
    def holds(term: str) -> bool:
        if term.startswith("!"):
            return term[1:] not in labels
        key, equals, value = term.partition("=")
        if key.endswith("!"):
            return labels.get(key[:-1]) != value
        return labels.get(key) == value if equals else key in labels

    return all(map(holds, selector.split(",")))


@given(FILTERS)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_every_combination_of_filters_is_a_plain_loop(house: House, chosen: dict[str, Any]) -> None:
    asked = dict(chosen)
    ids = [run.id for run in house.runs]
    expected = house.runs
    if "job" in asked:
        job = house.jobs[asked.pop("job")]
        asked["job_id"] = job.id
        expected = [run for run in expected if run.job_id == job.id]
    if "project" in asked and "job_id" not in asked:
        expected = [run for run in expected if run.project == asked["project"]]
    if "labels" in asked and "job_id" not in asked:
        expected = [r for r in expected if all(selected(term, house.labels[r.job_id]) for term in asked["labels"])]
    if "states" in asked:
        expected = [run for run in expected if run.state in asked["states"]]
    if "active" in asked:
        expected = [run for run in expected if (run.state in ACTIVE_STATES) is asked["active"]]
    if "since" in asked:
        asked["since"] = NOON + asked["since"] * MINUTE
        expected = [run for run in expected if time_of(run.id) >= asked["since"]]
    if "until" in asked:
        asked["until"] = NOON + asked["until"] * MINUTE
        expected = [run for run in expected if time_of(run.id) < asked["until"]]
    for name in ("before", "after"):
        if name in asked:
            bound = asked[name] = ids[asked[name]]
            expected = [run for run in expected if (run.id < bound if name == "before" else run.id > bound)]
    if asked.get("order", "desc") == "desc":
        expected = expected[::-1]
    assert house.reader.runs(**asked) == expected[: asked.get("limit", 50)]


def test_pages_meet_without_overlap(house: House) -> None:
    seen: list[Run] = []
    while page := house.reader.runs(project="a", before=seen[-1].id if seen else None, limit=7):
        seen += page
    assert seen == [run for run in reversed(house.runs) if run.project == "a"]


def test_jobs_come_in_pages_by_identity(house: House) -> None:
    seen: list[JobRecord] = []
    while page := house.reader.jobs(after=seen[-1].identity if seen else None, limit=3):
        seen += page
    assert [job.identity for job in seen] == [job.identity for job in house.jobs]
    assert [job.identity for job in house.reader.jobs(project="b", labels=["team=ops"])] == ["b/job-1", "b/job-2"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("team=ops", {1, 2}),
        ("team==ops", {1, 2}),
        (" team = ops , tier ", {2}),
        ("team!=ops", {0, 3}),
        ("tier!=1", {0, 1, 3}),
        ("tier", {2, 3}),
        ("!tier", {0, 1}),
        ("team=", set()),
    ],
)
def test_label_selectors(house: House, selector: str, names: set[int]) -> None:
    assert {int(job.name[-1]) for job in house.reader.jobs(project="a", labels=[selector])} == names


@pytest.mark.parametrize("selector", ["", "=x", "a b", "a=b=c", "!a=b", "a,,b", "-a", "a'; DROP TABLE job; --"])
def test_what_is_no_selector_is_refused(house: House, selector: str) -> None:
    with pytest.raises(InvalidQuery, match="not understood"):
        house.reader.jobs(labels=[selector])


def test_a_job_is_found_by_name_where_that_is_enough(house: House) -> None:
    reader = house.reader
    assert reader.job("b/job-1").identity == reader.job("job-1", project="b").identity == "b/job-1"
    with pytest.raises(Ambiguous) as several:
        reader.job("job-1")
    assert several.value.candidates == ("a/job-1", "b/job-1")
    for wrong in ("nope", "b/nope", "/", "a/job-1/x"):
        with pytest.raises(NotFound):
            reader.job(wrong)


def test_a_live_job_is_meant_before_an_archived_one(store: Store, reader: Reader) -> None:
    store.put_job(a_job(project="a", archived_at=NOON))
    assert reader.job("report").project == "a"
    store.put_job(a_job(project="b"))
    assert reader.job("report").project == "b"
    assert [job.project for job in reader.jobs()] == ["b"]
    assert [job.project for job in reader.jobs(archived=True)] == ["a"]


def test_a_run_is_found_by_the_beginning_of_its_id(house: House) -> None:
    run = house.runs[40]
    assert house.reader.run(run.id) == house.reader.run(run.id[:20].upper()) == run
    with pytest.raises(Ambiguous) as several:
        house.reader.run(run.id[:4])
    assert several.value.candidates == tuple(run.id for run in house.runs[:10])
    for wrong in ("0" * 26, "zzz", "%", "", "01;", "é"):
        with pytest.raises(NotFound):
            house.reader.run(wrong)


def test_events_are_asked_for_from_where_one_stopped(house: House) -> None:
    everything = house.reader.events(limit=10_000)
    assert [event.id for event in everything] == sorted(event.id or 0 for event in everything)
    seen: list[Event] = []
    while page := house.reader.events(after=(seen[-1].id or 0) if seen else 0, limit=30):
        seen += page
    assert seen == everything
    job = house.jobs[2]
    mine = [event for event in everything if event.job_id == job.id]
    assert house.reader.events(job_id=job.id, limit=3, order="desc") == mine[::-1][:3]
    assert house.reader.events(job_id=job.id, before=mine[5].id) == mine[:5]


def test_totals_are_what_a_count_says(house: House) -> None:
    totals = house.reader.totals()
    states = [run.state for run in house.runs]
    assert totals.runs == {state: states.count(state) for state in RunState}
    assert totals.active_runs == sum(state in ACTIVE_STATES for state in states)
    assert (totals.jobs, totals.archived) == (8, 0)
    assert totals.seq == house.reader.seq()


@pytest.mark.parametrize("limit", [0, -1, 10_002])
def test_a_limit_out_of_bounds_is_refused(house: House, limit: int) -> None:
    for ask in (house.reader.runs, house.reader.events, house.reader.jobs, house.reader.requests):
        with pytest.raises(InvalidQuery):
            ask(limit=limit)


def test_many_threads_share_a_reader(house: House) -> None:
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(len(house.reader.runs(limit=100)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [100] * 8


def test_a_reader_sees_each_commit_and_nothing_before(store: Store, reader: Reader) -> None:
    with store.transaction():
        store.put_job(a_job())
        assert reader.jobs() == []
    assert len(reader.jobs()) == 1


PAGES: list[Any] = [
    pytest.param({}, id="all"),
    pytest.param({"job_id": 3}, id="of a job"),
    pytest.param({"job_id": 3, "states": [RunState.FAILED]}, id="of a job by state"),
    pytest.param({"states": [RunState.FAILED, RunState.EXPIRED]}, id="by state"),
    pytest.param({"active": True}, id="active"),
    pytest.param({"project": "a"}, id="of a project"),
    pytest.param({"labels": ["team=ops"], "active": False}, id="by label"),
    pytest.param({"since": NOON, "until": NOON + MINUTE}, id="by time"),
]


@pytest.mark.parametrize("chosen", PAGES)
def test_no_page_of_runs_reads_or_sorts_the_whole_table(house: House, chosen: dict[str, Any]) -> None:
    plans: list[str] = []
    connection = house.reader._connection
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    try:
        house.reader.runs(**chosen, before=house.runs[60].id)
    finally:
        connection.set_trace_callback(None)
    for statement in statements:
        plans += [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
    of_runs = [plan for plan in plans if " run " in f"{plan} "]
    assert of_runs
    assert not [plan for plan in of_runs if plan.startswith("SCAN run") and "USING" not in plan]
    walked = [plan for plan in plans if "TEMP B-TREE" in plan]
    assert not [plan for plan in walked if len(statements) == 1], plans


ODD = 'it\'s "odd" \\ ünï\u2028 \t\x00\x7f 😀'


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="nothing rare"),
        pytest.param({"requested_by": ODD, "request_id": "r1"}, id="somebody asked"),
        pytest.param({"params": {"a": ODD, "n": "1"}, "upstream": {"default/a": "0" * 26}}, id="with documents"),
        pytest.param({"skipped_first": -(2**62), "skipped_count": 2**62, "filed_under": "a/b"}, id="big numbers"),
        pytest.param({"not_before": 0, "cancel_requested_at": 0, "cancel_requested_by": ""}, id="falsy values"),
        pytest.param({"progress": {"a": [1, None, 0.1]}, "result": {"b": ODD}, "error": ODD}, id="told by the job"),
    ],
)
def test_a_run_reads_as_it_was_stored(store: Store, reader: Reader, more: dict[str, object]) -> None:
    run = a_run(store.put_job(a_job()), NOON, **more)
    store.insert_runs([run])
    assert reader.run(run.id) == store.run(run.id) == run
    assert type(reader.run(run.id)) is Run


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="nothing rare"),
        pytest.param({"suspended_by": ODD, "suspended_at": 0, "suspended_reason": "", "stalled": ODD}, id="text"),
        pytest.param({"problem": ({"code": "JOB001", "message": ODD, "column": None},)}, id="findings"),
        pytest.param({"repeat_done": 3, "completion_digest": "c", "consumed": {"a/b": 2**62}}, id="what is counted"),
        pytest.param({"archived_at": 1, "missing_since": 2, "completed_at": 3, "boot_id": "b"}, id="instants"),
    ],
)
def test_a_job_reads_as_it_was_put(store: Store, reader: Reader, more: dict[str, object]) -> None:
    job = store.put_job(a_job(**more))
    assert {name: getattr(job, name) for name in more} == more
    assert reader.jobs(archived=None) == [job] == [store.job(job.id or 0)]
