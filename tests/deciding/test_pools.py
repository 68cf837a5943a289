"""Whose turn it is in a pool: tables, and fairness as a property over random crowds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.pools import AGEING, Pools, Queued
from tests.deciding.driving import THE_HOUR

MINUTE = AGEING


def pools(slots: int) -> Pools:
    found = Pools()
    found.resize("db", slots)
    return found


def queued(name: str, job: int, *, priority: int = 0, minute: float = 0) -> Queued:
    return Queued(name, job, priority, THE_HOUR + round(minute * MINUTE))


def chosen(found: Pools) -> frozenset[str]:
    return found.state("db").chosen


@pytest.mark.parametrize(
    ("waiting", "minute", "expected"),
    [
        pytest.param([queued("old", 1), queued("new", 2, minute=0.1)], 0.5, "old", id="who-waits-longest"),
        pytest.param(
            [queued("old", 1), queued("urgent", 2, priority=1, minute=0.1)], 0.5, "urgent", id="higher-priority-first"
        ),
        pytest.param(
            [queued("old", 1), queued("urgent", 2, priority=1, minute=2)],
            2,
            "old",
            id="two-minutes-are-two-steps",
        ),
        pytest.param(
            [queued("idle", 1, priority=-100), queued("urgent", 2, priority=100, minute=201)],
            201,
            "idle",
            id="the-last-becomes-the-first-in-the-end",
        ),
    ],
)
def test_the_next_is(waiting: list[Queued], minute: float, expected: str) -> None:
    found = pools(1)
    for run in waiting:
        found.queue(run, "db")
    found.call("db", THE_HOUR + round(minute * MINUTE))
    assert chosen(found) == {expected}


def test_a_pool_that_nobody_defined_lets_nobody_in() -> None:
    found = Pools()
    found.queue(queued("a", 1), "db")
    assert found.call("db", THE_HOUR) == []
    found.resize("db", 1)
    assert found.call("db", THE_HOUR) == [1]


def test_the_job_served_longest_ago_comes_first() -> None:
    found = pools(1)
    found.took("a1", "db", 1, THE_HOUR)
    found.queue(queued("a2", 1, minute=0.1), "db")
    found.queue(queued("b1", 2, minute=0.2), "db")
    found.leave("a1")
    found.call("db", THE_HOUR + MINUTE // 2)
    assert chosen(found) == {"b1"}


def test_what_was_chosen_and_did_not_start_is_chosen_anew() -> None:
    found = pools(2)
    for name, job in (("a", 1), ("b", 2), ("c", 3)):
        found.queue(queued(name, job), "db")
    assert len(found.call("db", THE_HOUR)) == 2
    found.resize("db", 1)
    assert len(found.call("db", THE_HOUR)) == 1
    assert len(chosen(found)) == 1


def test_a_clock_set_back_by_a_day_starves_nobody() -> None:
    found = pools(1)
    found.took("a1", "db", 1, THE_HOUR)
    found.leave("a1")
    found.queue(queued("a2", 1, minute=-1440), "db")
    found.queue(queued("b1", 2, minute=-1439), "db")
    assert found.call("db", THE_HOUR - 1438 * MINUTE) == [2]
    found.leave("b1")
    assert found.call("db", THE_HOUR - 1438 * MINUTE) == [1]


steps = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 8), st.floats(0, 3), st.integers(0, 2)), min_size=1, max_size=25
)


@given(slots=st.integers(1, 4), steps=steps)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_nobody_waits_longer_than_one_turn_of_each_other_job(
    slots: int, steps: list[tuple[int, int, float, int]]
) -> None:
    """Job 1 is greedy: it puts in 5 runs where others put in one. Whoever is first in line of its job is passed by
    every other job once at most, and the slots are all in use while somebody waits.

    Args:
        steps: (job, runs it puts in, minutes until then, runs that end).
    """
    found = pools(slots)
    now, number = THE_HOUR, 0
    jobs: dict[str, int] = {}
    waiting: dict[str, int] = {}
    running: list[str] = []
    passed: dict[int, set[int]] = {}

    def serve() -> None:
        called = found.call("db", now)
        assert len(called) == min(slots - len(running), len(waiting))
        turns = sorted(chosen(found))
        for job in called:
            run_id = next(each for each in turns if jobs[each] == job and each in waiting)
            for other in set(waiting.values()) - {job}:
                assert job not in passed.setdefault(other, set()), f"job {job} passed job {other} twice"
                passed[other].add(job)
            passed[job] = set()
            del waiting[run_id]
            running.append(run_id)
            found.took(run_id, "db", job, now)

    for job, runs, minutes, ended in steps:
        now += round(minutes * MINUTE)
        for _ in range(runs * (5 if job == 1 else 1)):
            number += 1
            run_id = f"r{number:05}"
            if job not in waiting.values():
                passed[job] = set()
            jobs[run_id] = waiting[run_id] = job
            found.queue(Queued(run_id, job, 0, now), "db")
        for _ in range(min(ended, len(running))):
            found.leave(running.pop(0))
        while waiting and len(running) < slots:
            serve()
        assert found.state("db").free == slots - len(running) >= 0
    assert found.state("db").waiting == len(waiting)
