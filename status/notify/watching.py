"""The jobs that tell somebody of themselves, as the notify process knows them: rules, silences, deadlines.

Owned by `status.notify.following`. Kept equal to the database by the sequence of job changes; jobs without `notify` and
`callback` cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from specs.calendar import JobCalendar
from specs.stored import StoredNotifyRule, Unreadable
from state.records import JobRecord, SilenceRecord
from state.telling import TellingReader
from status.calendars import calendars_of, compile_calendars
from status.deadline import read_policy, read_spec, schedule_of, success_deadline
from status.notify.judge import wishes_of
from status.notify.occurrences import JobFacts, Silence
from status.phase import suspension_of
from status.words.instants import SECOND

DAY = 86_400 * SECOND
CHUNK = 100
"""Jobs read at once: 2 MB of records."""


@dataclass(slots=True)
class Watched:
    """One job."""

    job_id: int
    identity: str
    created_at: int
    rules: Sequence[StoredNotifyRule]
    calls: bool
    """Whether it has a callback."""
    idle: bool
    deadline: int | None
    """By when it must have succeeded, µs; None: nobody wants to know, or nothing is expected."""
    slow: bool
    """Whether somebody wants to know of long runs, and one is active."""


class Watch:
    """All of them, by number."""

    def __init__(self, *, default_timezone: str) -> None:
        self._default_timezone = default_timezone
        self._seq = 0
        self._jobs: dict[int, Watched] = {}
        self._rules: dict[bytes, tuple[StoredNotifyRule, ...]] = {}
        """Jobs of a house have few different rules: one object for each."""
        self._calendars: dict[str, JobCalendar] = {}
        self._calendar_digests: list[tuple[str, str]] = []
        self._silences: list[SilenceRecord] = []
        self._silences_of: dict[str | None, list[Silence]] = {}

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._jobs

    def __getitem__(self, job_id: int) -> Watched:
        return self._jobs[job_id]

    def __len__(self) -> int:
        return len(self._jobs)

    def telling(self, notifier: str) -> list[int]:
        """The jobs of which this notifier is told."""
        return [job.job_id for job in self._jobs.values() if any(notifier in rule.to for rule in job.rules)]

    def refresh(self, reader: TellingReader, *, limit: int) -> tuple[set[int], bool]:
        """Take over at most `limit` changed jobs. Which are to be looked at, and whether there are more."""
        changes = reader.changes(self._seq, limit=limit)
        telling = [change.job_id for change in changes if change.tells]
        gone = {change.job_id for change in changes} - set(telling)
        touched: set[int] = set()
        for place in range(0, len(telling), CHUNK):
            ids = telling[place : place + CHUNK]
            records = reader.jobs_of_ids(ids)
            gone |= set(ids) - {record.id for record in records}
            for record in records:
                touched.add(self._take(record))
        for job_id in gone:
            self._jobs.pop(job_id, None)
        if changes:
            self._seq = changes[-1].seq
        return touched, len(changes) == limit

    def refresh_calendars(self, reader: TellingReader) -> set[int]:
        """Take over the calendars, which say when jobs are expected. The jobs to be looked at."""
        documents = reader.documents("Calendar")
        digests = [(document.name, document.digest) for document in documents]
        if digests == self._calendar_digests:
            return set()
        self._calendar_digests = digests
        self._calendars = compile_calendars(documents, default_timezone=self._default_timezone)
        return self._take_again(reader, self._jobs)

    def refresh_silences(self, reader: TellingReader, now: int) -> set[int]:
        """Take over the silences of today and yesterday. The jobs to be looked at."""
        silences = reader.silences(after=now - 2 * DAY)
        if silences == self._silences:
            return set()
        changed = {silence.identity for silence in set(silences) ^ set(self._silences)}
        self._silences = silences
        self._silences_of = {}
        for each in silences:
            self._silences_of.setdefault(each.identity, []).append(Silence(since=each.since, until=each.over_at))
        return {job.job_id for job in self._jobs.values() if None in changed or job.identity in changed}

    def facts(self, job: Watched, *, watched_since: int, silence: Silence | None = None) -> JobFacts:
        """What the rules need. `silence`: another one, that only holds for what is judged now."""
        silences = [*self._silences_of.get(None, ()), *self._silences_of.get(job.identity, ())]
        return JobFacts(
            job_id=job.job_id,
            identity=job.identity,
            rules=job.rules,
            idle=job.idle,
            silences=silences if silence is None else [*silences, silence],
            watched_since=watched_since,
        )

    def _take_again(self, reader: TellingReader, ids: Iterable[int]) -> set[int]:
        wanted = list(ids)
        taken: set[int] = set()
        for place in range(0, len(wanted), CHUNK):
            for record in reader.jobs_of_ids(wanted[place : place + CHUNK]):
                taken.add(self._take(record))
        return taken

    def _take(self, record: JobRecord) -> int:
        assert record.id is not None
        job = read_spec(record.spec)
        try:
            rules = self._shared(orjson.dumps(job.fields.get("notify") or []), job.notify)
        except Unreadable:  # as `read_spec`: one must not hide all the others
            rules = ()
        watched = Watched(
            job_id=record.id,
            identity=record.identity,
            created_at=record.created_at,
            rules=rules,
            calls=job.fields.get("callback") is not None,
            idle=record.archived_at is not None or suspension_of(record) is not None,
            deadline=None,
            slow=False,
        )
        wishes = wishes_of(self.facts(watched, watched_since=0)).values()
        if any("missed" in wants.on for wants in wishes):
            watched.deadline = self._deadline(record)
        watched.slow = record.active_runs > 0 and any(wants.slower_than is not None for wants in wishes)
        self._jobs[record.id] = watched
        return record.id

    def _shared(self, key: bytes, rules: tuple[StoredNotifyRule, ...]) -> tuple[StoredNotifyRule, ...]:
        if len(self._rules) > 1000:
            self._rules.clear()
        return self._rules.setdefault(key, rules)

    def _deadline(self, record: JobRecord) -> int | None:
        schedule = schedule_of(record, default_timezone=self._default_timezone)
        policy = read_policy(record.spec, self._default_timezone)
        return success_deadline(
            record,
            read_spec(record.spec),
            schedule,
            calendars=calendars_of(policy, self._calendars),
            default_timezone=self._default_timezone,
        )
