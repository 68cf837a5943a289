"""Runs handed to the real supervisor, without a daemon: for what only the launcher decides."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import processes
from runners.base import EndReason, Exited, Launch, Started
from runners.supervised import SupervisedRunner
from state.ids import new_id


class Hands:
    """A runner, and what it has told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = SupervisedRunner(folder / "supervisors")
        self.started: dict[str, Started] = {}
        self.exited: dict[str, Exited] = {}
        self.heard_start: dict[str, float] = {}
        """`time.time()` at which a start was heard of."""
        self._poll = select.poll()
        self._poll.register(self.runner.fileno(), select.POLLIN)

    @property
    def supervisor(self) -> int:
        """Its process id. Raises TimeoutError when there is none."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for pid in processes.naming(self.runner.name):
                return pid
            time.sleep(0.01)
        raise TimeoutError(f"no process of supervisor {self.runner.name}")

    def launch(self, argv: Sequence[str], *, stamp_lines: bool = False, env: dict[str, str] | None = None) -> str:
        """Hand over one run; its id."""
        run_id = new_id(time.time_ns() // 1000)
        self.runner.launch(
            [
                Launch(
                    run_id=run_id,
                    run_dir=str(self.folder / "runs" / run_id),
                    argv=list(argv),
                    env=env or {},
                    working_dir="/",
                    output_max=1 << 40,
                    stamp_lines=stamp_lines,
                )
            ]
        )
        return run_id

    def hear(self, seconds: float) -> None:
        """Take what comes within `seconds`; ends are acknowledged."""
        if not self._poll.poll(seconds * 1000):
            return
        for message in self.runner.poll():
            if isinstance(message, Started):
                self.started[message.run_id] = message
                self.heard_start[message.run_id] = time.time()
            elif isinstance(message, Exited):
                self.exited[message.run_id] = message
                self.runner.acknowledge([message.run_id])

    def wait(self, run_ids: Sequence[str], *, started: bool = False, timeout: float = 60) -> None:
        """Until all of them have ended (or started). Raises TimeoutError, RuntimeError for a run that failed."""
        deadline = time.monotonic() + timeout
        waiting = set(run_ids)
        while waiting:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(waiting)} of {len(run_ids)} runs told nothing within {timeout:.0f} s")
            self.hear(0.5)
            waiting -= self.exited.keys() | (self.started.keys() if started else set())
        for run_id in run_ids:
            end = self.exited.get(run_id)
            if end is not None and (end.reason is not EndReason.EXIT or end.exit_code != 0):
                raise RuntimeError(f"a run of the bench failed: {end}")


@contextmanager
def hands(folder: Path) -> Iterator[Hands]:
    """A runner on a fresh directory; at the end its runs and its supervisor are gone."""
    there = Hands(folder)
    try:
        yield there
    finally:
        for run_id in there.started.keys() - there.exited.keys():
            there.runner.stop(run_id, grace=0.0)
        deadline = time.monotonic() + 5
        while there.started.keys() - there.exited.keys() and time.monotonic() < deadline:
            there.hear(0.2)
        supervisors = processes.naming(there.runner.name)
        there.runner.close()
        processes.end(supervisors)
