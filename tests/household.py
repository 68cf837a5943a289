"""A home with a git repository, and a real daemon on it: what the end-to-end and crash tests drive.

Everything is a real process, real git, real SQLite. `Household.close` ends every process it started, also the
supervisors and the runs a killed daemon left behind.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from state.home import Home
from state.reads import Reader
from state.records import JobRecord, Run

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 20.0
"""Seconds until a condition that must come true is given up: only ever waited out by a failing test."""


def eventually(condition: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """The first truthy answer of `condition`; AssertionError naming `what` when none comes."""
    deadline = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.02)


class Household:
    """One home under test."""

    def __init__(self, root: Path, *, program: list[str] | None = None, env: Mapping[str, str] | None = None) -> None:
        self.home = Home(root)
        self.program = program or [sys.executable, "-m", "jobsctl"]
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(root), **(env or {})}
        self.env.pop("JOBSCTL_HOME", None)
        self.daemon: subprocess.Popen[bytes] | None = None
        self.home.specs.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "ops@example.org")
        self.git("config", "user.name", "Ops")
        (root / ".gitignore").write_text(".jobsctl/\n", encoding="utf-8")

    # -- the repository

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.home.root), *words], capture_output=True, text=True, check=True, env=self.env
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.home.specs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        spare = path.with_name(f".{path.name}.tmp")
        spare.write_text(text, encoding="utf-8")
        spare.replace(path)

    def commit(self, files: Mapping[str, str | None], message: str = "change") -> str:
        """Write (None: remove) files below the specs directory and commit. The commit's full hash."""
        for name, text in files.items():
            if text is None:
                (self.home.specs / name).unlink()
            else:
                self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    # -- the daemon

    def start(self, *options: str, env: Mapping[str, str] | None = None, ready: bool = True) -> None:
        log = (self.home.root / "daemon.log").open("ab")
        self.daemon = subprocess.Popen(
            [*self.program, "--home", str(self.home.root), "daemon", *(options or ("--listen", "none"))],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**self.env, **(env or {})},
        )  # fmt: skip
        log.close()
        if ready:
            eventually(self.is_ready, f"the daemon is ready\n{self.log()}")

    def is_ready(self) -> bool:
        assert self.daemon is not None
        assert self.daemon.poll() is None, f"the daemon ended: {self.daemon.returncode}\n{self.log()}"
        beat = self.heartbeat()
        return beat.get("pid") == self.daemon.pid and beat.get("state") == "ready"

    def heartbeat(self) -> dict[str, Any]:
        try:
            beat: dict[str, Any] = json.loads(self.home.heartbeat.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return beat

    def log(self) -> str:
        path = self.home.root / "daemon.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self) -> None:
        """`kill -9` of the daemon alone."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait(10)

    def stop(self) -> int:
        """An orderly stop; the exit code."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(15)

    def supervisors(self) -> list[int]:
        """Process ids of living supervisors of this home."""
        return [
            pid for pid, command in _processes() if str(self.home.supervisors) in command and "supervisor" in command
        ]

    def close(self) -> None:
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait(10)
        marks = (str(self.home.root),)
        for _ in range(50):
            left = [pid for pid, command in _processes(with_environment=True) if any(mark in command for mark in marks)]
            if not left:
                return
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)

    # -- what readers see

    def jobsctl(self, *words: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.program, "--home", str(self.home.root), *words],
            capture_output=True, text=True, env=self.env, input=stdin, cwd=self.home.root, timeout=60,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def job(self, identity: str) -> JobRecord | None:
        with Reader(self.home.database) as reader:
            return next((job for job in reader.jobs(archived=None) if job.identity == identity), None)

    def runs(self, identity: str) -> list[Run]:
        """All rows of a job, oldest first."""
        return self.books(identity)[1]

    def books(self, identity: str) -> tuple[JobRecord, list[Run]]:
        """A job and all its rows, oldest first, as they are at one moment: its slots come while we read."""
        with Reader(self.home.database) as reader:
            while True:
                job, found = reader.job(identity), list[Run]()
                while page := list(
                    reader.runs(job_id=job.id, order="asc", limit=1000, after=found[-1].id if found else None)
                ):
                    found += page
                if reader.job(identity) == job:
                    return job, found


def _processes(*, with_environment: bool = False) -> list[tuple[int, str]]:
    found = []
    for name in (path.name for path in Path("/proc").iterdir()):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            text = Path(f"/proc/{name}/cmdline").read_bytes()
            if with_environment:
                text += b"\0" + Path(f"/proc/{name}/environ").read_bytes()
        except OSError:
            continue
        found.append((int(name), text.replace(b"\0", b" ").decode("utf-8", "replace")))
    return found
