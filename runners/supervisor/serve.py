"""The supervisor's loop: commands in, processes started, watched, stopped and reaped, ends journaled and told.

Made by `main`. One thread; it never waits for anything but the whole of its descriptors, or longer than one disk write.
"""

from __future__ import annotations

import _socket
import os
import select
from _collections import deque

from runners.supervisor import journal, run, spawn, tree
from runners.supervisor.crash import crashpoint
from runners.supervisor.journal import Journal
from runners.supervisor.run import Run
from runners.supervisor.wall import monotonic, now_us
from runners.supervisor.wire import PROTOCOL, BrokenFrame, Channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TERM, KILL, CONT = 15, 9, 18
SPAWN_CHUNK = 32
"""Starts between two looks at everything else. Their intents are one write, their `started` another."""
YOUNG, SWEEP_YOUNG, SWEEP_OLD = 10.0, 0.25, 1.0
"""Seconds: a run is young for YOUNG; how often output sizes and deadlines are looked at while any is, and later."""


class Supervisor:
    """All state of the process."""

    def __init__(self, directory: str, name: str, listener: int, awake: int) -> None:
        self.name = name
        self.directory = directory
        self.runs: dict[str, Run] = {}
        """Queued, running, or with a tree that is not gone yet."""
        self.ends: dict[str, dict[str, Any]] = {}
        """Not acknowledged yet."""
        self.by_pid: dict[int, Run] = {}
        self.queue: deque[Run] = deque()
        self.ending: dict[str, Run] = {}
        """Main process gone, tree not known to be gone."""
        self.said: list[tuple[Any, ...]] = []
        """Messages of this turn of the loop."""
        self.told: set[str] = set()
        """Ends the present daemon was told."""
        self.leaving = False
        self.channel: Channel | None = None
        self.journal = Journal(f"{directory}/{name}.journal", create=True)
        self.null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self.awake = awake
        self.listener = _socket.socket(fileno=listener)
        self.listener.setblocking(False)
        os.set_inheritable(listener, False)
        self.poller = select.epoll()
        self.poller.register(awake, select.EPOLLIN)
        self.poller.register(listener, select.EPOLLIN)
        self.next_sweep = 0.0
        self.waited_for = True
        """Nobody has connected yet: the daemon that started this process is about to."""

    def leave(self) -> None:
        """End when the last run is over, also when a daemon is connected."""
        self.leaving = True

    # --- the loop

    def serve(self) -> None:
        """Until nothing lives, and what is left to tell is in the journal."""
        while not self.done():
            for fd, event in self.poller.poll(self.patience()):
                self.handle(fd, event)
            self.reap()
            self.start_some()
            now = monotonic()
            if now >= self.next_sweep:
                self.sweep(now)
            self.finish_trees(now)
            self.say()
        self.journal.close()
        os.unlink(f"{self.directory}/{self.name}.sock")

    def done(self) -> bool:
        if self.runs or self.journal.owes or self.waited_for:
            return False
        if self.channel is None:
            return True
        return self.leaving and not self.ends and not self.channel.unsent

    def patience(self) -> float:
        """Seconds the loop may sleep; -1 for ever."""
        if self.queue:
            return 0
        if not self.runs and not self.journal.owes:
            return -1
        return max(0.0, self.next_sweep - monotonic())

    def handle(self, fd: int, event: int) -> None:
        if fd == self.awake:
            try:
                os.read(fd, 4096)
            except BlockingIOError:
                pass
        elif fd == self.listener.fileno():
            self.welcome()
        elif self.channel is not None and fd == self.channel.socket.fileno():
            if event & select.EPOLLOUT:
                self.channel.flush()
            if event & ~select.EPOLLOUT:
                self.listen()

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
        self.waited_for = False
        self.poller.register(fd, select.EPOLLIN)
        self.channel.send([("hello", PROTOCOL, self.name, os.getpid())])
        for run_id in self.ends:
            self.tell_end(run_id)

    def hang_up(self) -> None:
        if self.channel is not None:
            self.poller.unregister(self.channel.socket.fileno())
            self.channel.close()
            self.channel = None

    def listen(self) -> None:
        """Carry out everything the daemon has sent."""
        if self.channel is None:
            return
        try:
            commands = self.channel.receive()
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
        if known is not None and run_id not in self.ending:
            self.stop(known, run.CANCEL, grace)

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
            self.said.append(("ended", run_id, self.ends[run_id]))

    def say(self) -> None:
        """Send what this turn has to tell, in one frame."""
        if self.channel is None:
            self.said.clear()
            return
        if self.said:
            ended = any(message[0] == "ended" for message in self.said)
            self.channel.send(self.said)
            self.said = []
            if ended:
                crashpoint("told")
        wanted = select.EPOLLIN | (select.EPOLLOUT if self.channel.unsent else 0)
        self.poller.modify(self.channel.socket.fileno(), wanted)

    # --- starting

    def start_some(self) -> None:
        """Start the next few of the queue."""
        batch = [self.queue.popleft() for _ in range(min(SPAWN_CHUNK, len(self.queue)))]
        batch = [new for new in batch if not self.stopped_before(new)]
        if not batch:
            return
        try:
            self.journal.intend([(new.id, new.dir, []) for new in batch])
        except OSError as error:
            for new in batch:
                self.refuse(
                    new, f"cannot write the journal of starts: {os.strerror(error.errno or 0)}; free some disk space"
                )
            return
        records: list[tuple[Any, ...]] = []
        for new in batch:
            try:
                spawn.prepare(new)
                new.pid = spawn.start(new, self.null)
            except (spawn.StartError, OSError) as error:
                self.refuse(new, str(error))
                continue
            crashpoint("spawned")
            new.started_at = now_us()
            new.started_mono = monotonic()
            new.pid_start = tree.start_of(new.pid)
            if new.timeout is not None:
                new.deadline = new.started_mono + new.timeout
                self.next_sweep = min(self.next_sweep, new.deadline)
            self.by_pid[new.pid] = new
            new.launched()
            records.append((journal.STARTED, new.id, new.pid, new.pid_start, new.started_at))
        os.chdir("/")  # keep no file system busy
        if records:
            self.journal.record(records)
            crashpoint("started")
            self.said += [("started", run_id, at, pid, start) for _, run_id, pid, start, at in records]
            self.next_sweep = min(self.next_sweep, monotonic() + SWEEP_YOUNG)

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

    # --- stopping

    def stop(self, known: Run, reason: str, grace: float) -> None:
        """TERM to the tree; KILL follows after `grace` seconds. A second stop can only shorten the grace."""
        if known.reason != run.EXIT:
            if known.kill_at is not None:
                known.kill_at = min(known.kill_at, monotonic() + grace)
                self.next_sweep = min(self.next_sweep, known.kill_at)
            return
        known.reason = reason
        if not known.pid:
            return
        self.journal.record([(journal.STOP, known.id, reason, now_us())])
        known.deadline = None
        known.kill_at = monotonic() + grace
        self.next_sweep = min(self.next_sweep, known.kill_at)
        tree.send_group(TERM, known.pid)
        tree.send_group(CONT, known.pid)

    def sweep(self, now: float) -> None:
        """Deadlines."""
        self.journal.retry()
        due = now + SWEEP_OLD
        for known in self.by_pid.values():
            if known.deadline is not None and now >= known.deadline:
                self.stop(known, run.TIMEOUT, known.grace)
            if known.kill_at is not None:
                if now >= known.kill_at:
                    tree.send_group(KILL, known.pid)
                    known.kill_at = now + SWEEP_OLD
                due = min(due, known.kill_at)
            if known.deadline is not None:
                due = min(due, known.deadline)
            if now - known.started_mono < YOUNG:
                due = min(due, now + SWEEP_YOUNG)
        self.next_sweep = due

    # --- ending

    def reap(self) -> None:
        """Take the status of every child that has ended, journaling it before the kernel forgets it."""
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            except ChildProcessError:
                return
            if info is None:
                return
            pid = info.si_pid
            known = self.by_pid.pop(pid, None)
            if known is None:
                os.waitpid(pid, 0)
                continue
            known.exit_at = now_us()
            known.status = info.si_status << 8 if info.si_code == os.CLD_EXITED else info.si_status
            tree.send_group(KILL, pid)
            self.journal.record([(journal.EXIT, known.id, known.status, known.exit_at)])
            crashpoint("exit")
            _, _, usage = os.wait4(pid, 0)
            crashpoint("reaped")
            known.cpu_us += int((usage.ru_utime + usage.ru_stime) * 1e6)
            known.peak = max(known.peak, usage.ru_maxrss * 1024)
            self.ending[known.id] = known

    def finish_trees(self, now: float) -> None:
        if self.ending:
            gone = list(self.ending.values())
            self.ending.clear()
            self.conclude(gone)

    def conclude(self, gone: list[Run]) -> None:
        """These runs are over, their trees too: journal the ends and tell them."""
        crashpoint("tree")
        records = []
        for known in gone:
            end = known.end(known.exit_at or now_us())
            self.ends[known.id] = end
            del self.runs[known.id]
            records.append((journal.ENDED, known.id, end))
        self.journal.record(records)
        crashpoint("ended")
        for known in gone:
            self.tell_end(known.id)
