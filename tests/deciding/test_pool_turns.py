"""Whose turn it is in a pool: against a rule that looks at all of them for each slot, and at what that costs."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.pools import AGEING, Pools, Queued

NOW = 1_000 * AGEING
PRIORITIES = (0, 3, 0, -2, 1)
"""By job."""

ages = st.integers(min_value=0, max_value=6 * AGEING)
waiting_runs = st.lists(st.tuples(st.integers(0, len(PRIORITIES) - 1), ages), max_size=14)


def by_looking_at_all(waiting: list[Queued], served: dict[int, tuple[int, int]], free: int, turn: int) -> list[int]:
    """The rule as docs/policies.md tells it, one slot after the other."""
    left, served, jobs = list(waiting), dict(served), []
    for _ in range(min(free, len(left))):

        def rank(run: Queued) -> tuple[int, int, int, str]:
            last_turn, at = served.get(run.job_id, (0, 0))
            return -(run.priority + (NOW - max(run.since, at)) // AGEING), last_turn, run.since, run.run_id

        chosen = min(left, key=rank)
        left.remove(chosen)
        turn += 1
        served[chosen.job_id] = (turn, NOW)
        jobs.append(chosen.job_id)
    return jobs


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    runs=waiting_runs,
    before=st.lists(st.tuples(st.integers(0, len(PRIORITIES) - 1), ages), max_size=6),
    slots=st.integers(0, 12),
)
def test_turns_are_those_of_looking_at_all_that_wait_for_each_slot(
    runs: list[tuple[int, int]], before: list[tuple[int, int]], slots: int
) -> None:
    pools = Pools()
    pools.resize("p", slots)
    served: dict[int, tuple[int, int]] = {}
    for turn, (job, ago) in enumerate(sorted(before, key=lambda each: -each[1]), 1):
        pools.took("earlier", "p", job, NOW - ago)
        served[job] = (turn, NOW - ago)
    pools.leave("earlier")
    queued = [Queued(f"r{place}", job, PRIORITIES[job], NOW - age) for place, (job, age) in enumerate(runs)]
    for run in queued:
        pools.queue(run, "p")
    assert pools.call("p", NOW) == by_looking_at_all(queued, served, slots, len(before))


def test_choosing_hundreds_among_thousands_costs_milliseconds() -> None:
    """20,000 wait for 500 slots: looking at all of them for each slot takes ten seconds, and the loop stands still."""
    pools = Pools()
    pools.resize("p", 500)
    for number in range(20_000):
        pools.queue(Queued(f"r{number:05}", number % 7_000, number % 11, NOW - number), "p")
    began = time.perf_counter()
    assert len(pools.call("p", NOW)) == 500
    assert time.perf_counter() - began < 1.0
