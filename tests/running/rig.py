"""A runner with real supervisors in a temporary home, and the means to wait, to kill, and to leave nothing behind."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from runners.base import Adopt, Exited, Launch, Message, NeverStarted, Started
from runners.supervised import SupervisedRunner
from runners.supervisor import tree

M = TypeVar("M", Started, Exited, NeverStarted)
PATH = "/usr/local/bin:/usr/bin:/bin"
DEADLINE = 15.0


def eventually(true: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    """Ask until it is so; fails with `what`."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)
    return value


def alive(pid: int) -> bool:
    process = tree.look(pid)
    return process is not None and not process.dead


class Rig:
    """One daemon's runner over `home`; `successor` is the next daemon's."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.runner = SupervisedRunner(home / "supervisors")
        self.heard: list[Message] = []
        self.launches: dict[str, Launch] = {}
        self.acknowledge = True

    def launch(self, run_id: str, *argv: str, **more: Any) -> Launch:
        """A launch of a program, or of `sh -c` when there is one argument with a blank."""
        if len(argv) == 1 and " " in argv[0]:
            argv = ("sh", "-c", argv[0])
        env = {"PATH": PATH, "JOBSCTL_RUN_ID": run_id} | more.pop("env", {})
        more = {"working_dir": "/", "output_max": 1 << 24} | more
        launch = Launch(run_id=run_id, run_dir=str(self.run_dir(run_id)), argv=argv, env=env, **more)
        self.launches[run_id] = launch
        return launch

    def run_dir(self, run_id: str) -> Path:
        return self.home / "runs" / "default" / "job" / run_id

    def start(self, run_id: str, *argv: str, **more: Any) -> Started:
        """Launch, and wait until it runs."""
        self.runner.launch([self.launch(run_id, *argv, **more)])
        return self.wait(run_id, Started)

    def run(self, run_id: str, *argv: str, **more: Any) -> Exited:
        """Launch, and wait until it is over."""
        self.runner.launch([self.launch(run_id, *argv, **more)])
        return self.ended(run_id)

    def poll(self, seconds: float = 0.05) -> Sequence[Message]:
        select.select([self.runner], [], [], seconds)
        messages = self.runner.poll()
        self.heard += messages
        ends = [message.run_id for message in messages if isinstance(message, Exited)]
        if ends and self.acknowledge:
            self.runner.acknowledge(ends)
        return messages

    def wait(self, run_id: str, kind: type[M], seconds: float = DEADLINE) -> M:
        deadline = time.monotonic() + seconds
        while True:
            for message in self.heard:
                if message.run_id == run_id and isinstance(message, kind):
                    return message
            assert time.monotonic() < deadline, f"no {kind.__name__} of {run_id}; heard {self.heard}"
            self.poll()

    def ended(self, run_id: str) -> Exited:
        return self.wait(run_id, Exited)

    def of(self, run_id: str) -> list[Message]:
        return [message for message in self.heard if message.run_id == run_id]

    def output(self, run_id: str, stem: str = "output") -> bytes:
        return (self.run_dir(run_id) / f"{stem}.log").read_bytes()

    def said(self, run_id: str, text: bytes) -> None:
        """Wait until the run wrote this."""
        log = self.run_dir(run_id) / "output.log"
        eventually(lambda: log.exists() and text in log.read_bytes(), f"{run_id} says {text!r}")

    def supervisor(self) -> int:
        """Pid of the present supervisor."""
        process = self.runner._by_name[self.runner.name].process
        assert process is not None
        return process.pid

    def kill_supervisor(self) -> None:
        os.kill(self.supervisor(), signal.SIGKILL)

    def adopt(self, run_id: str, started: Started | None, supervisor: str | None) -> Adopt:
        launch = self.launches[run_id]
        return Adopt(
            run_id=run_id,
            run_dir=launch.run_dir,
            supervisor=supervisor,
            boot_id=self.runner.boot_id,
            pid=started.pid if started else None,
            pid_start=started.pid_start if started else None,
            timeout=launch.timeout,
            grace=launch.grace,
            started_at=started.at if started else None,
        )

    def successor(self) -> Rig:
        """The next daemon, after this one let go."""
        self.runner.close()
        after = Rig(self.home)
        after.launches = self.launches
        return after

    def clean(self) -> None:
        """Whatever the test left: no process, no supervisor."""
        supervisors = [link.process for link in self.runner._links.values() if link.process is not None]
        self.runner.close()
        processes = tree.scan()
        mine = tree.below(processes, [process.pid for process in supervisors])
        mine += [one for one in processes.values() if tree.run_id_of(one.pid) in self.launches]
        tree.send(signal.SIGKILL, mine)
        for process in supervisors:
            process.returncode = None
            process.wait()


__all__ = ["Adopt", "Exited", "NeverStarted", "Rig", "Started", "alive", "eventually"]
