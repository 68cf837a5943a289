"""New job records from changes of the files. Pure: `reconciler.adopt_look` stores what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from reconciler.decide import first_cursor, next_due
from specs.desired import DIRTY, DesiredJob
from specs.diagnostic import Diagnostic
from specs.schedule import Schedule
from state.records import JobRecord


def created(job: DesiredJob, schedule: Schedule, *, revision: str | None, now: int, boot_id: str) -> JobRecord:
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
        schedule_digest=schedule.digest,
        anchor_at=now,
        cursor_at=cursor,
        next_at=next_due(schedule, cursor, now),
        boot_id=boot_id,
    )


def configured(
    old: JobRecord, job: DesiredJob, schedule: Schedule, *, revision: str | None, now: int, boot_id: str
) -> JobRecord:
    """An edited job. An edited schedule starts anew from `now` without firing; any other edit keeps the next slot."""
    record = replace(
        old,
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
        stalled=None,
    )
    if old.archived_at is None and old.schedule_digest == schedule.digest:
        return record
    keeps_meaning = old.schedule_digest == schedule.digest
    anchor = old.anchor_at if keeps_meaning else now
    # A one-shot that was brought back unchanged has had its slot: only a new instant gives it another.
    cursor = max(old.cursor_at, now) if keeps_meaning else first_cursor(schedule, now)
    return replace(
        record,
        schedule_digest=schedule.digest,
        anchor_at=anchor,
        cursor_at=cursor,
        next_at=next_due(schedule, cursor, anchor),
        boot_id=boot_id,
        completed_at=old.completed_at if keeps_meaning else None,
    )


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
