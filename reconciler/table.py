"""The jobs as the loop holds them: what deciding needs, and no more, so that 10,000 of them stay small.

Owned by the loop's thread. The database holds the whole truth; this is written only after a commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.decide import Observed
from specs.model import Job
from specs.schedule import Schedule, ScheduleError, compile_schedule
from state.records import JobRecord


@dataclass(slots=True)
class Entry:
    """One job. Mutable; see `JobRecord` for what the fields mean."""

    id: int
    project: str
    name: str
    spec: bytes
    digest: str
    generation: int
    revision: str | None
    path: str
    line: int
    schedule: Schedule
    cursor_at: int
    anchor_at: int
    applied_at: int
    boot_id: str | None
    declared_suspend: bool
    override_suspend: bool
    archived: bool
    missing_since: int | None
    has_problem: bool
    completed: bool
    stalled: bool = False
    active: int = 0
    failures: int = 0

    @property
    def identity(self) -> str:
        return f"{self.project}/{self.name}"

    @property
    def suspended(self) -> bool:
        return self.declared_suspend or self.override_suspend

    def observed(self, boot_id: str, booted_at: int) -> Observed:
        return Observed(
            cursor_at=self.cursor_at,
            anchor_at=self.anchor_at,
            applied_at=self.applied_at,
            active=self.active,
            suspended=self.suspended,
            archived=self.archived,
            boot_accounted=self.boot_id,
            boot_id=boot_id,
            booted_at=booted_at,
        )


class JobTable:
    """All entries, by id and by identity."""

    def __init__(self, default_timezone: str) -> None:
        self._default_timezone = default_timezone
        self._by_id: dict[int, Entry] = {}
        self._by_identity: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_id.values())

    def __getitem__(self, job_id: int) -> Entry:
        return self._by_id[job_id]

    def get(self, job_id: int) -> Entry | None:
        return self._by_id.get(job_id)

    def by_identity(self, identity: str) -> Entry | None:
        return self._by_identity.get(identity)

    def schedule_of(self, job: Job) -> Schedule:
        """The compiled schedule.

        Raises:
            ScheduleError: what was sound when it was stored is not any more (a zone left the tz database).
        """
        return compile_schedule(job, default_timezone=self._default_timezone)

    def put(self, record: JobRecord) -> Entry:
        """Take over what was committed. A stored schedule that no longer compiles stalls its job, not the daemon."""
        assert record.id is not None
        job = Job.from_canonical(record.spec)
        stalled = record.stalled is not None
        try:
            schedule = self.schedule_of(job)
        except ScheduleError:
            schedule = self.schedule_of(job.model_copy(update={"schedule": None, "timezone": None}))
            stalled = True
        old = self._by_id.get(record.id)
        entry = Entry(
            id=record.id,
            project=record.project,
            name=record.name,
            spec=record.spec,
            digest=record.digest,
            generation=record.generation,
            revision=record.revision,
            path=record.path,
            line=record.line,
            schedule=schedule,
            cursor_at=record.cursor_at,
            anchor_at=record.anchor_at,
            applied_at=record.applied_at,
            boot_id=record.boot_id,
            declared_suspend=job.suspend_reason() is not None,
            override_suspend=record.suspended_at is not None,
            archived=record.archived_at is not None,
            missing_since=record.missing_since,
            has_problem=bool(record.problem),
            completed=record.completed_at is not None,
            stalled=stalled,
            active=record.active_runs if old is None else old.active,
        )
        self._by_id[entry.id] = self._by_identity[entry.identity] = entry
        return entry

    def remove(self, job_id: int) -> None:
        entry = self._by_id.pop(job_id, None)
        if entry is not None:
            self._by_identity.pop(entry.identity, None)
