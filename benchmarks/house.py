"""A home with a real daemon on it, started as people start it: what the end-to-end sections measure."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.workshop import CHECKOUT, program
from state.home import Home
from state.reads import Reader


class House:
    """One home. `start` and `stop` may be called again and again."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        self.log = root / "starts.log"
        self.port = free_port()
        self._daemon: subprocess.Popen[bytes] | None = None
        self.home.specs.mkdir(parents=True, exist_ok=True)

    def write_job(self, name: str, schedule: Any, argv: Sequence[str], **fields: Any) -> None:
        """A spec file, as JSON: `specs.load` takes both."""
        document = {"name": name, "schedule": schedule, "run": {"command": list(argv)}, **fields}
        (self.home.specs / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")

    def write_starts(self, count: int, schedule: Any, prefix: str = "job") -> None:
        """`count` jobs that write their start into `log`, all on one schedule."""
        started = str(program("started"))
        for number in range(count):
            name = f"{prefix}-{number:05d}"
            self.write_job(name, schedule, [started, str(self.log), name])

    def start(self, jobs: int, *, http: bool = True, timeout: float = 60) -> float:
        """Start the daemon and wait until it has applied `jobs` jobs. Seconds from the start to then."""
        listen = f"127.0.0.1:{self.port}" if http else "none"
        command = [sys.executable, "-m", "jobsctl", "--home", str(self.home.root), "daemon", "--listen", listen]
        began = time.monotonic()
        with (self.home.root / "daemon.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.wait(lambda: self._applied() == jobs, f"{jobs} jobs applied", timeout)
        return time.monotonic() - began

    def _applied(self) -> int:
        assert self._daemon is not None
        if self._daemon.poll() is not None:
            raise RuntimeError(f"the daemon ended: {self.tail()}")
        if not self.home.heartbeat.exists() or not self.home.database.exists():
            return -1
        beat = json.loads(self.home.heartbeat.read_bytes() or b"{}")
        if beat.get("state") != "ready" or beat.get("pid") != self._daemon.pid:
            return -1
        with self.reader() as reader:
            source = reader.source()
            if source is None or not beat.get("passes"):
                return -1
            return reader.totals().jobs

    def tail(self) -> str:
        """The end of the daemon's log."""
        lines = (self.home.root / "daemon.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-3:])

    def wait(self, condition: Callable[[], bool], what: str, timeout: float = 30) -> None:
        """Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout:.0f} s: {what}; daemon: {self.tail()}")
            time.sleep(0.02)

    def idle(self, timeout: float = 60) -> None:
        """Wait until no run is active. Raises TimeoutError."""
        with self.reader() as reader:
            self.wait(lambda: not reader.runs(active=True, limit=1), "all runs ended", timeout)

    def settle(self, timeout: float = 30) -> None:
        """Wait until a freshly started daemon and its readers have nothing left to do: under 2 % of a processor."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            before = processes.cpu(self.crew().values())
            time.sleep(1.0)
            if processes.cpu(self.crew().values()) - before < 0.02:
                return

    def reader(self) -> Reader:
        """Of the database."""
        return Reader(self.home.database, timeout=5)

    @property
    def daemon(self) -> int:
        """Its process id."""
        assert self._daemon is not None
        return self._daemon.pid

    def crew(self) -> dict[str, int]:
        """Process ids: daemon, supervisor and status process."""
        found = {"daemon": self.daemon}
        # Children only: a run that is just being spawned still has its supervisor's command line.
        for pid in [pid for pid, parent in processes.parents().items() if parent == self.daemon]:
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if b"supervisor" in line:
                found["supervisor"] = pid
            elif b"status" in line:
                found["status"] = pid
        return found

    def memory(self) -> dict[str, int]:
        """PSS in bytes, by process."""
        return {name: processes.pss(pid) for name, pid in self.crew().items()}

    def cpu(self) -> float:
        """Seconds of all three and of the runs that ended."""
        return processes.cpu(self.crew().values())

    def shares(self) -> dict[str, float]:
        """Seconds by process, and of the "programs" of runs that ended."""
        crew = self.crew()
        found = {name: processes.cpu([pid], children=False) for name, pid in crew.items()}
        return {**found, "programs": self.cpu() - sum(found.values())}

    def starts(self) -> dict[str, list[int]]:
        """Nanoseconds at which each job's program began, from the log."""
        return read_starts(self.log)

    def stop(self) -> None:
        """TERM; the supervisor goes when it has no runs left. Again: nothing."""
        if self._daemon is None:
            return
        crew = processes.tree(self._daemon.pid)
        self._daemon.terminate()
        try:
            self._daemon.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        self._daemon = None
        processes.end([pid for pid in crew[1:] if Path(f"/proc/{pid}").exists()])
        processes.end(processes.naming(str(self.home.root)))


@contextmanager
def house(root: Path) -> Iterator[House]:
    """A home at `root`; at the end nothing of it runs."""
    there = House(root)
    try:
        yield there
    finally:
        there.stop()


def read_starts(log: Path) -> dict[str, list[int]]:
    """What `c/started.c` wrote: nanoseconds by tag, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    if log.exists():
        for line in log.read_text(encoding="ascii").splitlines():
            tag, at = line.rsplit(" ", 1)
            found[tag].append(int(at))
    return found


def lateness(starts: Mapping[str, Sequence[int]], slot: int, window: int = 60_000_000_000) -> list[float]:
    """Seconds after the instant `slot` (nanoseconds) at which each start within `window` came, sorted."""
    return sorted((at - slot) / 1e9 for times in starts.values() for at in times if 0 <= at - slot < window)


def next_on_grid(seconds: int, lead: float) -> int:
    """The next multiple of `seconds` since the epoch that is at least `lead` seconds away, in nanoseconds."""
    grid = seconds * 1_000_000_000
    return -(-(time.time_ns() + int(lead * 1e9)) // grid) * grid


def grid(seconds: int) -> dict[str, Any]:
    """A schedule that is due at every multiple of `seconds` since the epoch."""
    return {"every": seconds, "anchor": "2020-01-01T00:00:00Z"}


def sleep_until(at: int) -> None:
    """Until the wall clock shows `at`, nanoseconds."""
    time.sleep(max(0.0, (at - time.time_ns()) / 1e9))


def free_port() -> int:
    """A TCP port of loopback nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
