"""The loop's sleep ends for a timer, a bell, a descriptor or its bound, and at nothing else. Real descriptors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from reconciler.clock import SystemClock
from reconciler.wake import Wakeup


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    wakeup = Wakeup()
    yield wakeup
    wakeup.close()


def test_a_wait_ends_at_the_instant_and_not_before(wakeup: Wakeup) -> None:
    clock = SystemClock()
    for _ in range(20):
        until = clock.now() + 3_000
        wakeup.wait(until, 5)
        assert clock.now() >= until


def test_an_instant_in_the_past_ends_the_wait_at_once(wakeup: Wakeup) -> None:
    began = time.monotonic()
    wakeup.wait(SystemClock().now() - 10_000_000, 5)
    wakeup.wait(0, 5)
    assert time.monotonic() - began < 2


def test_a_bell_rung_by_another_thread_ends_the_wait_and_is_silent_afterwards(wakeup: Wakeup) -> None:
    bell = wakeup.doorbell()
    threading.Thread(target=bell.ring).start()
    assert bell.fd in wakeup.wait(None, 5)
    assert bell.fd not in wakeup.wait(None, 0)


def test_a_readable_descriptor_ends_the_wait_until_it_was_read(wakeup: Wakeup) -> None:
    reading, writing = os.pipe()
    wakeup.watch(reading)
    os.write(writing, b"x")
    assert reading in wakeup.wait(None, 5)
    assert reading in wakeup.wait(None, 5)
    os.read(reading, 1)
    assert reading not in wakeup.wait(None, 0)
    os.close(reading)
    os.close(writing)


def test_without_anything_to_wait_for_the_bound_ends_the_wait(wakeup: Wakeup) -> None:
    assert not wakeup.wait(None, 0.01)
