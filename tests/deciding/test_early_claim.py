"""A slot is decided on and stored a moment before its instant, so that only the start is left to do at it."""

from __future__ import annotations

import pytest

from reconciler.launching import LEAD
from state.inbox import RequestKind
from state.records import Reason, RunState, Trigger
from tests.deciding.driving import EVERY_10S, SECOND, Rig

TEN = 10 * SECOND


@pytest.fixture
def launched_at(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When the runner was handed something."""
    found: list[int] = []
    launch = rig.runner.launch

    def noted(runs):
        found.extend(rig.clock.now() for _ in runs)
        launch(runs)

    monkeypatch.setattr(rig.runner, "launch", noted)
    return found


def go_to(rig: Rig, at: int) -> None:
    rig.clock.sleep((at - rig.clock.now()) / SECOND)


def slot_of(rig: Rig) -> int:
    """The next one; the clock is set to the earliest moment at which it is decided on."""
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    slot = rig.world.timers.next_at()
    assert slot is not None
    go_to(rig, slot - LEAD)
    return slot


def test_it_is_stored_before_and_started_at_its_instant(rig: Rig, launched_at: list[int]) -> None:
    slot = slot_of(rig)
    stored_at: list[int] = []
    commit = rig.store.insert_runs
    rig.store.insert_runs = lambda runs: (stored_at.append(rig.clock.now()), commit(runs))  # type: ignore[method-assign]
    rig.settle()
    assert (stored_at, launched_at) == ([slot - LEAD], [slot])
    (run,) = rig.runs("a")
    assert (run.scheduled_for, run.created_at, run.trigger) == (slot, slot, Trigger.SCHEDULE)
    assert rig.world.timers.next_at() == slot + TEN


def test_a_disk_that_is_slow_to_store_it_shows_as_lag(rig: Rig, launched_at: list[int]) -> None:
    slot = slot_of(rig)
    insert = rig.store.insert_runs
    rig.store.insert_runs = lambda runs: (rig.clock.sleep(0.054), insert(runs))  # type: ignore[method-assign]
    rig.settle()
    assert launched_at == [slot + 50_000]
    assert rig.world.lag.sum == pytest.approx(0.05)


def test_nothing_is_decided_on_earlier(rig: Rig, launched_at: list[int]) -> None:
    slot = slot_of(rig)
    go_to(rig, slot - LEAD - 1)
    rig.settle()
    assert (rig.runs("a"), launched_at, rig.clock.now()) == ([], [], slot - LEAD - 1)


def test_what_is_due_already_does_not_wait_for_what_is_due_in_a_moment(rig: Rig, launched_at: list[int]) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    rig.file("b.yaml", EVERY_10S.format(name="b"))
    rig.look()
    first, second = (rig.job(name).next_at or 0 for name in "ab")
    assert first < second
    go_to(rig, second - 1000)
    rig.settle()
    assert launched_at == [second - 1000, second]
    assert [run.created_at for name in "ab" for run in rig.runs(name)] == launched_at


def test_a_clock_set_back_meanwhile_is_not_slept_away(rig: Rig, launched_at: list[int]) -> None:
    slot = slot_of(rig)
    insert = rig.store.insert_runs

    def set_back(runs):
        insert(runs)
        rig.clock.at -= 3600 * SECOND

    rig.store.insert_runs = set_back  # type: ignore[method-assign]
    rig.settle()
    assert launched_at == [slot - LEAD - 3600 * SECOND]


def test_a_daemon_that_dies_in_between_leaves_a_run_that_the_next_one_starts(rig: Rig) -> None:
    slot = slot_of(rig)
    rig.runner.launch = lambda launches: None  # type: ignore[method-assign]  # dies while it waits for the instant
    rig.loop.run_pass()
    (claimed,) = rig.runs("a")
    assert claimed.state is RunState.PENDING
    rig.crash()
    go_to(rig, slot)
    rig.look()
    (run,) = rig.runs("a")
    assert (run.id, run.scheduled_for) == (claimed.id, slot)
    assert [launch.run_id for launch in rig.runner.launched] == [claimed.id]


def test_a_suspend_that_was_answered_before_holds(rig: Rig, launched_at: list[int]) -> None:
    """Nobody is answered while an instant is waited for, so no answer is contradicted by a start."""
    slot = slot_of(rig)
    go_to(rig, slot - LEAD - 1)
    rig.ask(RequestKind.SUSPEND, "default/a")
    rig.settle()
    go_to(rig, slot - LEAD)
    rig.settle()
    assert launched_at == []
    go_to(rig, slot)
    rig.settle()
    assert [run.reason for run in rig.runs("a")] in ([], [Reason.SUSPENDED])
