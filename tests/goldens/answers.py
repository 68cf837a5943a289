"""A stand-in for the daemon that answers in its words (`reconciler.asking`), in a thread: for commands that change.

What is asked for is done in the database, so that what a command reads afterwards is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

from reconciler.silencing import NotSilenced, end, silence
from specs.load import load_bytes
from state.home import Home
from state.ids import first_id
from state.inbox import Request, RequestKind
from state.records import JobRecord, Reason, Run, RunState, Trigger
from state.store import RunEnd, RunStarted, Store
from tests.commands.conftest import MINUTE, NOW, Answering

Answer = tuple[str, str, str | None]
"""Outcome, message, run id."""


@contextmanager
def answering(home: Home) -> Iterator[None]:
    """Somebody at the doorbell."""
    daemon = Answering(home)
    daemon.answer = lambda request, store: _answer(home, request, store)
    try:
        yield
    finally:
        daemon.stop()


def _answer(home: Home, request: Request, store: Store) -> Answer:
    if request.kind in (RequestKind.RECONCILE, RequestKind.CONFIRM_PRUNE):
        return _look(home, store)
    if request.kind in (RequestKind.SILENCE, RequestKind.END_SILENCE):
        return _silence(request, store)
    job = next((job for job in store.jobs() if job.identity == request.identity), None)
    if job is None:
        return "refused", f"there is no job {request.identity}; `jobsctl list` shows the jobs", None
    match request.kind:
        case RequestKind.TRIGGER:
            return _trigger(store, job)
        case RequestKind.CANCEL:
            return "done", f"cancelling {request.run_id or 'all'}", request.run_id
        case RequestKind.SUSPEND if job.archived_at is not None:
            return "refused", f"{job.identity} is archived: nothing starts anyway", None
        case RequestKind.SUSPEND if job.suspended_at is None:
            store.put_job(
                replace(job, suspended_at=NOW, suspended_by=request.requested_by, suspended_reason=request.reason)
            )
            return "done", f"{job.identity} suspended; its slots are recorded as skipped", None
        case RequestKind.SUSPEND:
            return "done", f"{job.identity} was suspended already, by {job.suspended_by}", None
        case RequestKind.RESUME if job.suspended_at is not None:
            store.put_job(replace(job, suspended_at=None, suspended_by=None, suspended_reason=None))
            return "done", f"{job.identity} resumed; nothing fires before its next slot", None
        case RequestKind.RESUME:
            return "done", f"{job.identity} was not suspended", None
    if job.active_runs:
        return "refused", f"{job.identity} has an active run; wait for it, or cancel it, then purge", None
    return "done", f"{job.identity} archived; its history stays", None


def _silence(request: Request, store: Store) -> Answer:
    """As the daemon, by its own hand: that needs no more of the world than the store."""
    world: Any = SimpleNamespace(store=store)
    job: Any = next((job for job in store.jobs() if job.identity == request.identity), None)
    if job is None and request.identity is not None:
        return "refused", f"there is no job {request.identity}; `jobsctl list` shows the jobs", None
    try:
        return "done", (silence if request.kind is RequestKind.SILENCE else end)(world, request, job, NOW), None
    except NotSilenced as refusal:
        return "refused", str(refusal), None


def _trigger(store: Store, job: JobRecord) -> Answer:
    if job.archived_at is not None:
        return "refused", f"{job.identity} is archived: no file defines it; bring its spec back first", None
    assert job.id is not None
    ids = (f"{first_id(NOW)[:10]}{number:016d}" for number in count(100))
    run_id = next(id for id in ids if store.run(id) is None)
    failing = job.identity == "db/backup"
    run = Run(
        id=run_id, job_id=job.id, project=job.project, job=job.name, generation=job.generation, digest=job.digest,
        revision=job.revision, state=RunState.PENDING, created_at=NOW, trigger=Trigger.MANUAL, scheduled_for=None,
    )  # fmt: skip
    store.insert_runs([run])
    if job.identity == "default/report":
        return "done", f"run {run.id} created; it waits for the pool disk", run.id
    store.started([RunStarted(run_id=run.id, at=NOW, pid=4711, pid_start=1)])
    end = RunEnd(run_id=run.id, at=NOW + MINUTE, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED, exit_code=0)
    if failing:
        end = replace(end, state=RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=2, error="exit code 2")
    store.finished([end])
    return "done", f"run {run.id} created", run.id


def _look(home: Home, store: Store) -> Answer:
    """Apply all files that can be read; archive what is in none."""
    known = {job.identity: job for job in store.jobs()}
    found = set()
    for path in sorted(home.specs.rglob("*.yaml")):
        place = path.relative_to(home.specs).as_posix()
        for job in load_bytes(path.read_bytes(), place).jobs:
            found.add(job.identity)
            old = known.get(job.identity)
            new = JobRecord(
                project=job.project, name=job.name, spec=job.spec, digest=job.digest, path=place, line=job.line,
                created_at=NOW, applied_at=NOW, anchor_at=NOW, cursor_at=NOW, next_at=NOW + MINUTE,
            )  # fmt: skip
            if old is None or old.digest != job.digest:
                store.put_job(new if old is None else replace(new, id=old.id, generation=old.generation + 1))
    for identity, job in known.items():
        if identity not in found and job.archived_at is None:
            store.put_job(replace(job, archived_at=NOW, next_at=None))
    return "done", "", None
