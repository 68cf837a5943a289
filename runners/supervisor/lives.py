"""The runs that are alive: their deadlines, stops, samples and ends, until nothing of their trees is left.

Made and driven by `serve.Supervisor`; hands back the runs that are over.
"""

from __future__ import annotations

import os

from runners.supervisor import files, journal, run, sample, tree
from runners.supervisor.crash import crashpoint
from runners.supervisor.strays import Strays
from runners.supervisor.tree import StartTimes
from runners.supervisor.wall import monotonic, now_us, since_boot_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.journal import Journal
    from runners.supervisor.run import Run
    from runners.supervisor.tree import Process

TERM, KILL, CONT = 15, 9, 18
YOUNG, SWEEP_YOUNG, SWEEP_OLD = 10.0, 0.25, 1.0
"""Seconds: a run is young for YOUNG; how often output sizes are looked at while any is, and later."""
HUNT = 5.0
"""Seconds of KILL at what is left of a tree; then the end is told, with what could not be killed."""
GRACE_AGAIN = 0.05
"""Seconds between two looks whether what outlived the main process of a stopped run is done, while it has its grace."""
HUNT_AGAIN = 0.01
"""Seconds between two KILLs. A process that forks faster than it is killed is met again and again."""


class Lives:
    """Everything that has a process."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.by_pid: dict[int, Run] = {}
        """Live main processes."""
        self.ending: dict[str, Run] = {}
        """Main process gone, tree not known to be gone."""
        self.active: dict[str, Run] = {}
        """Both."""
        self.strays = Strays()
        self.start_times = StartTimes()
        self.next_sweep = 0.0
        self.next_hunt = 0.0
        self._seen: dict[int, Process] = {}
        self._seen_at = 0.0

    def wake_at(self) -> float | None:
        """When something is due (seconds of `monotonic`); None when nothing is alive."""
        if self.ending:
            return min(self.next_sweep, self.next_hunt)
        return self.next_sweep if self.by_pid else None

    def started(self, new: Run, since: int) -> None:
        """`new.pid` runs; it was made after the instant `since` (`since_boot_ns`)."""
        new.started_at = now_us()
        now = since_boot_ns()
        new.started_mono = now / 1e9
        new.pid_start = self.start_times.of(new.pid, since, now)
        new.next_sample = new.started_mono + sample.next_in(0)
        due = new.started_mono + SWEEP_YOUNG
        if new.timeout is not None:
            new.deadline = new.started_mono + new.timeout
            due = min(due, new.deadline)
        self.next_sweep = min(self.next_sweep, due) if self.by_pid else due
        self.by_pid[new.pid] = new
        self.active[new.id] = new
        self.strays.started(new)
        new.launched()

    # --- stopping

    def stop(self, known: Run, reason: str, grace: float) -> None:
        """TERM to the tree; KILL follows after `grace` seconds. A second stop can only shorten the grace."""
        kill_at = monotonic() + grace
        if known.kill_at is not None:
            known.kill_at = min(known.kill_at, kill_at)
        else:
            known.reason = reason
            known.deadline = None
            known.kill_at = kill_at
            self.journal.record([(journal.STOP, known.id, reason, now_us())])
            self._send(known, TERM)
            self._send(known, CONT)  # a stopped process takes no TERM
        self.next_sweep = min(self.next_sweep, known.kill_at)

    def _send(self, known: Run, signal: int) -> None:
        """To the whole tree of a run whose main process is not reaped."""
        tree.send_group(signal, known.pid)
        tree.send(signal, [process for process in self._members(known) if process.pgid != known.pid])

    def _members(self, known: Run) -> list[Process]:
        now = monotonic()
        if now - self._seen_at > HUNT_AGAIN:  # many stops at one moment share one look
            self._seen = tree.scan()
            self._seen_at = now
        strays = self.strays.of(self._seen, self.by_pid, self.active).get(known.id, ())
        return tree.below(self._seen, [known.pid, *(process.pid for process in strays)])

    # --- watching

    def sweep(self, now: float) -> None:
        """Deadlines, sizes of output, samples of CPU and memory."""
        due = now + SWEEP_OLD
        wall = now_us()
        processes: dict[int, Process] | None = None
        strays: dict[str, list[Process]] = {}
        for known in list(self.by_pid.values()):
            if known.deadline is not None and now >= known.deadline:
                self.stop(known, run.TIMEOUT, known.grace)
            if known.kill_at is not None and now >= known.kill_at:
                self._send(known, KILL)
                known.killed_tree = True
                known.kill_at = now + SWEEP_OLD
            if now >= known.next_index:
                files.look_after(known, wall)
                known.next_index = now + (SWEEP_YOUNG if now - known.started_mono < YOUNG else SWEEP_OLD)
            if now >= known.next_sample:
                if processes is None:
                    processes = tree.scan()
                    strays = self.strays.of(processes, self.by_pid, self.active)
                    children = tree.children_of(processes)
                roots = [known.pid, *(process.pid for process in strays.get(known.id, ()))]
                members = tree.below(processes, roots, children)
                self.strays.remember(known, members)
                sample.record(known, members, wall)
                known.next_sample = now + sample.next_in(now - known.started_mono)
            for when in (known.deadline, known.kill_at, known.next_index):
                if when is not None and when < due:
                    due = when
        self.next_sweep = due

    # --- ending

    def reap(self) -> None:
        """Take the status of every child that has ended. It is journaled before the kernel forgets it."""
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            except ChildProcessError:
                return
            if info is None:
                return
            known = self.by_pid.pop(info.si_pid, None)
            if known is not None:
                known.exit_at = now_us()
                known.status = info.si_status << 8 if info.si_code == os.CLD_EXITED else info.si_status
                if not _in_grace(known, monotonic()):
                    # While it is not reaped its number is its own, so the group is too.
                    tree.send_group(KILL, known.pid)
                self.journal.record([(journal.EXIT, known.id, known.status, known.exit_at)])
                crashpoint("exit")
                self.ending[known.id] = known
                self.next_hunt = 0.0
            else:
                owner = self.strays.owner(info.si_pid)
                known = self.active.get(owner) if owner else None
            _, _, usage = os.wait4(info.si_pid, 0)
            crashpoint("reaped")
            if known is not None:
                known.cpu_us += int((usage.ru_utime + usage.ru_stime) * 1e6)
                known.peak = max(known.peak, usage.ru_maxrss * 1024)

    def finish(self, now: float) -> list[Run]:
        """KILL what is left of ended runs. Those of which nothing is left are over, and returned."""
        if not self.ending or now < self.next_hunt:
            return []
        processes = self.strays.processes(self.ending.values(), now)
        if processes is None:
            self.next_hunt = self.strays.next_look
            return []
        left = self.strays.of(processes, self.by_pid, self.active)
        over = []
        pause = GRACE_AGAIN
        for known in list(self.ending.values()):
            members: list[Process] = []
            if left:
                remains = left.get(known.id, []) + left.get("", [])
                members = tree.below(processes, [process.pid for process in remains])
            if members or (known.groups is not None and known.groups.pids()):
                if _in_grace(known, now):
                    continue
                pause = HUNT_AGAIN
                known.strays_until = known.strays_until or now + HUNT
                if now < known.strays_until:
                    self._hunt(known, members)
                    continue
                known.details["left"] = "could not be killed: " + ", ".join(str(process.pid) for process in members)
            over.append(known)
        for known in over:
            self._over(known)
        if over:
            self.strays.forget(self.active)
        self.next_hunt = now + pause
        return over

    def _hunt(self, known: Run, members: list[Process]) -> None:
        if known.groups is not None:
            known.groups.kill()
        if tree.send(KILL, members):
            known.killed.update(process.pid for process in members)
            known.details["left"] = f"{len(known.killed)} processes were left behind and killed"

    def _over(self, known: Run) -> None:
        """Last looks; nobody writes any more."""
        for pipe in known.pipes:
            pipe.drain()
        files.look_after(known, known.exit_at, last=True)
        files.hide_secrets(known)
        if known.groups is not None:
            if known.reason == run.EXIT and known.status and known.groups.oom_kills():
                known.reason = run.OOM
                known.error = f"over its memory limit of {known.memory} bytes: the kernel killed it"
            known.peak = known.groups.peak() or known.peak
            known.groups.remove()
        del self.ending[known.id]
        del self.active[known.id]


def _in_grace(known: Run, now: float) -> bool:
    """It was stopped, and what is left of its tree may still clean up, as systemd's control groups may."""
    return known.kill_at is not None and not known.killed_tree and now < known.kill_at
