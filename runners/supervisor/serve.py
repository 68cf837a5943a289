"""The supervisor's loop: commands in, processes started, watched, stopped and reaped, ends journaled and told.

Made by `main`. One thread; it never waits for anything but the whole of its descriptors, or longer than one disk write.
"""

from __future__ import annotations

import _socket
import marshal
import os
import select
from _collections import deque  # type: ignore[import-not-found]

from runners.supervisor import cgroup, journal, run, spawn
from runners.supervisor.crash import crashpoint
from runners.supervisor.journal import Journal
from runners.supervisor.lives import Lives
from runners.supervisor.run import Run
from runners.supervisor.wall import monotonic, now_us, since_boot_ns
from runners.supervisor.wire import PROTOCOL, BrokenFrame, Channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runners.supervisor.capture import Pipe

SPAWN_CHUNK = 32
"""Starts between two looks at everything else. Their intents are one write, their `started` another."""
ENOUGH = 64
"""Starts that wait. While there are more, nothing is read: they take less memory in the socket and in the daemon."""
TELL_WITHIN = 0.5
"""Seconds that news wait at most while starts do. The processors are the starts' then, and nothing is late by it: what
the daemon would start next is behind them in the queue."""
A_READ = 131_072
"""Bytes of commands taken at once."""
OWED_AGAIN = 1.0
"""Seconds between two attempts to write what the disk did not take."""
FIRST_CONNECTION = 10.0
"""Seconds a daemon has to connect to the supervisor it has just started."""


class Supervisor:
    """All state of the process."""

    def __init__(self, directory: str, name: str, listener: int, awake: int) -> None:
        self.name = name
        self.directory = directory
        self.runs: dict[str, Run] = {}
        """Queued, running, or with a tree that is not gone yet."""
        self.ends: dict[str, bytes] = {}
        """Not acknowledged yet; packed, they take a tenth of the memory."""
        self.queue: deque[Run] = deque()
        self.pipes: dict[int, Pipe] = {}
        """By descriptor, those that are polled."""
        self.said: list[tuple[Any, ...]] = []
        """Messages that are not sent yet."""
        self.said_at = 0.0
        """When the last ones were sent (seconds of `monotonic`)."""
        self.told: set[str] = set()
        """Ends the present daemon was told."""
        self.leaving = False
        self.channel: Channel | None = None
        self.wanted = 0
        """What the connection is polled for."""
        self.journal = Journal(f"{directory}/{name}.journal", create=True)
        self.lives = Lives(self.journal)
        self.null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self.awake = awake
        self.listener = _socket.socket(fileno=listener)
        self.listener.setblocking(False)
        os.set_inheritable(listener, False)
        self.poller = select.epoll()
        self.poller.register(awake, select.EPOLLIN)
        self.poller.register(listener, select.EPOLLIN)
        self.expected_until: float | None = monotonic() + FIRST_CONNECTION
        """Until when to wait for the daemon that started this process; None once one has connected."""

    def leave(self) -> None:
        """End when the last run is over, also when a daemon is connected."""
        self.leaving = True

    # --- the loop

    def serve(self) -> None:
        """Until nothing lives, and what is left to tell is in the journal."""
        while not self.done():
            for fd, event in self.poller.poll(self.patience()):
                self.handle(fd, event)
            self.lives.reap()
            self.start_some()
            now = monotonic()
            if self.lives.by_pid and now >= self.lives.next_sweep:
                self.lives.sweep(now)
            self.conclude(self.lives.finish(now))
            self.journal.retry()
            self.say(now)
        self.journal.close()
        self.tidy()

    def done(self) -> bool:
        if self.runs or self.journal.owes:
            return False
        if self.channel is None:
            return self.expected_until is None or monotonic() > self.expected_until
        return self.leaving and not self.ends and not self.channel.unsent

    def patience(self) -> float:
        """Seconds the loop may sleep; -1 for ever."""
        if self.queue:
            return 0
        due = [when for when in (self.lives.wake_at(), self.expected_until) if when is not None]
        if self.journal.owes:
            due.append(monotonic() + OWED_AGAIN)
        return max(0.0, min(due) - monotonic()) if due else -1

    def tidy(self) -> None:
        """Leave nothing but a journal that still has something to tell, and an error log that has."""
        for name in (f"{self.name}.sock", f"{self.name}.err"):
            path = f"{self.directory}/{name}"
            try:
                if not name.endswith(".err") or os.stat(path).st_size == 0:
                    os.unlink(path)
            except OSError:
                pass

    def handle(self, fd: int, event: int) -> None:
        if fd == self.awake:
            try:
                os.read(fd, 4096)
            except BlockingIOError:
                pass
        elif fd in self.pipes:
            self.pump(fd)
        elif fd == self.listener.fileno():
            self.welcome()
        elif self.channel is not None and fd == self.channel.socket.fileno():
            if event & select.EPOLLOUT:
                self.channel.flush()
            if event & ~select.EPOLLOUT:
                self.listen(A_READ)

    def pump(self, fd: int) -> None:
        """One chunk of one pipe: a slow disk holds up everything else for one write, not more."""
        try:
            more = self.pipes[fd].pump()
        except BlockingIOError:
            return
        if not more:
            self.poller.unregister(fd)
            del self.pipes[fd]

    # --- the daemon

    def welcome(self) -> None:
        """A daemon connects. What an earlier one had sent is carried out before this one gets an answer."""
        try:
            fd, _ = self.listener._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        socket = _socket.socket(fileno=fd)
        credentials = socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        if int.from_bytes(credentials[4:8], "little") not in (os.geteuid(), 0):
            socket.close()
            return
        self.listen()
        self.hang_up()
        socket.setblocking(False)
        self.channel = Channel(socket)
        self.told.clear()
        self.expected_until = None
        self.wanted = select.EPOLLIN
        self.poller.register(fd, self.wanted)
        self.channel.send([("hello", PROTOCOL, self.name, os.getpid())])
        for run_id in self.ends:
            self.tell_end(run_id)

    def hang_up(self) -> None:
        if self.channel is not None:
            self.poller.unregister(self.channel.socket.fileno())
            self.channel.close()
            self.channel = None

    def listen(self, about: int = 1 << 62) -> None:
        """Carry out what the daemon has sent, all of it unless told otherwise."""
        if self.channel is None:
            return
        try:
            commands = self.channel.receive(about)
        except BrokenFrame:
            commands, self.channel.closed = [], True
        for command in commands:
            getattr(self, "do_" + command[0])(*command[1:])
        if self.channel.closed:
            self.hang_up()

    def do_launch(self, launches: list[dict[str, Any]]) -> None:
        for launch in launches:
            known = launch["id"]
            if known in self.runs or known in self.ends:
                self.tell(known)
                continue
            new = Run(**launch)
            self.runs[new.id] = new
            self.queue.append(new)

    def do_stop(self, run_id: str, grace: float) -> None:
        known = self.runs.get(run_id)
        if known is None:
            return
        if not known.pid:
            known.reason = run.CANCEL  # still in the queue: `start_some` will see it
        elif known.pid in self.lives.by_pid:
            self.lives.stop(known, run.CANCEL, grace)

    def do_adopt(self, run_ids: list[str]) -> None:
        for run_id in run_ids:
            if run_id in self.runs or run_id in self.ends:
                self.tell(run_id)
            else:
                self.said.append(("never", run_id))

    def do_acknowledge(self, run_ids: list[str]) -> None:
        known = [run_id for run_id in run_ids if self.ends.pop(run_id, None) is not None]
        if known:
            self.journal.acknowledge(known)
            crashpoint("acknowledged")
        self.told.difference_update(known)

    def do_retire(self) -> None:
        """No new runs will come: end after the last one is acknowledged."""
        self.leaving = True

    def tell(self, run_id: str) -> None:
        """How this run is, again."""
        if run_id in self.ends:
            self.tell_end(run_id)
        elif self.runs[run_id].pid:
            known = self.runs[run_id]
            self.said.append(("started", run_id, known.started_at, known.pid, known.pid_start))

    def tell_end(self, run_id: str) -> None:
        if run_id not in self.told:
            self.told.add(run_id)
            self.said.append(("ended", run_id, marshal.loads(self.ends[run_id])))

    def say(self, now: float) -> None:
        """Send what there is to tell, in one frame; during a burst of starts only now and then."""
        if self.channel is None:
            self.said.clear()
            return
        if self.said and (not self.queue or now - self.said_at >= TELL_WITHIN):
            self.said_at = now
            ended = any(message[0] == "ended" for message in self.said)
            self.channel.send(self.said)
            self.said = []
            if ended:
                crashpoint("told")
        wanted = (select.EPOLLIN if len(self.queue) < ENOUGH else 0) | (select.EPOLLOUT if self.channel.unsent else 0)
        if wanted != self.wanted:
            self.wanted = wanted
            self.poller.modify(self.channel.socket.fileno(), wanted)

    # --- starting

    def start_some(self) -> None:
        """Start the next few of the queue."""
        batch = [self.queue.popleft() for _ in range(min(SPAWN_CHUNK, len(self.queue)))]
        batch = [new for new in batch if not self.stopped_before(new)]
        if not batch:
            return
        intents = []
        for new in batch:
            new.groups = cgroup.plan(new)
            groups = [os.fsencode(path) for path in new.groups.paths] if new.groups else []
            intents.append((new.id, new.dir, groups, new.output_max, new.separate))
        try:
            self.journal.intend(intents)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            for new in batch:
                self.refuse(new, f"cannot write the journal of starts: {reason}; free some disk space")
            return
        crashpoint("intent")
        for new in batch:
            try:
                spawn.prepare(new)
                before = since_boot_ns()
                new.pid = spawn.start(new, self.null)
            except (spawn.StartError, OSError) as error:
                self.refuse(new, str(error))
                continue
            crashpoint("spawned")
            self.lives.started(new, before)
            for pipe in new.pipes:
                self.pipes[pipe.fd] = pipe
                self.poller.register(pipe.fd, select.EPOLLIN)
            # Each at once: whoever takes over then finds at most one program that nobody has written down.
            self.journal.record([(journal.STARTED, new.id, new.pid, new.pid_start, new.started_at)])
            crashpoint("started")
            self.said.append(("started", new.id, new.started_at, new.pid, new.pid_start))
        os.chdir("/")  # keep no file system busy

    def stopped_before(self, new: Run) -> bool:
        """It was cancelled while it waited in the queue."""
        if new.reason == run.EXIT:
            return False
        self.conclude([new])
        return True

    def refuse(self, new: Run, error: str) -> None:
        new.reason = run.START_ERROR
        new.error = error
        self.conclude([new])

    # --- ending

    def conclude(self, over: list[Run]) -> None:
        """These runs are over, their trees too: journal the ends and tell them."""
        if not over:
            return
        crashpoint("tree")
        records = []
        for known in over:
            for pipe in known.pipes:
                self.pipes.pop(pipe.fd, None)
            end = known.end(known.exit_at or now_us())
            self.ends[known.id] = marshal.dumps(end)
            del self.runs[known.id]
            records.append((journal.ENDED, known.id, end))
        self.journal.record(records)
        crashpoint("ended")
        for known in over:
            self.tell_end(known.id)
