"""New job records from changes of the files. Pure: `reconciler.adopt_look` stores what comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson

from reconciler.decide import first_cursor, next_due
from specs.desired import DIRTY, DesiredJob
from specs.diagnostic import Diagnostic
from specs.policy import Policy
from specs.schedule import Schedule
from state.records import JobRecord


def schedule_digest(schedule: Schedule, policy: Policy) -> str:
    """Of what says when a job starts by itself: another one is a new schedule, which starts anew without firing."""
    if schedule.kind != "manual" or not policy.depends_on:
        return schedule.digest
    named = ",".join(sorted(upstream.identity for upstream in policy.depends_on))
    return hashlib.sha256(f"{schedule.digest}:{named}".encode()).hexdigest()


def created(
    job: DesiredJob, schedule: Schedule, policy: Policy, *, revision: str | None, now: int, boot_id: str
) -> JobRecord:
    """A job seen for the first time. Nothing fires by being created; `@reboot` waits for the next boot."""
    cursor = first_cursor(schedule, now)
    return JobRecord(
        project=job.project,
        name=job.name,
        spec=job.spec,
        digest=job.digest,
        path=job.path,
        line=job.line,
        revision=revision,
        created_at=now,
        applied_at=now,
        schedule_digest=schedule_digest(schedule, policy),
        completion_digest=policy.completion,
        anchor_at=now,
        cursor_at=cursor,
        next_at=next_due(schedule, cursor, now, policy, job.identity),
        boot_id=boot_id,
    )


def configured(
    old: JobRecord,
    job: DesiredJob,
    schedule: Schedule,
    policy: Policy,
    *,
    before: Policy,
    revision: str | None,
    now: int,
    boot_id: str,
) -> JobRecord:
    """An edited job. An edited schedule starts anew from `now` without firing; any other edit keeps the next slot.

    A job that is complete starts again only when what made it complete is edited: its schedule, or `repeat`, `until`,
    `start_at`, `end_at`. One that comes back, or whose file suspends it no longer, starts on nothing that happened
    meanwhile.

    Args:
        before: the policy it had.
    """
    comes_back = old.archived_at is not None or (_declares_suspend(old.spec) and not _declares_suspend(job.spec))
    digest = schedule_digest(schedule, policy)
    keeps_meaning = old.schedule_digest == digest
    keeps_completion = keeps_meaning and old.completion_digest == policy.completion
    completed_at = old.completed_at if keeps_completion else None
    anchor = now
    boot: str | None = boot_id
    if old.archived_at is None and keeps_meaning:
        anchor, boot = old.anchor_at, old.boot_id
        cursor = old.cursor_at if old.completed_at == completed_at else max(old.cursor_at, now)
        if before.start_at is not None:
            # What came before the start it had was no slot: an earlier start makes none of it due.
            cursor = max(cursor, min(now, before.start_at - 1))
    elif keeps_meaning and schedule.kind == "once":
        # Brought back unchanged: it has had its slot, or is found too late, and ends visibly.
        cursor = old.cursor_at
    elif keeps_meaning:
        anchor, cursor = old.anchor_at, max(old.cursor_at, now)
    else:
        cursor = first_cursor(schedule, now)
    return replace(  # once: it costs 25 us, and a commit may edit thousands of jobs
        old,
        project=job.project,
        name=job.name,
        spec=job.spec,
        digest=job.digest,
        generation=old.generation + (old.digest != job.digest),
        path=job.path,
        line=job.line,
        revision=revision,
        applied_at=now if old.digest != job.digest else old.applied_at,
        archived_at=None,
        missing_since=None,
        problem=(),
        problem_since=None,
        resumed_at=now if comes_back else old.resumed_at,
        stalled=None,
        completion_digest=policy.completion,
        completed_at=completed_at,
        repeat_done=old.repeat_done if keeps_completion else 0,
        schedule_digest=digest,
        anchor_at=anchor,
        cursor_at=cursor,
        next_at=None if completed_at else next_due(schedule, cursor, anchor, policy, job.identity),
        boot_id=boot,
    )


def rezoned(old: JobRecord, schedule: Schedule, policy: Policy, now: int) -> JobRecord:
    """A job that names no zone, under a daemon with another one: as with an edited schedule."""
    cursor = first_cursor(schedule, now)
    return replace(
        old,
        schedule_digest=schedule_digest(schedule, policy),
        anchor_at=now,
        cursor_at=cursor,
        next_at=next_due(schedule, cursor, now, policy, old.identity),
    )


def _declares_suspend(spec: bytes) -> bool:
    try:
        return orjson.loads(spec).get("suspend", False) is not False
    except orjson.JSONDecodeError:  # a damaged record, which an edit is to mend
        return False


def found(old: JobRecord, job: DesiredJob, *, revision: str | None) -> JobRecord:
    """The same job, in another place or sound again; or in a commit now, where it was applied before it was in one."""
    uncommitted = old.revision is not None and old.revision.endswith(DIRTY)
    return replace(
        old,
        path=job.path,
        line=job.line,
        revision=revision if uncommitted else old.revision,
        missing_since=None,
        problem=(),
        problem_since=None,
    )


def invalid(old: JobRecord, findings: Sequence[Diagnostic], now: int) -> JobRecord:
    """The file is wrong about this job: the last good spec goes on, and the findings are kept with it."""
    return replace(
        old,
        problem=tuple(as_data(finding) for finding in findings),
        problem_since=old.problem_since if old.problem else now,
        missing_since=None,
    )


def missing(old: JobRecord, now: int) -> JobRecord:
    return replace(old, missing_since=now)


def archived(old: JobRecord, now: int) -> JobRecord:
    """Pruned: nothing starts any more, what runs goes on, the history stays."""
    return replace(old, archived_at=now, missing_since=None, problem=(), problem_since=None, next_at=None, stalled=None)


def as_data(finding: Diagnostic) -> dict[str, Any]:
    """The fields of a finding, for storing."""
    return asdict(finding)
