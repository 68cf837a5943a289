"""The jobs as the loop holds them: what deciding needs, and no more, so that 10,000 of them stay small.

Owned by the loop's thread. The database holds the whole truth; this is written only after a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any

import orjson

from reconciler.observed import Waiting
from specs.dependency import UpstreamState
from specs.desired import DesiredJob
from specs.policy import PLAIN, Policy, policy_of
from specs.schedule import Schedule, ScheduleError, compile_schedule, parse_schedule
from specs.stored import StoredDst, StoredJob
from state.records import Health, JobRecord, Reason, Run

Meaning = tuple[Schedule, Policy]
"""What a spec says about when its job runs."""
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
    next_at: int | None = None
    """As stored."""
    policy: Policy = PLAIN
    stalled: bool = False
    """Its stored spec is of no use to this version: it waits for an edit."""
    active: int = 0
    """Runs handed over and not ended."""
    waiting: dict[str, Run] | None = None
    """Blocked runs by id; None when there are none."""
    undecided: int = 0
    """How often deciding has failed in a row."""
    resumed_at: int = 0
    repeat_done: int = 0
    last_end: int | None = None
    failures: int = 0
    """Runs that did not succeed since the last that did."""
    success_id: str | None = None
    success_at: int | None = None
    end_id: str | None = None
    end_at: int | None = None
    consumed: Mapping[str, int] | None = None
    calls_back: bool = False
    """Its spec has a callback."""
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
    def grace(self) -> float:
        """Seconds between TERM and KILL. Of any stored spec, also one that this version would refuse."""
        return float(orjson.loads(self.spec).get("grace", 10.0))

    @property
    def timeout(self) -> float | None:
        """Seconds, or None for no limit; of any stored spec, as `grace`."""
        value = orjson.loads(self.spec).get("timeout", "none")
        return None if value == "none" else float(value)

    @property
    def identity(self) -> str:
        return f"{self.project}/{self.name}"

    @property
    def kept(self) -> bool:
        """`prune: false`: it stays when its file goes."""
        return not self.policy.prune

    @property
    def suspended(self) -> bool:
        return self.declared_suspend or self.override_suspend

    @property
    def waits(self) -> tuple[Waiting, ...]:
        """Its blocked runs, as deciding sees them."""
        return () if self.waiting is None else tuple(map(_waiting, self.waiting.values()))

    @property
    def is_plain(self) -> bool:
        """The end of a run is nothing to decide on."""
        return self.policy is PLAIN and self.waiting is None and self.schedule.from_finish is None

    def as_upstream(self) -> UpstreamState:
        """What jobs that depend on it are told."""
        return UpstreamState(
            success_id=self.success_id,
            success_at=self.success_at,
            end_id=self.end_id,
            end_at=self.end_at,
            failed=self.failures > 0 and self.active == 0 and self.waiting is None,
        )

    def block(self, run: Run) -> None:
        """A run of it is stored as blocked, or waits for something else now."""
        self.waiting = {} if self.waiting is None else self.waiting
        self.waiting[run.id] = run

    def unblock(self, run_id: str) -> bool:
        """A blocked run was released, or ended. False when it was not blocked."""
        if self.waiting is None or self.waiting.pop(run_id, None) is None:
            return False
        self.waiting = self.waiting or None
        return True


class JobTable:
    """All entries, by id and by identity."""

    def __init__(self, default_timezone: str) -> None:
        self.default_timezone = default_timezone
        self._by_id: dict[int, Entry] = {}
        self._by_identity: dict[str, Entry] = {}
        self._dependents: dict[str, set[int]] = {}
        self._calling: set[int] = set()

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

    def meaning_of(self, spec: bytes) -> Meaning:
        """The compiled schedule and the policy of a canonical spec.

        Raises:
            ScheduleError: what was sound when it was stored is not any more (a zone left the tz database).
        """
        fields = orjson.loads(spec)
        return self._compile(spec, fields), policy_of(fields, default_timezone=self.default_timezone)

    def _compile(self, spec: bytes, fields: dict[str, Any]) -> Schedule:
        schedule = fields.get("schedule")
        if schedule is not None and not isinstance(schedule, str):
            return compile_schedule(StoredJob.of(spec), default_timezone=self.default_timezone)
        # Nearly every schedule is one line of text: the whole model would be built for three of its fields.
        return parse_schedule(
            schedule,
            timezone=fields.get("timezone") or self.default_timezone,
            dst=_dst(**fields.get("dst", {})),
            identity=f"{fields['project']}/{fields['name']}",
        )

    def put(self, record: JobRecord, *, read_spec: ReadSpec | None = None) -> Entry:
        """Take over what was committed: `entry_of`, then `keep`."""
        entry = self.entry_of(record, read_spec=read_spec)
        self.keep(entry)
        return entry

    def entry_of(
        self, record: JobRecord, *, meaning: Meaning | None = None, read_spec: ReadSpec | None = None
    ) -> Entry:
        """The entry of a record, not yet in the table: a tenth of the record's size, so a commit of thousands holds
        these. A stored spec of no use (damaged, of another version) stalls its job alone.

        Args:
            meaning: of the record's spec, where it is known already.
            read_spec: where to read the spec when somebody asks for it; without it the entry keeps the record's.
        """
        assert record.id is not None
        fields: dict[str, Any] = {}
        stalled = False
        try:
            fields = orjson.loads(record.spec)
            if meaning is None:
                meaning = self._compile(record.spec, fields), policy_of(fields, default_timezone=self.default_timezone)
            schedule, policy = meaning
        except (ScheduleError, ValueError, KeyError, TypeError, AttributeError):
            schedule = parse_schedule(None, timezone=self.default_timezone, dst=StoredDst(), identity=record.identity)
            policy, stalled = PLAIN, True
        old = self._by_id.get(record.id)
        return Entry(
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
            next_at=record.next_at,
            policy=policy,
            stalled=stalled,
            undecided=int(record.stalled is not None),
            active=record.active_runs if old is None else old.active,
            waiting=None if old is None else old.waiting,
            resumed_at=record.resumed_at or 0,
            repeat_done=record.repeat_done,
            last_end=record.last_finished_at,
            failures=record.consecutive_failures,
            success_id=record.last_success_id,
            success_at=record.last_success_at,
            end_id=record.last_end_id,
            end_at=_end_at(record) if old is None else old.end_at,
            consumed=record.consumed or None,
            calls_back=b'"callback":{' in record.spec,
            kept_spec=record.spec if read_spec is None else b"",
            read_spec=read_spec,
        )

    def keep(self, entry: Entry) -> None:
        """Take over an entry whose record is committed."""
        old = self._by_id.get(entry.id)
        if old is not None:
            self._unlink(old)
        self._by_id[entry.id] = self._by_identity[entry.identity] = entry
        for upstream in entry.policy.depends_on:
            self._dependents.setdefault(upstream.identity, set()).add(entry.id)
        if entry.calls_back and not entry.archived:
            self._calling.add(entry.id)

    def _unlink(self, entry: Entry) -> None:
        if self._by_identity.get(entry.identity) is entry:
            del self._by_identity[entry.identity]
        for upstream in entry.policy.depends_on:
            self._dependents[upstream.identity].discard(entry.id)
        self._calling.discard(entry.id)

    @property
    def calls_back(self) -> bool:
        """Whether a job that is not archived has a callback."""
        return bool(self._calling)

    def dependents(self, identity: str) -> Collection[int]:
        """The jobs that depend on this one."""
        return self._dependents.get(identity, ())

    def upstream_of(self, entry: Entry) -> dict[str, UpstreamState]:
        """What is known of the jobs it depends on."""
        known = ((each.identity, self._by_identity.get(each.identity)) for each in entry.policy.depends_on)
        return {identity: found.as_upstream() for identity, found in known if found is not None}

    def remove(self, job_id: int) -> None:
        entry = self._by_id.pop(job_id, None)
        if entry is not None:
            self._unlink(entry)


_dst = lru_cache(maxsize=4)(StoredDst)


def _end_at(record: JobRecord) -> int | None:
    """When the run ended that `health` tells of; a cancelled one after it may have ended later: that does no harm."""
    return record.last_success_at if record.health is Health.HEALTHY else record.last_finished_at


def _waiting(run: Run) -> Waiting:
    return Waiting(
        run_id=run.id,
        slot=run.scheduled_for,
        attempt=run.attempt,
        trigger=run.trigger,
        created_at=run.created_at,
        reason=run.reason or Reason.OVERLAP,
        not_before=run.not_before,
        upstream=run.upstream,
    )
