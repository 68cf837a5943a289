"""A home in a temporary folder, and the real program called on it: in this process, with a clock that stands still."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import jobsctl as jobsctl_package
from cli.main import run
from cli.options import Settings
from specs.load import load_bytes
from state.home import Home
from state.ids import new_id
from state.inbox import Request, read_requests, remove_request
from state.records import JobRecord, Reason, RequestRecord, Run, RunState, SourceState, Trigger
from state.store import RunEnd, RunStarted, Skip, Store

NOW = 1_795_248_000_000_000
"""2026-11-21 08:00:00Z."""


@dataclass(frozen=True)
class Done:
    """What a call left behind."""

    code: int
    out: str
    err: str


class StoppedClock:
    """Wall clock stands still; the monotonic one goes on, so that waiting ends."""

    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return self.monotonic()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, tmp_path):
    """No variable of the developer's shell reaches a test; programs that a test starts find the checkout."""
    for name in list(os.environ):
        if name.startswith("JOBSCTL_") or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(Path(jobsctl_package.__file__).parents[1]))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home: `jobs/` only."""
    home = Home(tmp_path / "home")
    home.specs.mkdir(parents=True)
    return home


@pytest.fixture
def jobsctl(capsysbinary, home) -> Callable[..., Done]:
    """`jobsctl("list", "-o", "json")` on `home`."""

    def call(*arguments: object) -> Done:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments], Settings(home_option=home.root, clock=StoppedClock()))
        captured = capsysbinary.readouterr()
        return Done(int(code), captured.out.decode(), captured.err.decode())

    return call


MINUTE = 60_000_000
HOUR = 60 * MINUTE

HELLO = """\
name: hello
description: Says hello.
labels: {team: ops}
schedule: every 10m
run: {command: [echo, hello]}
"""


_AT_THE_BEGINNING = ("trigger", "scheduled_for", "requested_by", "attempt", "upstream")


class Known:
    """Puts jobs, runs and events into the home's database as the daemon would, through `state.store`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.store = Store.open(home.database, now=NOW - 100 * HOUR)

    def job(self, text: str = HELLO, *, path: str = "hello.yaml", **fields: Any) -> JobRecord:
        """Store the one job of `text`, and write the file it came from."""
        (self.home.specs / path).write_text(text)
        found = load_bytes(text.encode(), path)
        assert not found.invalid, found.diagnostics
        (job,) = found.jobs
        defaults: dict[str, Any] = {
            "created_at": NOW - 24 * HOUR, "applied_at": NOW - 24 * HOUR, "anchor_at": NOW - 24 * HOUR,
            "cursor_at": NOW - 5 * MINUTE, "next_at": NOW + 5 * MINUTE,
        }  # fmt: skip
        return self.store.put_job(
            JobRecord(
                project=job.project, name=job.name, spec=job.spec, digest=job.digest, path=job.path, line=job.line,
                **(defaults | fields),
            )
        )  # fmt: skip

    def update(self, job: JobRecord, **fields: Any) -> JobRecord:
        """Change what `put_job` changes."""
        stored = self.store.job(job.id)
        return self.store.put_job(replace(stored, **fields))

    def run(self, job: JobRecord, *, ago: int = 10 * MINUTE, state: RunState = RunState.SUCCEEDED,
            took: int = 1_500_000, **end: Any) -> Run:  # fmt: skip
        """A run that was made `ago` before NOW and is in `state`."""
        at = NOW - ago
        made = {key: end.pop(key) for key in _AT_THE_BEGINNING if key in end}
        run = self.new_run(job, **({"created_at": at, "trigger": Trigger.SCHEDULE, "scheduled_for": at} | made))
        self.store.insert_runs([run])
        if state is RunState.PENDING:
            return run
        self.store.started([RunStarted(run_id=run.id, at=at + 20_000, pid=4711, pid_start=1)])
        if state is RunState.RUNNING:
            return run
        defaults: dict[str, Any] = {
            "reason": Reason.SUCCEEDED if state is RunState.SUCCEEDED else Reason.EXIT_CODE,
            "exit_code": 0 if state is RunState.SUCCEEDED else 1,
            "error": None if state is RunState.SUCCEEDED else "exit code 1",
            "cpu_seconds": 0.25, "peak_memory": 3 << 20, "output_bytes": 6,
        }  # fmt: skip
        self.store.finished([RunEnd(run_id=run.id, at=at + 20_000 + took, state=state, **(defaults | end))])
        return run

    def waiting(self, job: JobRecord, reason: Reason, *, ago: int = 0, **fields: Any) -> Run:
        """A blocked run that was made `ago` before NOW."""
        given = {"created_at": NOW - ago, "trigger": Trigger.SCHEDULE, "scheduled_for": NOW - ago} | fields
        run = replace(self.new_run(job, **given), state=RunState.BLOCKED, reason=reason)
        self.store.insert_runs([run])
        return run

    def new_run(self, job: JobRecord, **fields: Any) -> Run:
        """A pending run that is not stored yet; by default asked for, NOW."""
        defaults: dict[str, Any] = {"created_at": NOW, "trigger": Trigger.MANUAL, "scheduled_for": None}
        merged = defaults | fields
        return Run(
            id=new_id(merged["created_at"]), job_id=job.id, project=job.project, job=job.name,
            generation=job.generation, digest=job.digest, revision=job.revision, state=RunState.PENDING, **merged,
        )  # fmt: skip

    def skip(self, job: JobRecord, *, reason: Reason, count: int = 1) -> None:
        """Slots that did not run, up to five minutes ago."""
        last = NOW - 5 * MINUTE
        skip = Skip(job_id=job.id, first=last - (count - 1) * MINUTE, last=last, count=count, reason=reason, at=last,
                    generation=job.generation)  # fmt: skip
        self.store.skip([skip])

    def source(self, **fields: Any) -> None:
        """The last look at the files."""
        defaults: dict[str, Any] = {
            "root": str(self.home.specs), "revision": "main@sha1:" + "1a2b3c4d" * 5, "scanned_at": NOW - 3_000_000,
            "files": 1, "jobs": 1, "invalid": 0,
        }  # fmt: skip
        self.store.set_source(SourceState(**(defaults | fields)))


@pytest.fixture
def known(home: Home) -> Iterator[Known]:
    """The home's database, and the daemon's pen."""
    known = Known(home)
    yield known
    known.store.close()


class Answering:
    """A stand-in for the daemon: hears the doorbell, answers every request as `answer` says, in a thread.

    `answer(request, store)` gives the outcome, the message and the run id.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.asked: list[Request] = []
        self.answer: Callable[[Request, Store], tuple[str, str, str | None]] = lambda request, store: (
            "done",
            f"{request.kind} done",
            None,
        )
        home.state.mkdir(mode=0o700, exist_ok=True)
        self._bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._bell.bind(str(home.doorbell))
        self._bell.settimeout(10)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        store = Store.open(self.home.database, now=NOW)
        while self._bell.recv(16) != b"stop":
            for request in read_requests(self.home):
                assert isinstance(request, Request), request
                self.asked.append(request)
                outcome, message, run_id = self.answer(request, store)
                record = RequestRecord(
                    id=request.id, kind=request.kind, identity=request.identity, run_id=run_id,
                    requested_by=request.requested_by, requested_at=request.requested_at, handled_at=NOW,
                    outcome=outcome, message=message,
                )  # fmt: skip
                remove_request(self.home, request.id)
                if outcome != "silence":
                    store.record_request(record)
        store.close()

    def stop(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"stop", str(self.home.doorbell))
        self._thread.join(10)
        self._bell.close()


@pytest.fixture
def daemon(home: Home) -> Iterator[Answering]:
    """A daemon that answers."""
    answering = Answering(home)
    yield answering
    answering.stop()
