"""The timers give every job its latest instant, once, in order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.timers import Timers

steps = st.lists(st.tuples(st.integers(0, 8), st.none() | st.integers(0, 100)), max_size=200)


@given(steps=steps, now=st.integers(0, 100))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_due_is_what_a_plain_dict_says(steps: list[tuple[int, int | None]], now: int) -> None:
    timers, model = Timers(), {}
    for key, at in steps:
        timers.set(key, at)
        model.pop(key, None)
        if at is not None:
            model[key] = at
    assert timers.next_at() == min(model.values(), default=None)
    due = timers.due(now, 1000)
    assert sorted(due) == sorted(key for key, at in model.items() if at <= now)
    assert [model[key] for key in due] == sorted(model[key] for key in due)
    assert timers.next_at() == min((at for at in model.values() if at > now), default=None)


def test_setting_one_job_a_million_times_does_not_grow_the_heap() -> None:
    timers = Timers()
    for at in range(10_000):
        timers.set(1, at)
    assert len(timers._heap) < 100
