"""What `runners.base.Runner` promises, held against the real runner and against its fake."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runners.base import Adopt, EndReason, Exited, Launch, Message, NeverStarted, Runner, Started
from runners.stub import Script, StubRunner
from runners.supervised import SupervisedRunner
from tests.running.rig import DEADLINE, PATH, Rig, eventually

BEHAVIOURS = {
    "ends well": ("true", Script()),
    "exits 3": ("exit 3", Script(exit_code=3)),
    "dies of SEGV": ("kill -SEGV $$", Script(exit_code=None, signal=11)),
    "stays": ("exec sleep 1000", Script(takes=None)),
    "ignores TERM": ("trap '' TERM; echo up; while :; do sleep 0.05; done", Script(takes=None, ignores_term=True)),
    "cannot start": ("", Script(start_error="program not found")),
}


class Desk:
    """A runner under test. `settle` lets time pass until something is so."""

    runner: Runner

    def __init__(self, home: Path) -> None:
        self.home = home
        self.heard: list[Message] = []
        self.does: dict[str, str] = {}

    def launch(self, run_id: str, does: str, *, timeout: float | None = None, grace: float = 10.0) -> Launch:
        self.does[run_id] = does
        command = BEHAVIOURS[does][0]
        return Launch(
            run_id=run_id,
            run_dir=str(self.home / "runs" / run_id),
            argv=("sh", "-c", command) if command else ("no-such-program",),
            env={"PATH": PATH, "JOBSCTL_RUN_ID": run_id},
            working_dir="/",
            output_max=1 << 20,
            timeout=timeout,
            grace=grace,
        )

    def start(self, run_id: str, does: str, *, timeout: float | None = None, grace: float = 10.0) -> None:
        self.runner.launch([self.launch(run_id, does, timeout=timeout, grace=grace)])

    def adopt(self, run_id: str, supervisor: str) -> Adopt:
        return Adopt(
            run_id=run_id, run_dir=str(self.home / "runs" / run_id), supervisor=supervisor, boot_id=self.runner.boot_id
        )

    def of(self, run_id: str) -> list[Message]:
        return [message for message in self.heard if message.run_id == run_id]

    def end(self, run_id: str) -> Exited:
        return next(message for message in self.settle(run_id, Exited) if isinstance(message, Exited))

    def settle(self, run_id: str, kind: type[Message]) -> list[Message]:
        raise NotImplementedError

    def next_daemon(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.runner.close()


class RealDesk(Desk):
    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.rig = Rig(home)
        self.runner = self.rig.runner

    def settle(self, run_id: str, kind: type[Message]) -> list[Message]:
        deadline = time.monotonic() + DEADLINE
        while not any(isinstance(message, kind) for message in self.of(run_id)):
            assert time.monotonic() < deadline, f"no {kind.__name__} of {run_id}: {self.heard}"
            select.select([self.runner], [], [], 0.1)
            self.heard += self.runner.poll()
        return self.of(run_id)

    def next_daemon(self) -> None:
        self.runner.close()
        self.runner = self.rig.runner = SupervisedRunner(self.home / "supervisors")
        self.heard.clear()

    def close(self) -> None:
        self.rig.launches = {run_id: self.launch(run_id, does) for run_id, does in self.does.items()}
        self.rig.clean()


class StubDesk(Desk):
    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.now = 1_000_000_000
        self.runner = StubRunner(now=lambda: self.now, script=lambda launch: BEHAVIOURS[self.does[launch.run_id]][1])

    def settle(self, run_id: str, kind: type[Message]) -> list[Message]:
        for _ in range(200):
            if select.select([self.runner], [], [], 0)[0] or not self.heard:
                self.heard += self.runner.poll()
            if any(isinstance(message, kind) for message in self.of(run_id)):
                return self.of(run_id)
            self.now += 100_000
            self.heard += self.runner.poll()
        raise AssertionError(f"no {kind.__name__} of {run_id}: {self.heard}")

    def next_daemon(self) -> None:
        assert isinstance(self.runner, StubRunner)
        before, self.runner = self.runner, self.runner.successor()
        before.close()
        self.heard.clear()


@pytest.fixture(params=[RealDesk, StubDesk], ids=["supervised", "stub"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    desk: Desk = request.param(tmp_path)
    try:
        yield desk
    finally:
        desk.close()


@pytest.mark.parametrize(
    ("does", "reason", "exit_code", "signal"),
    [
        pytest.param("ends well", EndReason.EXIT, 0, None, id="ends-well"),
        pytest.param("exits 3", EndReason.EXIT, 3, None, id="exit-code"),
        pytest.param("dies of SEGV", EndReason.EXIT, None, 11, id="signal"),
        pytest.param("cannot start", EndReason.START_ERROR, None, None, id="start-error"),
    ],
)
def test_every_end_is_told_with_how_it_came(
    desk: Desk, does: str, reason: EndReason, exit_code: int | None, signal: int | None
) -> None:
    desk.start("r1", does)
    end = desk.end("r1")
    assert (end.reason, end.exit_code, end.signal) == (reason, exit_code, signal)
    assert (end.error is not None) == (reason is EndReason.START_ERROR)


def test_started_comes_before_exited_with_the_same_process(desk: Desk) -> None:
    desk.start("r1", "ends well")
    desk.end("r1")
    started, exited = desk.of("r1")
    assert isinstance(started, Started)
    assert isinstance(exited, Exited)
    assert (exited.pid, exited.pid_start, exited.started_at) == (started.pid, started.pid_start, started.at)
    assert exited.at >= started.at
    assert exited.cpu_seconds is not None
    assert exited.peak_memory


def test_a_known_run_is_never_started_twice(desk: Desk) -> None:
    desk.start("r1", "stays")
    first = desk.settle("r1", Started)[0]
    desk.start("r1", "stays")
    desk.start("r2", "ends well")
    desk.settle("r2", Exited)
    assert all(message == first for message in desk.of("r1")), "told again, as it is"


def test_an_ended_run_is_not_started_again_either(desk: Desk) -> None:
    desk.start("r1", "exits 3")
    first = desk.end("r1")
    desk.start("r1", "exits 3")
    desk.start("r2", "ends well")
    desk.settle("r2", Exited)
    assert {message for message in desk.of("r1") if isinstance(message, Started)} == {desk.of("r1")[0]}
    assert desk.end("r1").pid == first.pid


def test_a_stop_ends_it_as_cancelled(desk: Desk) -> None:
    desk.start("r1", "stays")
    desk.settle("r1", Started)
    desk.runner.stop("r1", grace=10)
    end = desk.end("r1")
    assert (end.reason, end.signal) == (EndReason.CANCEL, 15)


def test_what_ignores_term_is_killed_after_the_grace(desk: Desk) -> None:
    desk.start("r1", "ignores TERM")
    desk.settle("r1", Started)
    if isinstance(desk, RealDesk):
        log = desk.home / "runs" / "r1" / "output.log"
        eventually(lambda: log.read_bytes() == b"up\n", "the trap is set")
    desk.runner.stop("r1", grace=0.2)
    end = desk.end("r1")
    assert (end.reason, end.signal) == (EndReason.CANCEL, 9)


def test_a_timeout_ends_it_as_such(desk: Desk) -> None:
    desk.start("r1", "stays", timeout=0.2)
    end = desk.end("r1")
    assert (end.reason, end.signal) == (EndReason.TIMEOUT, 15)
    assert end.started_at is not None
    assert 0.2e6 <= end.at - end.started_at < 1.0e6


def test_stopping_what_is_unknown_or_over_does_nothing(desk: Desk) -> None:
    desk.start("r1", "ends well")
    desk.end("r1")
    desk.runner.stop("r1", grace=1)
    desk.runner.stop("nobody", grace=1)
    desk.start("r2", "ends well")
    assert desk.end("r2").reason is EndReason.EXIT
    assert desk.end("r1").reason is EndReason.EXIT


def test_the_next_daemon_is_told_that_it_runs(desk: Desk) -> None:
    name = desk.runner.name
    desk.start("r1", "stays")
    (before,) = desk.settle("r1", Started)
    desk.next_daemon()
    desk.runner.adopt([desk.adopt("r1", name)])
    assert desk.settle("r1", Started) == [before]
    desk.runner.stop("r1", grace=1)
    assert desk.end("r1").reason is EndReason.CANCEL


def test_an_end_is_told_to_every_daemon_until_it_is_acknowledged(desk: Desk) -> None:
    name = desk.runner.name
    desk.start("r1", "exits 3")
    before = desk.end("r1")
    desk.next_daemon()
    desk.runner.adopt([desk.adopt("r1", name)])
    assert desk.end("r1") == before
    assert [message for message in desk.of("r1") if isinstance(message, Exited)] == [before], "once"
    desk.runner.acknowledge(["r1"])
    desk.next_daemon()
    desk.runner.adopt([])
    desk.start("r2", "ends well")
    desk.settle("r2", Exited)
    assert desk.of("r1") == []


def test_a_run_that_was_never_handed_over_never_started(desk: Desk) -> None:
    desk.runner.adopt([desk.adopt("r9", desk.runner.name), desk.adopt("r8", "a-supervisor-nobody-knows")])
    assert desk.settle("r9", NeverStarted) == [NeverStarted(run_id="r9")]
    assert desk.settle("r8", NeverStarted) == [NeverStarted(run_id="r8")]


def test_a_run_of_another_boot_is_lost(desk: Desk) -> None:
    desk.runner.adopt([replace(desk.adopt("r1", desk.runner.name), boot_id="before", pid=1, pid_start=1)])
    assert desk.end("r1").reason is EndReason.LOST


def test_many_in_one_call_all_end(desk: Desk) -> None:
    desk.runner.launch([desk.launch(f"r{number}", "ends well") for number in range(100)])
    for number in range(100):
        assert desk.end(f"r{number}").exit_code == 0
