"""A home with little of everything: disk, watches, descriptors, series; and a reader that does not let go."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.health.database import LARGE_WAL
from reconciler.clock import SystemClock
from tests.alerting.server import Prometheus
from tests.alerting.watched import Watched, job
from tests.components import lacking, program
from tests.household import eventually

SIZE = 2 << 30
"""Bytes of its file system, in a file with holes: what is only allocated takes no room on the machine's disk."""
CONFIG = "metrics: {{max_jobs: {jobs}}}\n"
ALONE = ("unshare", "--user", "--map-root-user")
"""In a user namespace of its own: there a limit may be set without touching that of others."""
PLAIN = [sys.executable, "-m", "jobsctl"]
LATE = 6.0
"""Seconds: more than the 5 the alert is about, in the histogram's bucket above."""
LARGE, MANY = 250_000, 60
"""Bytes of a spec (it may have 262,144), and how many: 20 to 30 MB in the log whenever all are changed."""
SPARE = 3
"""Descriptors left: enough for the heartbeat and for looking at files, too few to start a process."""


class Cramped(Watched):
    """A daemon that is late for one slot, and whose log grows. All that happens in the background: see `settle`."""

    def __init__(self, root: Path, prometheus: Prometheus, address: str) -> None:
        state = root / "home" / ".jobsctl"
        state.mkdir(parents=True)
        self._image = root / "disk.img"
        self.mounted = _mount(self._image, state)
        self.alone = subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
        super().__init__(root, prometheus, address)
        self.mended = root / "mended"
        self.reader: sqlite3.Connection | None = None
        self._clock = SystemClock()
        self._worker = ThreadPoolExecutor(1, "trouble")
        self._trouble: Future[None] | None = None

    def open(self) -> None:
        """Begins to."""
        self._trouble = self._worker.submit(self._make_trouble)

    def start(self, *, most_jobs: int) -> None:
        """The daemon, with series for so many jobs."""
        self.household.home.config.write_text(CONFIG.format(jobs=most_jobs), encoding="utf-8")
        self.household.program = [*ALONE, *PLAIN] if self.alone else PLAIN
        self.household.start("--listen", self.address)
        self.household.program = PLAIN

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)
        if self.reader is not None:
            self.reader.close()
        super().close()
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.household.home.state)], check=True)
        self._image.unlink()  # pytest keeps what tests leave, and this is large

    def settle(self) -> None:
        """Waits until the trouble is made; raises what went wrong with that."""
        assert self._trouble is not None
        self._trouble.result(120)

    @property
    def daemon(self) -> int:
        """Its process id."""
        assert self.household.daemon is not None
        return self.household.daemon.pid

    # -- what is done to it

    def leave(self, room: int) -> None:
        """Have its file system so many bytes free."""
        if not self.mounted:
            lacking("only root may mount a loop device, and mkfs.ext4 must be there")
        ballast = self.household.home.state / "ballast"
        ballast.unlink(missing_ok=True)
        free = os.statvfs(ballast.parent)
        descriptor = os.open(ballast, os.O_CREAT | os.O_WRONLY)
        try:
            if (taken := free.f_bavail * free.f_frsize - room) > 0:
                os.posix_fallocate(descriptor, 0, taken)
        finally:
            os.close(descriptor)

    def watches(self, most: int) -> None:
        """How many watches the kernel gives its daemon."""
        if not self.alone:
            lacking("this machine allows no user namespaces")
        subprocess.run(
            ["nsenter", "--user", "--preserve-credentials", f"--target={self.daemon}",
             "sh", "-c", f"echo {most} > /proc/sys/user/max_inotify_watches"],
            check=True,
        )  # fmt: skip

    def few_descriptors(self) -> tuple[int, int]:
        """Let its daemon have `SPARE` more descriptors than it has. The limits that were."""
        taken = set.intersection(*(_descriptors(self.daemon) for _ in range(20)))
        limits = resource.prlimit(self.daemon, resource.RLIMIT_NOFILE)
        most = [number for number in range(len(taken) + SPARE + 1) if number not in taken][SPARE]
        resource.prlimit(self.daemon, resource.RLIMIT_NOFILE, (most, limits[1]))
        return limits

    def _make_trouble(self) -> None:
        if self.mounted:
            self.leave(900 << 20)
        if_mended = f"[ -e {self.mended} ]"
        self.household.commit(
            {
                "failing.yaml": job("failing", if_mended),
                "late.yaml": job("late", if_mended, "schedule: every 1s", "timeout: 1s", "grace: 1s"),
            }
        )
        self.start(most_jobs=1)
        self.household.jobsctl("trigger", "failing")
        self._start_late()
        self._lengthen_log()

    def _start_late(self) -> None:
        """Stop the daemon over the one slot of a job."""
        number = 0
        while not self._stopped_before(number, int(self._clock.now() / 1e6) + 2):
            number += 1

    def _stopped_before(self, number: int, due: int) -> bool:
        """Whether the daemon knew of the slot, and was stopped before it and until `LATE` after."""
        instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due))
        self.household.write(f"once-{number}.yaml", job(f"once-{number}", "true", f"schedule: '{instant}'"))
        eventually(lambda: self.household.job(f"default/once-{number}"), "the job is known")
        os.kill(self.daemon, signal.SIGSTOP)
        try:
            if self._clock.now() / 1e6 >= due:
                return False
            time.sleep(due + LATE - self._clock.now() / 1e6)
        finally:
            os.kill(self.daemon, signal.SIGCONT)
        return True

    def _lengthen_log(self) -> None:
        """Hold the database as it is, and have the daemon write until its log is long."""
        house = self.household
        self.reader = sqlite3.connect(
            f"{house.home.database.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        self.reader.execute("BEGIN")
        self.reader.execute("SELECT count(*) FROM run").fetchone()
        log = house.home.database.with_name("jobsctl.db-wal")
        text = "x" * LARGE
        for turn in range(100):
            before = log.stat().st_size
            if before > LARGE_WAL:
                return
            for number in range(MANY):
                house.write(f"large-{number}.yaml", job(f"large-{number}", f"{turn}{text}"))
            eventually(lambda size=before: log.stat().st_size > size + MANY * LARGE, "it is written")  # type: ignore[misc]
        raise AssertionError("the log does not grow")


def _mount(image: Path, point: Path) -> bool:
    image.touch()
    os.truncate(image, SIZE)
    try:
        make = program("mkfs.ext4")
    except pytest.skip.Exception:  # only what is about the disk needs it
        return False
    subprocess.run([make, "-q", "-m", "0", str(image)], check=True)
    done = subprocess.run(["mount", "-o", "loop", str(image), str(point)], capture_output=True, check=False)
    return done.returncode == 0


def _descriptors(pid: int) -> set[int]:
    return {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
