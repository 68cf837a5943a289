"""Processes as the kernel accounts for them: memory in PSS (shared pages divided fairly), CPU with reaped children."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


def pss(pid: int) -> int:
    """Bytes. Raises OSError when it is gone."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def cpu(pids: Iterable[int], *, children: bool = True) -> float:
    """Seconds used by these processes, and by children they have waited for. One tick is 10 ms."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        total += sum(map(int, fields[11 : 15 if children else 13]))
    return total * TICK


def parents() -> dict[int, int]:
    """Parent of every process there is."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue
            found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def tree(root: int) -> list[int]:
    """`root` and everything below it."""
    above = parents()
    below = [root]
    for pid in below:
        below += [child for child, parent in above.items() if parent == pid]
    return below


def naming(text: str) -> list[int]:
    """Processes of this user whose command line holds `text`: the path of a directory only we know."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if text.encode() in line:
                found.append(int(entry.name))
    return found


def end(pids: Iterable[int], *, grace: float = 5.0) -> None:
    """TERM, and KILL for what is still there after `grace` seconds. Processes of others' are not ours to name."""
    left = set(pids)
    for signum, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 2.0)):
        for pid in left:
            try:
                os.kill(pid, signum)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + patience
        while left and time.monotonic() < deadline:
            left = {pid for pid in left if _lives(pid)}
            time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
