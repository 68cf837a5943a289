"""The daemon's side of the supervisors: `Runner` over one own supervisor process, and those of earlier daemons.

Made by the daemon's composition root. Runs are started by this daemon's own supervisor. Older ones are connected to
for as long as they have a run; of dead ones the journals are read and what still lives is watched
(`runners.orphans`). Must not import `state` or `reconciler`.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path

from runners.base import Adopt, EndReason, Exited, Launch, Message, NeverStarted, Started
from runners.links import Folder, Link, Packed
from runners.orphans import LOST, Orphans, bare_run, exited, find
from runners.supervisor import libc, redact, wall
from runners.supervisor.journal import Journal
from runners.supervisor.wire import BrokenFrame

_LAUNCHES_PER_FRAME = 64
_LOCK_AGAIN = 0.02
"""Seconds between two looks whether a supervisor that hung up has really ended."""
_UNREADABLE_AGAIN = 0.5
"""Seconds until a journal is tried again that could not be opened."""
_SHORT_LIFE = 2.0
"""A supervisor that lived shorter (seconds) is not replaced at once: it would end the same way."""
_PATIENCE = 30.0
_CODING = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


class _Known:
    """A run that was handed over and is not acknowledged."""

    __slots__ = ("ended", "grace", "run_dir", "stop", "supervisor", "timeout")

    def __init__(self, supervisor: str, run_dir: str, timeout: float | None, grace: float) -> None:
        self.supervisor = supervisor
        self.run_dir = run_dir
        self.timeout = timeout
        self.grace = grace
        self.ended = False
        """Its end was told."""
        self.stop: float | None = None
        """It was asked to stop, with this grace: whoever takes over is asked again."""


class SupervisedRunner:
    """Runs owned by supervisor processes; see `runners.base.Runner` for what each call promises."""

    def __init__(self, directory: Path) -> None:
        """`directory` is made when missing, 0700. Raises OSError when no supervisor can be started."""
        self.boot_id = wall.boot_id()
        libc.become_subreaper()
        self._folder = Folder(directory, self.boot_id)
        self._poller = select.epoll()
        self._timer = libc.timer()
        self._poller.register(self._timer, select.EPOLLIN)
        self._links: dict[int, Link] = {}
        self._by_name: dict[str, Link] = {}
        self._dying: dict[str, Link | None] = {}
        """Hung up, end not certain yet. None: of an earlier daemon, nobody listened."""
        self._runs: dict[str, _Known] = {}
        self._heard: list[Message] = []
        self._orphans = Orphans(self._heard_one, self._watch, self._poller.unregister)
        self._crash_at = {key: os.environ[key] for key in ("JOBSCTL_CRASH_AT",) if key in os.environ}
        self.complaint = ""
        """What the last supervisor that failed said; for the log."""
        self._wait = 0.0
        self._retry_at = 0.0
        self._bury_at = 0.0
        self._started_at = 0.0
        older = self._folder.names()
        self.name = ""
        self._start()
        for name in older:
            self._reach(name)

    # --- supervisors

    def _start(self) -> None:
        """A new supervisor for new runs. Raises OSError."""
        # A test's crash is for the first: the next one has to clean up after it.
        link = self._folder.start(self._crash_at)
        self._crash_at = {}
        self._started_at = wall.monotonic()
        self._add(link)
        self.name = link.name

    def _reach(self, name: str) -> None:
        """Connect to the supervisor of an earlier daemon, or take over what it left."""
        if not self._folder.of_this_boot(name):
            self._folder.sweep(name, journal=True)  # nothing it tells of is alive; `adopt` calls it lost
            return
        link = self._folder.connect(name)
        if link is None:
            self._dying[name] = None
            return
        self._add(link)
        link.retired = True
        self._send(link, ("retire",))

    def _add(self, link: Link) -> None:
        self._links[link.fileno()] = link
        self._by_name[link.name] = link
        self._watch(link.fileno())

    def _send(self, link: Link, command: Packed) -> None:
        link.channel.send(command)
        self._poller.modify(link.fileno(), _wanted(link))

    def _watch(self, fd: int) -> None:
        self._poller.register(fd, select.EPOLLIN)

    def _lost(self, link: Link) -> None:
        """The supervisor hung up, and everything it said was heard."""
        self._poller.unregister(link.fileno())
        del self._links[link.fileno()]
        del self._by_name[link.name]
        link.channel.close()
        self._dying[link.name] = link
        if link.name == self.name:
            short = wall.monotonic() - self._started_at < _SHORT_LIFE
            self._wait = min(_PATIENCE, max(0.1, self._wait * 2)) if short else 0.0
            self._retry_at = wall.monotonic() + self._wait

    def _start_again(self) -> None:
        try:
            self._start()
        except OSError as error:
            self.complaint = str(error)
            self._wait = min(_PATIENCE, max(0.5, self._wait * 2))
            self._retry_at = wall.monotonic() + self._wait

    def _bury(self) -> None:
        """Take over from supervisors that are certainly dead: their journals are unlocked."""
        for name, link in list(self._dying.items()):
            reaper = link is not None and link.process is not None
            if link is not None and link.process is not None and link.process.poll() is None:
                continue
            try:
                left = Journal(self._folder.journal(name))
            except BlockingIOError:
                continue
            except FileNotFoundError:
                left = None
            except OSError as error:  # no descriptors, a disk that fails: its runs are taken over when it can be read
                self.complaint = str(error)
                self._bury_at = wall.monotonic() + _UNREADABLE_AGAIN
                continue
            del self._dying[name]
            self.complaint = self._folder.complaint(name) or self.complaint
            self._folder.sweep(name, journal=False)
            known = set(left.entries) if left is not None else set()
            if left is not None:
                self._orphans.take_over(left, reaper=reaper, terms=self._terms)
                for run_id in known & self._runs.keys():
                    if (grace := self._runs[run_id].stop) is not None:
                        self._orphans.stop(run_id, grace)
            for run_id, run in list(self._runs.items()):
                if run.supervisor == name and run_id not in known and not run.ended:
                    self._unknown(run_id, run, certain=reaper)

    def _terms(self, run_id: str) -> tuple[float | None, float]:
        run = self._runs.get(run_id)
        return (run.timeout, run.grace) if run is not None else (None, 10.0)

    def _unknown(self, run_id: str, run: _Known, *, certain: bool) -> None:
        """No journal knows this run. `certain`: that alone proves that it was never started."""
        if not certain:
            found = find(run_id, os.fsencode(run.run_dir))
            if found is not None:
                orphan = bare_run(run_id, os.fsencode(run.run_dir), run.timeout, run.grace)
                orphan.pid, orphan.pid_start, orphan.started_at = found.pid, found.start, wall.now_us()
                self._orphans.adopt(orphan)
                return
            if Path(run.run_dir, "outputs").exists():
                self._lose(run_id, LOST)
                return
        self._runs.pop(run_id, None)
        self._heard.append(NeverStarted(run_id=run_id))

    def _lose(self, run_id: str, error: str) -> None:
        self._heard_one(Exited(run_id=run_id, at=wall.now_us(), reason=EndReason.LOST, error=error))

    # --- Runner

    def launch(self, launches: Sequence[Launch]) -> None:
        """See `Runner`. Raises OSError while there is no supervisor; then nothing was handed over."""
        if not launches:
            return
        if self.name not in self._by_name:
            raise OSError(f"no supervisor: {self.complaint or 'it ended'}; a new one is being started")
        link = self._by_name[self.name]
        packed = []
        for launch in launches:
            self._runs[launch.run_id] = _Known(self.name, launch.run_dir, launch.timeout, launch.grace)
            if launch.user is not None or launch.group is not None:
                self._folder.let_through(Path(launch.run_dir))
            try:
                packed.append(_packed(launch))
            except UnicodeEncodeError as error:
                text = f"cannot start: an argument or environment value cannot be encoded: {error.reason}"
                self._heard_one(
                    Exited(run_id=launch.run_id, at=wall.now_us(), reason=EndReason.START_ERROR, error=text)
                )
        for start in range(0, len(packed), _LAUNCHES_PER_FRAME):
            self._send(link, ("launch", packed[start : start + _LAUNCHES_PER_FRAME]))

    def stop(self, run_id: str, *, grace: float) -> None:
        if (known := self._runs.get(run_id)) is not None:
            known.stop = grace
        self._orphans.stop(run_id, grace)
        for link in self._links.values():
            self._send(link, ("stop", run_id, grace))

    def adopt(self, runs: Sequence[Adopt]) -> None:
        for adopt in runs:
            self._runs[adopt.run_id] = _Known(adopt.supervisor or "", adopt.run_dir, adopt.timeout, adopt.grace)
        self._bury()
        answered = {message.run_id for message in self._heard}
        for adopt in runs:
            run_id = adopt.run_id
            if run_id in answered:
                continue
            if adopt.boot_id is not None and adopt.boot_id != self.boot_id:
                self._lose(run_id, "the machine was restarted while it ran")
            elif (link := self._by_name.get(adopt.supervisor or "")) is not None:
                self._send(link, ("adopt", [run_id]))
            elif not self._orphans.tell(run_id) and adopt.supervisor not in self._dying:
                self._look_for(adopt)
        self._arm()

    def _look_for(self, adopt: Adopt) -> None:
        """Neither its supervisor nor a journal is there."""
        if adopt.pid is None or adopt.pid_start is None:
            self._unknown(adopt.run_id, self._runs[adopt.run_id], certain=False)
            return
        run = bare_run(adopt.run_id, os.fsencode(adopt.run_dir), adopt.timeout, adopt.grace)
        run.pid, run.pid_start, run.started_at = adopt.pid, adopt.pid_start, adopt.started_at or wall.now_us()
        self._orphans.adopt(run)

    def acknowledge(self, run_ids: Sequence[str]) -> None:
        if not run_ids:
            return
        for run_id in run_ids:
            self._runs.pop(run_id, None)
        self._orphans.acknowledge(run_ids)
        for link in self._links.values():
            self._send(link, ("acknowledge", list(run_ids)))

    def fileno(self) -> int:
        return self._poller.fileno()

    def poll(self) -> Sequence[Message]:
        for fd, event in self._poller.poll(0):
            if fd == self._timer:
                os.read(fd, 8)
            elif not self._orphans.ready(fd) and (link := self._links.get(fd)) is not None:
                self._converse(link, event)
        if self._dying and wall.monotonic() >= self._bury_at:
            self._bury()
        self._orphans.tick()
        if self.name not in self._by_name and wall.monotonic() >= self._retry_at:
            self._start_again()
        self._arm()
        heard, self._heard = self._heard, []
        return heard

    def _converse(self, link: Link, event: int) -> None:
        if event & select.EPOLLOUT:
            link.channel.flush()
        try:
            frames = link.channel.receive()
        except BrokenFrame:
            frames, link.channel.closed = [], True
        for frame in frames:
            for packed in frame:
                message = _message(packed)
                if message is not None:
                    self._heard_one(message)
        if link.channel.closed:
            self._lost(link)
        else:
            self._poller.modify(link.fileno(), _wanted(link))

    def _heard_one(self, message: Message) -> None:
        run = self._runs.get(message.run_id)
        if run is not None and isinstance(message, Exited):
            run.ended = True
        elif isinstance(message, NeverStarted):
            self._runs.pop(message.run_id, None)
        self._heard.append(message)

    def _arm(self) -> None:
        """Make `fileno` readable when there is something to do without anybody saying so."""
        due = [] if (wake_in := self._orphans.wake_in()) is None else [wake_in]
        if self._dying:
            due.append(max(_LOCK_AGAIN, self._bury_at - wall.monotonic()))
        if self.name not in self._by_name:
            due.append(max(0.001, self._retry_at - wall.monotonic()))
        if self._heard:
            due.append(0.001)
        libc.set_timer(self._timer, min(due, default=0.0))

    def close(self) -> None:
        for link in (*self._links.values(), *self._dying.values()):
            if link is not None:
                link.let_go()
        self._orphans.close()
        self._poller.close()
        os.close(self._timer)
        self._folder.close()


def _wanted(link: Link) -> int:
    return select.EPOLLIN | (select.EPOLLOUT if link.channel.unsent else 0)


def _packed(launch: Launch) -> dict[str, object]:
    """As `runners.supervisor.run.Run` takes it. Raises UnicodeEncodeError."""
    # As os.fsencode, which asks first whether it was given a path: thirty times a launch.
    coding = _CODING
    return {
        "id": launch.run_id,
        "dir": launch.run_dir.encode(*coding),
        "argv": [part.encode(*coding) for part in launch.argv],
        "env": {key.encode(*coding): value.encode(*coding) for key, value in launch.env.items()},
        "cwd": launch.working_dir.encode(*coding),
        "script": None if launch.script is None else os.fsencode(launch.script),
        "needles": redact.forms(launch.secrets) if launch.secrets else None,
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


def _message(packed: Packed) -> Message | None:
    """None for what is not about a run."""
    kind = packed[0]
    if kind == "started":
        _, run_id, at, pid, pid_start = packed
        return Started(run_id=run_id, at=at, pid=pid, pid_start=pid_start)
    if kind == "ended":
        return exited(packed[1], packed[2])
    if kind == "never":
        return NeverStarted(run_id=packed[1])
    return None
