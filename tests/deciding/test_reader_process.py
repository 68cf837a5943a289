"""The processes that tell people are kept running: the end of one ends the loop's sleep. Real processes."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.reader_process import ReaderProcess
from reconciler.wake import Wakeup
from tests.deciding.driving import Rig

STAYS = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]
ENDS = ["/bin/false"]
PATIENCE = 20.0
"""Seconds: waited out only by a test that fails."""


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    wakeup = Wakeup()
    yield wakeup
    wakeup.close()


@pytest.fixture
def reader(wakeup: Wakeup) -> Iterator[Callable[[list[str]], ReaderProcess]]:
    made = []

    def make(argv: list[str]) -> ReaderProcess:
        made.append(ReaderProcess("status", argv, wakeup=wakeup))
        return made[-1]

    yield make
    for each in made:
        each.close()


def pid_of(reader: ReaderProcess) -> int:
    assert reader._child is not None
    return reader._child.pid


def test_one_that_is_killed_ends_the_wait_and_is_started_again_after_its_backoff(
    wakeup: Wakeup, reader: Callable[[list[str]], ReaderProcess]
) -> None:
    status = reader(STAYS)
    assert status.keep(100.0) == math.inf, "it runs: no hurry"
    assert not status.ended(wakeup.wait(None, 0))
    first = pid_of(status)
    os.kill(first, signal.SIGKILL)
    assert status.ended(wakeup.wait(None, PATIENCE)), "the wait ended with it"
    assert status.keep(200.0) == 201.0, "a second after an end that did not come at once"
    assert not wakeup.wait(None, 0), "it is noticed once"
    assert status.keep(200.5) == 201.0
    assert status.keep(201.0) == math.inf
    assert pid_of(status) != first


def test_one_that_ends_at_once_again_and_again_waits_longer_each_time(
    wakeup: Wakeup, reader: Callable[[list[str]], ReaderProcess]
) -> None:
    status, now, waits = reader(ENDS), 0.0, []
    for _ in range(4):
        assert status.keep(now) == math.inf
        assert status.ended(wakeup.wait(None, PATIENCE))
        again = status.keep(now)
        waits.append(again - now)
        now = again
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert status.state()["failures"] == 4


def test_one_that_cannot_be_started_is_tried_again_after_its_backoff(
    wakeup: Wakeup, reader: Callable[[list[str]], ReaderProcess]
) -> None:
    status = reader(["/nonexistent/program"])
    assert status.keep(0.0) == 1.0
    assert status.keep(1.0) == 3.0
    assert not wakeup.wait(None, 0)


def test_without_a_descriptor_left_it_is_tried_again_after_its_backoff(
    monkeypatch: pytest.MonkeyPatch, reader: Callable[[list[str]], ReaderProcess]
) -> None:
    def scarce(_flags: int) -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    status = reader(STAYS)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pipe2", scarce)
        assert status.keep(0.0) == 1.0
    assert status.keep(1.0) == math.inf


def test_one_whose_end_cannot_be_watched_is_kept_by_looking(
    monkeypatch: pytest.MonkeyPatch, wakeup: Wakeup, reader: Callable[[list[str]], ReaderProcess]
) -> None:
    def scarce(_pid: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", scarce)
    status = reader(STAYS)
    assert status.keep(0.0) == math.inf
    os.kill(pid_of(status), signal.SIGKILL)
    os.waitid(os.P_PID, pid_of(status), os.WEXITED | os.WNOWAIT)
    assert not wakeup.wait(None, 0)
    assert status.keep(10.0) == 11.0


def test_closing_leaves_nothing_in_the_set(wakeup: Wakeup, reader: Callable[[list[str]], ReaderProcess]) -> None:
    status = reader(STAYS)
    status.keep(0.0)
    status.close()
    assert not wakeup.wait(None, 0)


def test_the_loop_wakes_tells_it_in_the_heartbeat_and_sleeps_no_longer_than_the_backoff(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    status = ReaderProcess("status", STAYS, wakeup=rig.wakeup)
    rig.loop._readers = [status]
    try:
        rig.loop.run_pass()
        first = pid_of(status)
        assert rig.loop._nap() > 1.0, "nothing to do before the next beat"
        os.kill(first, signal.SIGKILL)
        rig.loop._sleep(PATIENCE)
        rig.loop.run_pass()
        assert json.loads(rig.home.heartbeat.read_bytes())["readers"]["failures"] == 1
        assert rig.loop._nap() == 1.0
        rig.clock.sleep(1.0)
        rig.loop.run_pass()
        assert pid_of(status) != first
    finally:
        rig.close()
