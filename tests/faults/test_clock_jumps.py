"""The clock of a running daemon is set, both ways: real processes, real store, a wall clock of the test's own."""

from __future__ import annotations

import time
from collections import Counter

from state.records import Reason, RunState, Trigger
from tests.crashing import ledger
from tests.faults.doors import metric
from tests.faults.ticking import ended, settle, ticking, ticks_again
from tests.faults.wallclock import WallClock
from tests.household import Household, eventually

HOUR, SECOND = 3600, 1_000_000
HOURLY = "name: hourly\nschedule: hourly\nrun: {command: ['true']}\n"


def test_a_clock_set_forward_starts_one_catch_up_and_records_the_rest(timed: Household, clock: WallClock) -> None:
    timed.commit({"hourly.yaml": HOURLY})
    witness = ticking(timed, "--listen", "127.0.0.1:0")
    eventually(lambda: timed.job("default/hourly"), "the job is known")
    clock.jump(5 * HOUR, timed)
    ticks_again(timed, witness)
    eventually(lambda: ended(timed, "default/hourly"), "its run ended")
    rows = timed.runs("default/hourly")
    assert sorted(run.state for run in rows) == [RunState.SKIPPED, RunState.SUCCEEDED]
    ran, missed = sorted(rows, key=lambda run: run.state is RunState.SKIPPED)
    assert (missed.reason, missed.skipped_count) == (Reason.MISSED, 4)
    assert ran.trigger in (Trigger.CATCH_UP, Trigger.SCHEDULE)
    gap = [run for run in timed.runs("default/ticker") if (run.skipped_count or 0) > 4 * HOUR]
    assert [run.reason for run in gap] == [Reason.MISSED]
    assert "the clock jumped by 18000" in timed.log()
    eventually(lambda: metric(timed, "jobsctl_clock_jumps_total") == 1, "the jump is counted")
    settle(timed, witness)


def test_a_clock_set_back_an_hour_repeats_nothing_and_goes_on_when_the_time_comes_again(
    timed: Household, clock: WallClock
) -> None:
    witness = ticking(timed)
    clock.jump(-HOUR, timed)
    eventually(lambda: "the clock jumped by -3600" in timed.log(), "the jump is noticed")
    eventually(lambda: ended(timed, "default/ticker"), "what ran has ended")
    before = len(ledger.witnessed(witness))
    time.sleep(1.5)
    assert len(ledger.witnessed(witness)) == before, "a slot that had run was run again"
    clock.jump(HOUR, timed)
    ticks_again(timed, witness)
    settle(timed, witness)


def test_a_clock_set_back_by_days_goes_on_at_once_and_runs_no_slot_twice(timed: Household, clock: WallClock) -> None:
    """It had been days ahead, and is now some seconds behind what it was: slots that have run come again."""
    witness = ticking(timed)
    eventually(lambda: len(ledger.witnessed(witness)) >= 3, "some slots ran")
    clock.jump(50 * HOUR, timed)
    ticks_again(timed, witness)
    reached = clock.now() - 50 * HOUR * SECOND
    clock.jump(-50 * HOUR - 2, timed)
    eventually(lambda: clock.now() > reached + SECOND, "the time comes again")
    ticks_again(timed, witness)
    timed.jobsctl("suspend", "ticker")
    eventually(lambda: ended(timed, "default/ticker"), "the last run ended")
    slots = Counter(slot for slot, _ in ledger.witnessed(witness))
    assert max(slots.values()) == 1
    ids = {run.id for run in timed.runs("default/ticker")}
    assert {run_id for _, run_id in ledger.witnessed(witness)} <= ids
    assert timed.stop() == 0


def test_a_clock_that_is_wrong_at_the_start_and_set_right_later_doubles_nothing(
    timed: Household, clock: WallClock
) -> None:
    """A machine without a battery for its clock: it starts in the past, then time comes from the network."""
    witness = ticking(timed)
    assert timed.stop() == 0
    clock.jump(-1000 * HOUR)
    timed.start()
    ticks_again(timed, witness)
    clock.jump(1000 * HOUR, timed)
    ticks_again(timed, witness)
    timed.jobsctl("suspend", "ticker")
    eventually(lambda: ended(timed, "default/ticker"), "the last run ended")
    slots = Counter(slot for slot, _ in ledger.witnessed(witness))
    assert max(slots.values()) == 1
    assert timed.stop() == 0
