"""Records and homes for the tests of this folder. Times are microseconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from specs.model import Job
from specs.schedule import compile_schedule
from state.home import Home
from state.ids import new_id
from state.records import JobRecord, Reason, Run, RunState, SourceState, Trigger
from state.store import RunEnd, RunStarted, Store

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NINE = 1_795_251_600 * SECOND
"""2026-11-21T09:00:00Z."""


def spec_of(name: str, project: str = "default", **fields: Any) -> bytes:
    """Canonical bytes of a small job."""
    document = {"name": name, "project": project, "run": {"command": ["true"]}, **fields}
    return orjson.dumps(Job.model_validate(document).canonical(), option=orjson.OPT_SORT_KEYS)


def record_of(name: str = "hello", project: str = "default", *, at: int = NINE, **changes: Any) -> JobRecord:
    """A job applied at `at`; `spec` in `changes` is a mapping of spec fields."""
    fields: Mapping[str, Any] = changes.pop("spec", {})
    spec = spec_of(name, project, **fields)
    schedule = compile_schedule(Job.from_canonical(spec))
    record = JobRecord(
        project=project,
        name=name,
        spec=spec,
        digest=sha256(spec).hexdigest(),
        path=f"{name}.yaml",
        line=1,
        revision="main@sha1:" + "a" * 40,
        created_at=at,
        applied_at=at,
        schedule_digest=schedule.digest,
        anchor_at=at,
        cursor_at=at,
        next_at=schedule.next_after(at, anchor=at),
    )
    return replace(record, **changes)


def run_of(job: JobRecord, *, at: int = NINE, **changes: Any) -> Run:
    """A pending run of a stored job."""
    run = Run(
        id=new_id(at),
        job_id=job.id or 0,
        project=job.project,
        job=job.name,
        generation=job.generation,
        digest=job.digest,
        revision=job.revision,
        trigger=Trigger.SCHEDULE,
        scheduled_for=at,
        state=RunState.PENDING,
        created_at=at,
    )
    return replace(run, **changes)


def carry_out(
    store: Store, job: JobRecord, *, at: int = NINE, seconds: int = 2, state: RunState = RunState.SUCCEEDED
) -> Run:
    """A run of `job` from its row to its end."""
    run = run_of(job, at=at)
    store.insert_runs([run])
    store.started([RunStarted(run_id=run.id, at=at, pid=1, pid_start=1)])
    reason = Reason.SUCCEEDED if state is RunState.SUCCEEDED else Reason.EXIT_CODE
    end = RunEnd(run_id=run.id, at=at + seconds * SECOND, state=state, reason=reason,
                 exit_code=0 if state is RunState.SUCCEEDED else 3)  # fmt: skip
    return store.finished([end])[0]


def source_state(**changes: Any) -> SourceState:
    """A good look."""
    source = SourceState(
        root="/srv/specs", revision="main@sha1:" + "a" * 40, scanned_at=NINE, files=2, jobs=2, invalid=0
    )
    return replace(source, **changes)


def beat(home: Home, now: int, **changes: Any) -> None:
    """Write a heartbeat as the daemon does."""
    data = {
        "pid": 1, "version": "0.1.0", "started_at": now - HOUR, "at": now, "state": "ready", "last_pass_at": now,
        "last_pass_seconds": 0.01, "last_error": None, "last_error_at": None, "passes": 3,
        "reconcile": {"ok": 3, "error": 0, "seconds_sum": 0.5}, "root": "/srv/specs", "revision": None,
        "scan": {"at": now, "seconds": 0.01, "files": 2, "parsed": 2, "jobs": 2, "invalid": 0, "problem": None},
        "watch": {"up": True, "restarts": 0, "error": None}, "queue": {"depth": 2, "retrying": 0},
        "runs": {"active": 0}, "lag": {"buckets": [[0.001, 1], [0.01, 2]], "sum": 0.02, "count": 3}, "clock_jumps": 0,
        "supervisor": "s1", "sqlite": "3.40.1",
    } | changes  # fmt: skip
    spare = home.heartbeat.with_suffix(".tmp")
    spare.write_text(json.dumps(data))
    spare.replace(home.heartbeat)


def make_home(root: Path) -> Home:
    """An empty home with its state directory."""
    home = Home(root)
    home.state.mkdir(parents=True, mode=0o700)
    return home
