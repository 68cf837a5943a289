"""While starts wait, news waits too: the processors are the starts' then."""

from __future__ import annotations

import _socket
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.base import Exited, Started
from runners.supervisor.run import Run
from runners.supervisor.serve import TELL_WITHIN, Supervisor
from runners.supervisor.wire import Channel
from tests.running.rig import Rig


def test_a_burst_of_runs_is_told_in_few_messages_and_completely(rig: Rig) -> None:
    runs = [f"r{number}" for number in range(300)]
    began = time.monotonic()
    rig.runner.launch([rig.launch(run_id, "/bin/true") for run_id in runs])
    tellings = 0
    while len([one for one in rig.heard if isinstance(one, Started)]) < len(runs):
        tellings += bool(rig.poll())
    took = time.monotonic() - began
    # One for each 32 starts would be ten. The first is told at once, the last when the queue is empty.
    assert tellings <= 3 + took / TELL_WITHIN
    for run_id in runs:
        rig.ended(run_id)
        assert [type(message) for message in rig.of(run_id)] == [Started, Exited]


class Line:
    """A channel's socket that takes everything."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, data: memoryview, /) -> int:
        self.sent += 1
        return len(data)

    def recv(self, size: int, /) -> bytes:
        raise BlockingIOError

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        pass


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "s.sock"))
    listener.listen(1)
    awake, wake = os.pipe()
    made = Supervisor(str(tmp_path), "s", os.dup(listener.fileno()), awake)
    made.wanted = 1  # to read: nothing is to be changed at the poller
    yield made
    made.listener.close()
    made.poller.close()
    made.journal.close()
    listener.close()
    for fd in (awake, wake, made.null):
        os.close(fd)


def test_news_waits_for_the_queue_but_not_longer_than_its_bound(supervisor: Supervisor) -> None:
    line = Line()
    supervisor.channel = Channel(line)
    news: tuple[Any, ...] = ("never", "r1")
    supervisor.queue.append(Run(id="r2", dir=b"/", argv=[], env={}, cwd=b"/", output_max=1))

    def after(seconds: float) -> int:
        """Frames sent so far, when this is tried so long after the first."""
        supervisor.said.append(news)
        supervisor.say(100.0 + seconds)
        return line.sent

    assert after(0.0) == 1, "the first of a burst is told at once"
    assert after(0.1) == after(TELL_WITHIN - 0.01) == 1
    assert after(TELL_WITHIN) == 2
    supervisor.queue.clear()
    assert after(TELL_WITHIN + 0.01) == 3, "without a queue at once"
    supervisor.said.clear()
