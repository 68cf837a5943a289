"""The daemon's side of the supervisors: `Runner` over one own supervisor process, and those of earlier daemons.

Made by the daemon's composition root. Runs are started by this daemon's own supervisor; older supervisors are connected to
for as long as they have a run, and the journals of dead ones are read. Must not import `state` or `reconciler`.
"""

from __future__ import annotations

import os
import secrets
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runners.base import Adopt, EndReason, Exited, Launch, Message, NeverStarted, Started
from runners.supervisor import libc, wall
from runners.supervisor.wire import Channel

_MAIN = Path(__file__).resolve().parent / "supervisor" / "main.py"
_LAUNCHES_PER_FRAME = 64


class Link:
    """A connection to one living supervisor."""

    def __init__(self, name: str, channel: Channel) -> None:
        self.name = name
        self.channel = channel


class SupervisedRunner:
    """Runs owned by supervisor processes; see `runners.base.Runner` for what each call promises."""

    def __init__(self, directory: Path) -> None:
        """`directory` is made when missing, 0700. Raises OSError when no supervisor can be started."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        self._directory = directory
        self._folder = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.boot_id = wall.boot_id()
        libc.become_subreaper()
        self._poller = select.epoll()
        self._links: dict[str, Link] = {}
        self._by_fd: dict[int, Link] = {}
        self._heard: list[Message] = []
        self._process: subprocess.Popen[bytes] | None = None
        self.name = self._start()
        for journal in sorted(directory.glob("*.journal")):
            if journal.stem != self.name:
                self._connect(journal.stem)

    # --- supervisors

    def _start(self) -> str:
        name = f"{self.boot_id[:8]}-{secrets.token_hex(6)}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with listener:
            # Through the directory's descriptor: the path of a unix socket is limited to 107 bytes.
            listener.bind(f"/proc/self/fd/{self._folder}/{name}.sock")
            listener.listen(16)
            env = {key: os.environ[key] for key in ("JOBSCTL_CRASH_AT",) if key in os.environ}
            log = os.open(self._directory / f"{name}.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_MAIN), str(self._directory), name, str(listener.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=env,
                    cwd="/",
                    pass_fds=[listener.fileno()],
                    start_new_session=True,
                )
            finally:
                os.close(log)
        if not self._connect(name):
            raise OSError(f"the supervisor {name} ended at once; see {self._directory}/{name}.err")
        return name

    def _connect(self, name: str) -> bool:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(f"/proc/self/fd/{self._folder}/{name}.sock")
        except OSError:
            connection.close()
            return False
        connection.setblocking(False)
        link = Link(name, Channel(connection))
        self._links[name] = link
        self._by_fd[connection.fileno()] = link
        self._poller.register(connection.fileno(), select.EPOLLIN)
        if self._process is None or name != getattr(self, "name", name):
            link.channel.send(("retire",))
        return True

    def _send(self, link: Link, command: tuple[Any, ...]) -> None:
        link.channel.send(command)
        wanted = select.EPOLLIN | (select.EPOLLOUT if link.channel.unsent else 0)
        self._poller.modify(link.channel.socket.fileno(), wanted)

    # --- Runner

    def launch(self, launches: Sequence[Launch]) -> None:
        link = self._links[self.name]
        for start in range(0, len(launches), _LAUNCHES_PER_FRAME):
            self._send(link, ("launch", [_packed(launch) for launch in launches[start : start + _LAUNCHES_PER_FRAME]]))

    def stop(self, run_id: str, *, grace: float) -> None:
        for link in self._links.values():
            self._send(link, ("stop", run_id, grace))

    def adopt(self, runs: Sequence[Adopt]) -> None:
        for run in runs:
            link = self._links.get(run.supervisor or "")
            if link is not None:
                self._send(link, ("adopt", [run.run_id]))
            else:
                self._heard.append(NeverStarted(run_id=run.run_id))

    def acknowledge(self, run_ids: Sequence[str]) -> None:
        for link in self._links.values():
            self._send(link, ("acknowledge", list(run_ids)))

    def fileno(self) -> int:
        return self._poller.fileno()

    def poll(self) -> Sequence[Message]:
        for fd, event in self._poller.poll(0):
            link = self._by_fd[fd]
            if event & select.EPOLLOUT:
                link.channel.flush()
            for frame in link.channel.receive():
                self._heard += [message for packed in frame if (message := _message(packed)) is not None]
            wanted = select.EPOLLIN | (select.EPOLLOUT if link.channel.unsent else 0)
            self._poller.modify(fd, wanted)
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        for link in self._links.values():
            link.channel.close()
        self._links.clear()
        self._poller.close()
        os.close(self._folder)


def _packed(launch: Launch) -> dict[str, Any]:
    return {
        "id": launch.run_id,
        "dir": os.fsencode(launch.run_dir),
        "argv": [os.fsencode(part) for part in launch.argv],
        "env": {os.fsencode(key): os.fsencode(value) for key, value in launch.env.items()},
        "cwd": os.fsencode(launch.working_dir),
        "script": None if launch.script is None else os.fsencode(launch.script),
        "user": launch.user,
        "group": launch.group,
        "umask": launch.umask,
        "memory": launch.memory,
        "cpu": launch.cpu,
        "pids": launch.pids,
        "nofile": launch.nofile,
        "output_max": launch.output_max,
        "separate": launch.separate_streams,
        "stamp": launch.stamp_lines,
        "timeout": launch.timeout,
        "grace": launch.grace,
    }


def _message(packed: tuple[Any, ...]) -> Message | None:
    kind = packed[0]
    if kind == "started":
        _, run_id, at, pid, pid_start = packed
        return Started(run_id=run_id, at=at, pid=pid, pid_start=pid_start)
    if kind == "ended":
        fields = dict(packed[2])
        fields["reason"] = EndReason(fields["reason"])
        return Exited(run_id=packed[1], **fields)
    if kind == "never":
        return NeverStarted(run_id=packed[1])
    return None
