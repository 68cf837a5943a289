"""Finds what is left of ended runs: children of the supervisor that are nobody's main process.

Called by the loop after a main process has ended. Looking at every process costs 10 us each, too much for every
`/bin/true`. But numbers of processes are given out in order: what a young run can have left lies between its own
number and the newest.
"""

from __future__ import annotations

import os
from _collections import deque  # type: ignore[import-not-found]

from runners.supervisor import tree
from runners.supervisor.tree import Process
from runners.supervisor.wall import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from runners.supervisor.run import Run

_FORKS_PER_SECOND = 10_000
"""Of one processor, at most: when the numbers may have come round."""
_FEW = 100
"""Numbers that are looked at one by one before a look at all processes is cheaper."""
_DUTY = 5
"""A look at all processes that took t is not repeated within t times this."""


class Strays:
    """What is known of processes that are not main processes."""

    def __init__(self) -> None:
        self.me = os.getpid()
        self.next_look = 0.0
        """Before this (seconds of `wall.monotonic`) no look at all processes."""
        self._owner: dict[tuple[int, int], set[str]] = {}
        """(pid, start) of processes that left their run's session or parent: the run, or those it may be of."""
        self._loadavg = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
        with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
            self._pid_max = int(file.read())
        self._round = min(2.0, self._pid_max / (_FORKS_PER_SECOND * (os.cpu_count() or 1)))
        self._started: deque[tuple[float, int]] = deque()
        self._mains: dict[int, float] = {}
        """Main processes of the last moments, ended ones too: when each was started."""

    def started(self, run: Run) -> None:
        """A main process came to life."""
        self._mains[run.pid] = run.started_mono
        self._started.append((run.started_mono, run.pid))
        while self._started[0][0] < run.started_mono - 2 * self._round:
            at, pid = self._started.popleft()
            if self._mains.get(pid) == at:
                del self._mains[pid]

    def processes(self, ended: Collection[Run], now: float) -> dict[int, Process] | None:
        """Every process that can be of the trees of `ended`; None when it is too early to look again."""
        oldest = min(ended, key=lambda run: run.started_mono)
        if now - oldest.started_mono < self._round:
            numbers = self._since(oldest)
            if numbers is not None:
                return {pid: process for pid in numbers if (process := tree.look(pid))}
        if now < self.next_look:
            return None
        found = tree.scan()
        after = monotonic()
        self.next_look = after + (after - now) * _DUTY
        return found

    def _since(self, oldest: Run) -> list[int] | None:
        newest = int(os.pread(self._loadavg, 128, 0).split()[4])
        numbers = []
        pid = oldest.pid
        while pid != newest:
            pid = pid + 1 if pid < self._pid_max else 1
            if self._mains.get(pid, -1.0) < oldest.started_mono:
                numbers.append(pid)
                if len(numbers) > _FEW:
                    return None
        return numbers

    def of(
        self, processes: dict[int, Process], mains: dict[int, Run], active: dict[str, Run]
    ) -> dict[str, list[Process]]:
        """The strays among `processes`, by run. `mains`: live main processes. `active`: live runs and those
        being ended.

        One that cannot be told apart (it cleared its environment and left its session) is given to nobody while one of
        the runs it may be of is alive. Under "": all of those are over, it should not be there.
        """
        found: dict[str, list[Process]] = {}
        for process in processes.values():
            if process.ppid != self.me or process.pid in mains or process.dead:
                continue
            key = process.pid, process.start
            owners = self._owner.get(key)
            if owners is None:
                owners = self._owner[key] = self._owners(process, active)
            owners &= active.keys()
            if len(owners) > 1 and any(active[run_id].status is None for run_id in owners):
                continue
            for run_id in owners or ("",):
                found.setdefault(run_id, []).append(process)
        return found

    def _owners(self, process: Process, active: dict[str, Run]) -> set[str]:
        named = tree.run_id_of(process.pid)
        if named in active:
            return {named}
        for run in active.values():
            if run.pid and run.pid in (process.sid, process.pgid):
                return {run.id}
        return {run.id for run in active.values() if run.pid and run.pid_start <= process.start}

    def remember(self, run: Run, members: list[Process]) -> None:
        """These belong to `run`, as seen while their parents lived."""
        for process in members:
            if process.sid != run.pid:
                self._owner.setdefault((process.pid, process.start), {run.id})

    def owner(self, pid: int) -> str | None:
        """The run of a stray that has just ended, when it was known."""
        for (known, _), owners in self._owner.items():
            if known == pid and len(owners) == 1:
                return next(iter(owners))
        return None

    def forget(self, active: dict[str, Run]) -> None:
        """Drop what is known of runs that are over."""
        if self._owner:
            self._owner = {key: owners for key, owners in self._owner.items() if owners & active.keys()}
