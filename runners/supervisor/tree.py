"""Processes and their trees, from /proc. Used by the supervisor, and by the daemon for runs it takes over.

A process that outlives its parent becomes a child of the nearest subreaper, the supervisor. So once a run's main
process is gone, what is left of its tree hangs below the supervisor's children that are nobody's main process: the
strays.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
_TICK_NS = 1000 * TICK_US
PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """One process, as it was when it was looked at."""

    __slots__ = ("cpu_us", "pgid", "pid", "ppid", "rss", "sid", "start", "state")

    def __init__(self, pid: int, stat: bytes) -> None:
        # The name is in parentheses and may hold anything, also ") ": the fields start behind the last one.
        fields = stat[stat.rindex(b")") + 2 :].split()
        self.pid = pid
        self.state = fields[0]
        self.ppid = int(fields[1])
        self.pgid = int(fields[2])
        self.sid = int(fields[3])
        self.cpu_us = (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) * TICK_US
        """User and system time, with that of the children it waited for."""
        self.start = int(fields[19])
        """Clock ticks since boot: with the pid, an identity."""
        self.rss = int(fields[21]) * PAGE

    @property
    def dead(self) -> bool:
        return self.state in (b"Z", b"X")


def look(pid: int) -> Process | None:
    """The process, also a zombie; None when there is none."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return Process(pid, os.read(fd, 1024))
    except (OSError, ValueError):
        return None
    finally:
        os.close(fd)


def start_of(pid: int) -> int:
    """Start time of a child that is not reaped yet; 0 when it cannot be read."""
    process = look(pid)
    return process.start if process else 0


class StartTimes:
    """When children were started, in clock ticks since boot, as /proc tells it.

    Reading /proc of a child waits for its exec. But the kernel notes CLOCK_BOOTTIME at the fork (proc_pid_stat(5),
    field 22): two readings of that clock around it, within one tick, say the same.
    """

    __slots__ = ("_same",)

    def __init__(self) -> None:
        self._same: bool | None = None
        """Whether /proc goes by this clock: a sandbox may have a /proc of its own. Seen at the first child."""

    def of(self, pid: int, before: int, after: int) -> int:
        """Of a child that was made between these two instants (`wall.since_boot_ns`) and is not reaped yet."""
        tick = before // _TICK_NS
        if tick != after // _TICK_NS or self._same is False:
            return start_of(pid)
        if self._same is None:
            self._same = start_of(pid) == tick
            return self.of(pid, before, after)
        return tick


def scan() -> dict[int, Process]:
    """Every process there is. About 10 us each. None at all when no descriptor is left to look with.

    Then ended runs count as over, which gives descriptors back; who owns the runs must not die of it.
    """
    found: dict[int, Process] = {}
    try:
        names = os.listdir("/proc")
    except OSError:
        return found
    for name in names:
        if name.isdigit() and (process := look(int(name))):
            found[process.pid] = process
    return found


def children_of(processes: dict[int, Process]) -> dict[int, list[Process]]:
    """The processes by their parent."""
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.ppid, []).append(process)
    return children


def below(
    processes: dict[int, Process], roots: Iterable[int], children: dict[int, list[Process]] | None = None
) -> list[Process]:
    """`roots` and all their living descendants. `children`: of these processes, for callers that ask more than once."""
    if children is None:
        children = children_of(processes)
    found: dict[int, Process] = {}
    todo = [processes[pid] for pid in roots if pid in processes]
    while todo:
        process = todo.pop()
        if process.pid not in found:
            found[process.pid] = process
            todo += children.get(process.pid, ())
    return [process for process in found.values() if not process.dead]


def run_id_of(pid: int) -> str | None:
    """JOBSCTL_RUN_ID of its environment, as it was at its exec; None when it has none or may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            data = file.read(1 << 20)
    except OSError:
        return None
    at = data.find(b"JOBSCTL_RUN_ID=")
    if at < 0 or (at and data[at - 1]):
        return None
    end = data.find(b"\0", at)
    return data[at + 15 : end if end >= 0 else None].decode("ascii", "replace")


def send(signal: int, processes: Iterable[Process]) -> int:
    """Send to each that is still the one that was looked at. How many took it."""
    sent = 0
    for process in processes:
        now = look(process.pid)
        if now is None or now.start != process.start or now.dead:
            continue
        try:
            os.kill(process.pid, signal)
            sent += 1
        except OSError:
            pass
    return sent


def send_group(signal: int, leader: int) -> None:
    """To the process group of a leader that is not reaped yet, so that its number cannot be another's."""
    try:
        os.killpg(leader, signal)
    except OSError:
        pass
