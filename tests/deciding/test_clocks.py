"""Clocks that are set and machines that sleep: no slot is repeated, none is waited for in a time that never was."""

from __future__ import annotations

from state.inbox import RequestKind
from state.records import RunState, Trigger
from tests.deciding.driving import EVERY_10S, SECOND, Rig


def test_a_clock_set_back_an_hour_repeats_no_slot(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    for _ in range(5):
        rig.wait(10)
    slots = {run.scheduled_for for run in rig.runs("a")}
    rig.clock.at -= 3600 * SECOND
    rig.wait(60)
    assert {run.scheduled_for for run in rig.runs("a")} == slots


def test_a_clock_that_was_days_ahead_and_is_set_right_starts_the_job_again_and_repeats_no_slot(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    rig.wait(10)
    rig.clock.at += 25 * 3600 * SECOND
    rig.settle()
    ahead = {run.scheduled_for for run in rig.runs("a") if run.state is RunState.SUCCEEDED}
    assert len(ahead) == 2, "the jump ahead is one catch-up"
    rig.clock.at -= 80 * 3600 * SECOND
    rig.settle()
    before = len(rig.runs("a"))
    rig.wait(10)
    rig.wait(10)
    assert len(rig.runs("a")) == before + 2, "the job does not rest until the wrong time comes"
    slots = [run.scheduled_for for run in rig.runs("a")]
    assert len(slots) == len(set(slots))


def test_a_machine_that_slept_catches_up_at_once(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a").replace("10s", "1h"))
    rig.look()
    rig.clock.at += 5 * 3600 * SECOND  # the monotonic clock stood still
    rig.settle()
    run, missed = sorted(rig.runs("a"), key=lambda run: run.state is RunState.SKIPPED)
    assert (run.trigger, run.state) == (Trigger.SCHEDULE, RunState.SUCCEEDED)
    assert missed.skipped_count == 4


def test_who_waits_for_a_look_is_answered_also_when_the_clock_is_set_back(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    request = rig.ask(RequestKind.RECONCILE)
    rig.settle()
    assert rig.store.request(request) is None, "it waits for a look"
    rig.clock.at -= 3600 * SECOND
    rig.settle()
    rig.look()
    answer = rig.store.request(request)
    assert answer is not None
    assert answer.outcome == "done"
