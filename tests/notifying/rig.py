"""A home whose daemon is a test: the real store writes what a daemon would, and the real notify process follows it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

import jobsctl
from reconciler.daemon import notify_command
from specs.load import load_bytes
from state.home import Home
from state.ids import new_id
from state.outbox.reads import OutboxReader
from state.outbox.records import Delivery
from state.outbox.store import Outbox
from state.records import DocumentRecord, JobRecord, Reason, Run, RunState, Trigger
from state.store import RunEnd, RunStarted, Store

SECOND = 1_000_000
PATIENCE = 30.0


def now() -> int:
    """The process under test reads the real clock."""
    return time.time_ns() // 1000  # noqa: TID251


class Rig:
    """One home. `close` ends the process whatever happened."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        self.home.specs.mkdir(parents=True)
        self.store = Store.open(self.home.database, now=now())
        self.process: subprocess.Popen[bytes] | None = None

    def apply(self, text: str, *, at: int | None = None, **changes: Any) -> list[JobRecord]:
        """Store the jobs and notifiers of a file."""
        found = load_bytes(text.encode(), "all.yaml")
        assert not (found.invalid or found.invalid_documents), found.diagnostics
        at = now() if at is None else at
        others = [
            DocumentRecord(kind=each.kind, name=each.name, spec=each.spec, digest=each.digest, path="all.yaml", line=1)
            for each in found.documents
        ]
        self.store.put_documents(others, [])
        fields: dict[str, Any] = {"created_at": at, "applied_at": at, "anchor_at": at, "cursor_at": at} | changes
        return [
            self.store.put_job(
                JobRecord(
                    project=job.project, name=job.name, spec=job.spec, digest=job.digest, path="all.yaml", line=1,
                    **fields,
                )
            )
            for job in found.jobs
        ]  # fmt: skip

    def run(self, job: JobRecord, state: RunState = RunState.FAILED, *, at: int | None = None, attempt: int = 1) -> Run:
        """A run that has ended."""
        assert job.id is not None
        at = now() if at is None else at
        run = Run(
            id=new_id(at), job_id=job.id, project=job.project, job=job.name, generation=1, digest=job.digest,
            revision=None, state=RunState.PENDING, created_at=at, trigger=Trigger.SCHEDULE, scheduled_for=at,
            attempt=attempt,
        )  # fmt: skip
        self.store.insert_runs([run])
        self.store.started([RunStarted(run_id=run.id, at=at, pid=1, pid_start=1)])
        good = state is RunState.SUCCEEDED
        end = RunEnd(
            run_id=run.id, at=at, state=state, reason=Reason.SUCCEEDED if good else Reason.EXIT_CODE,
            exit_code=0 if good else 3, error=None if good else "exit code 3",
        )  # fmt: skip
        self.store.finished([end])
        self.bell()
        return run

    def begin(self) -> None:
        """As if the process had been started before: what comes now is news. Cheaper than a process."""
        outbox = Outbox.open(self.home.outbox, now=now())
        newest = self.store._connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0]
        for key, value in (("cursor", newest), ("cursor_at", now()), ("watched_since", now() - 30 * 86_400 * SECOND)):
            outbox.set_number(key, value)
        outbox.close()

    def start(self, **environment: str) -> None:
        """Start the process, as the daemon does."""
        path = str(Path(jobsctl.__file__).parents[1])
        self.process = subprocess.Popen(
            notify_command(self.home, "UTC"),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, **environment},
            bufsize=0,
        )

    def bell(self) -> None:
        """Something changed."""
        if self.process is not None and self.process.stdin is not None and self.process.poll() is None:
            try:
                self.process.stdin.write(b"\n")
            except BrokenPipeError:
                pass

    def stop(self) -> int:
        """Close its stdin, as the daemon does; the exit code."""
        assert self.process is not None and self.process.stdin is not None and self.process.stderr is not None
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.process.stderr.close()
        self.process = None
        return code

    def died(self) -> int:
        """Wait for it to end by itself; the exit code."""
        assert self.process is not None and self.process.stdin is not None and self.process.stderr is not None
        code = self.process.wait(PATIENCE)
        self.process.stdin.close()
        self.process.stderr.close()
        self.process = None
        return code

    def close(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.died()
        self.store.close()

    def deliveries(self, **wanted: Any) -> list[Delivery]:
        """Those in the outbox, the oldest first."""
        with OutboxReader(self.home.outbox, timeout=PATIENCE) as outbox:
            return outbox.deliveries(order="asc", limit=1000, **wanted)

    def wait(self, condition: Callable[[], object]) -> None:
        """Until it holds. The process has no bell for us."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process is None or self.process.poll() is None, f"it ended: {self.process.returncode}"
            assert time.monotonic() < deadline, "it never came to hold"
            time.sleep(0.01)

    def wait_started(self) -> None:
        """Until it has read how far the events go: what comes now is news."""
        self.wait(lambda: self.meta("cursor") is not None)

    def meta(self, key: str) -> int | None:
        with OutboxReader(self.home.outbox, timeout=PATIENCE) as outbox:
            found = outbox._rows("SELECT value FROM meta WHERE key = ?", (key,))
            return found[0][0] if found else None

    def settings(self, text: str) -> None:
        """Write jobsctl.yaml."""
        self.home.config.write_text(text, encoding="utf-8")

    def heartbeat(self, **fields: object) -> None:
        """What the daemon says of itself."""
        said: Mapping[str, object] = {"at": now(), "state": "ready", "last_pass_at": now(), **fields}
        self.home.heartbeat.write_bytes(orjson.dumps(said))


def notifier(*urls: str, name: str = "ops", more: str = "group: 0.05") -> str:
    """A document."""
    listed = "".join(f"\n  - {url!r}" for url in urls)
    return f"kind: Notifier\nname: {name}\nurls:{listed}\n{more}\n---\n"


def job(name: str = "report", rules: str = "[{to: ops}]", more: str = "") -> str:
    """A document."""
    return f"name: {name}\nrun: {{command: ['true']}}\nnotify: {rules}\n{more}\n---\n"
