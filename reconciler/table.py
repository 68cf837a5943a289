"""The jobs as the loop holds them: what deciding needs, and no more, so that 10,000 of them stay small.

Owned by the loop's thread. The database holds the whole truth; this is written only after a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any

import orjson

from reconciler.decide import Observed
from specs.desired import DesiredJob
from specs.model import Dst, Job
from specs.schedule import Schedule, ScheduleError, compile_schedule, parse_schedule
from state.records import JobRecord

ReadSpec = Callable[[int], bytes]
"""The stored spec of a job, by its id. Raises StateError."""


@dataclass(slots=True)
class Entry:
    """One job. Mutable; see `JobRecord` for what the fields mean."""

    id: int
    project: str
    name: str
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
    kept_spec: bytes = b""
    """Empty until somebody asks for `spec`, where it can be read."""
    read_spec: ReadSpec | None = None

    @property
    def spec(self) -> bytes:
        """The canonical spec that runs. Read only until the first look: from then on it is in memory.

        Raises:
            StateError: it could not be read.
        """
        return self.hold_spec()

    def hold_spec(self) -> bytes:
        """Read the spec where it can be read, and keep it. Raises as `spec`."""
        if not self.kept_spec and self.read_spec is not None:
            self.kept_spec = self.read_spec(self.id)
        return self.kept_spec

    def share(self, job: DesiredJob) -> None:
        """Hold the same objects as the files' side: 10,000 specs are 10 MB."""
        assert job.digest == self.digest
        self.kept_spec, self.digest, self.name = job.spec, job.digest, job.name
        if job.path == self.path:
            self.path = job.path

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

    def schedule_of(self, spec: bytes) -> Schedule:
        """The compiled schedule of a canonical spec.

        Raises:
            ScheduleError: what was sound when it was stored is not any more (a zone left the tz database).
        """
        return self._compile(spec, orjson.loads(spec))

    def _compile(self, spec: bytes, fields: dict[str, Any]) -> Schedule:
        schedule = fields.get("schedule")
        if schedule is not None and not isinstance(schedule, str):
            return compile_schedule(Job.from_canonical(spec), default_timezone=self._default_timezone)
        # Nearly every schedule is one line of text: the whole model would be built for three of its fields.
        return parse_schedule(
            schedule,
            timezone=fields.get("timezone") or self._default_timezone,
            dst=_dst(**fields.get("dst", {})),
            identity=f"{fields['project']}/{fields['name']}",
        )

    def put(self, record: JobRecord, *, read_spec: ReadSpec | None = None) -> Entry:
        """Take over what was committed. A stored schedule that no longer compiles stalls its job, not the daemon.

        `read_spec`: where to read the spec when somebody asks for it; without it the entry keeps the record's.
        """
        assert record.id is not None
        fields = orjson.loads(record.spec)
        stalled = record.stalled is not None
        try:
            schedule = self._compile(record.spec, fields)
        except ScheduleError:
            schedule = parse_schedule(None, timezone=self._default_timezone, dst=Dst(), identity=record.identity)
            stalled = True
        old = self._by_id.get(record.id)
        entry = Entry(
            id=record.id,
            project=intern(record.project),
            name=record.name,
            digest=record.digest,
            generation=record.generation,
            revision=record.revision and intern(record.revision),
            path=record.path,
            line=record.line,
            schedule=schedule,
            cursor_at=record.cursor_at,
            anchor_at=record.anchor_at,
            applied_at=record.applied_at,
            boot_id=record.boot_id and intern(record.boot_id),
            declared_suspend=fields.get("suspend", False) is not False,
            override_suspend=record.suspended_at is not None,
            archived=record.archived_at is not None,
            missing_since=record.missing_since,
            has_problem=bool(record.problem),
            completed=record.completed_at is not None,
            stalled=stalled,
            active=record.active_runs if old is None else old.active,
            kept_spec=record.spec if read_spec is None else b"",
            read_spec=read_spec,
        )
        self._by_id[entry.id] = self._by_identity[entry.identity] = entry
        return entry

    def remove(self, job_id: int) -> None:
        entry = self._by_id.pop(job_id, None)
        if entry is not None:
            self._by_identity.pop(entry.identity, None)


_dst = lru_cache(maxsize=4)(Dst)
