"""A slot that has its row already takes no other slot of the same plan with it."""

from __future__ import annotations

from reconciler.plan import Plan, SkipSlots, StartRun
from reconciler.taken import without_taken
from specs.model import Dst
from specs.policy import PLAIN
from specs.schedule import parse_schedule
from specs.timing import Timing
from state.records import Reason, RunState, Trigger
from tests.deciding.driving import SECOND, Rig

HOUR = 3600 * SECOND
EIGHT = 1_800_000_000 * SECOND
HOURLY = Timing(parse_schedule("0 * * * *", timezone="UTC", dst=Dst(), identity="default/a"), 0, PLAIN, "default/a")


def test_a_start_and_the_ends_of_a_gap_that_are_taken_are_left_out_and_the_rest_stays() -> None:
    gap = SkipSlots(EIGHT, EIGHT + 3 * HOUR, 4, Reason.MISSED)
    start, other = (StartRun(EIGHT + hours * HOUR, Trigger.SCHEDULE) for hours in (4, 5))
    plan = Plan(Reason.DUE, (gap, start, other), cursor_at=EIGHT + 5 * HOUR, repeat_done=7)
    taken = {EIGHT + 2 * HOUR, EIGHT + 3 * HOUR, EIGHT + 4 * HOUR}
    rest = without_taken(plan, HOURLY, taken.__contains__)
    assert rest.actions == (SkipSlots(EIGHT, EIGHT + HOUR, 2, Reason.MISSED), other)
    assert (rest.cursor_at, rest.repeat_done) == (EIGHT + 5 * HOUR, 6)


def test_slots_passed_again_after_a_corrected_clock_run_no_second_time_and_the_new_one_does_run(rig: Rig) -> None:
    rig.file("a.yaml", "name: a\nschedule: 0 * * * *\nmissed: all\nrun: {command: [x]}\n")
    rig.look()
    for _ in range(4):
        rig.wait(3600)
    before = [run.scheduled_for for run in rig.runs("a")]
    assert before == [EIGHT + hours * HOUR for hours in (1, 2, 3, 4)]
    rig.clock.at -= 4 * HOUR  # more than a summer time: a correction
    rig.settle()
    rig.clock.sleep(5 * 3600)
    rig.settle()
    runs = rig.runs("a")
    assert sorted(run.scheduled_for for run in runs if run.scheduled_for is not None) == [*before, EIGHT + 5 * HOUR]
    assert {run.state for run in runs} == {RunState.SUCCEEDED}
