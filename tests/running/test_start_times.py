"""The start time of a run is what /proc tells of its process: with the number, that is its identity."""

from __future__ import annotations

import os

import pytest

from runners.base import Started
from runners.supervisor import tree
from runners.supervisor.wall import since_boot_ns
from tests.running.rig import Rig

TICK = 1000 * tree.TICK_US


@pytest.fixture
def own_start() -> int:
    return tree.start_of(os.getpid())


def test_every_run_is_told_with_the_start_time_of_its_process(rig: Rig) -> None:
    runs = [f"r{number}" for number in range(60)]  # in 60 starts some are at the turn of a tick of 10 ms
    rig.runner.launch([rig.launch(run_id, "sleep", "30") for run_id in runs])
    told = [rig.wait(run_id, Started) for run_id in runs]
    assert [started.pid_start for started in told] == [tree.start_of(started.pid) for started in told]


def test_the_clock_around_a_fork_tells_its_tick_as_proc_does() -> None:
    times = tree.StartTimes()
    for _ in range(30):
        before = since_boot_ns()
        pid = os.posix_spawn("/bin/true", ["true"], {})
        after = since_boot_ns()
        assert times.of(pid, before, after) == tree.start_of(pid)
        os.waitpid(pid, 0)


def test_proc_is_asked_when_the_tick_turned_between_the_readings(own_start: int) -> None:
    times = tree.StartTimes()
    assert times.of(os.getpid(), own_start * TICK, own_start * TICK + 1) == own_start  # learns: /proc goes by it
    assert times.of(os.getpid(), (own_start - 1) * TICK, own_start * TICK) == own_start


def test_a_proc_of_another_clock_is_always_asked(own_start: int) -> None:
    times = tree.StartTimes()
    other = (own_start + 7) * TICK
    assert [times.of(os.getpid(), other, other + 1) for _ in range(2)] == [own_start, own_start]


def test_after_the_first_child_proc_is_not_read(own_start: int) -> None:
    times = tree.StartTimes()
    assert times.of(os.getpid(), own_start * TICK, own_start * TICK + 1) == own_start
    gone = 1 << 30
    assert times.of(gone, 5 * TICK, 5 * TICK + 1) == 5
