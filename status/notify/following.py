"""From events to messages and callbacks: reads the daemon's database in order, judges, and stores what follows.

Driven by the notify process. One step is one batch of events: what follows from them, what is remembered and how far
was read are stored in one transaction, so a crash repeats a batch and stores nothing twice. Nothing of a step that
could not be stored stays in memory either.

What happened more than a day ago, because nobody was here to read it, is no news: it is judged as in a silence, so that
at the end it is told what is still so. Callbacks are sent however late: they are for programs.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from specs.stored import StoredJob, Unreadable
from state.outbox.records import Delivery, Message
from state.outbox.store import Outbox
from state.records import Event, Run, RunState
from state.telling import TellingReader
from status.notify.callbacks.payload import delivery_of, is_end
from status.notify.crashpoint import crashpoint
from status.notify.judge import judge, look_again
from status.notify.memory import Memory
from status.notify.occurrences import Looked, Notice, Occurrence, RunEnded, Running, Silence, SlotsSkipped
from status.notify.watching import DAY, Watch, Watched

BATCH = 500
"""Events read in one step."""
JOBS = 500
"""Changed jobs taken over in one step."""
LOOKS = 500
"""Jobs looked at in one step."""
STARTING = 60_000_000
"""µs: more than a daemon takes to start this process, also one that is held up."""
_NO_END = frozenset({"created", "started", "released", "remarks"})


@dataclass(slots=True)
class _Step:
    """What one step found, before it is stored."""

    memories: dict[int, Memory] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    looks: dict[int, int | None] = field(default_factory=dict)
    """When to look again, by job."""


class Follower:
    """Owned by the process's one thread. Opens the database with the first step, and again after an error."""

    def __init__(self, database: Path, outbox: Outbox, *, default_timezone: str) -> None:
        self._database = database
        self._outbox = outbox
        self.watch = Watch(default_timezone=default_timezone)
        self._reader: TellingReader | None = None
        self._cursor = 0
        self._watched_since = 0
        self._memories: dict[int, Memory] = {}
        self._to_look: set[int] = set()
        self._look_at: dict[int, int] = {}
        self.told: set[str] = set()
        """Notifiers that got messages; whoever gathers them takes them out."""

    def reader(self, now: int) -> TellingReader:
        """The daemon's database, opened. Raises StateError."""
        if self._reader is None:
            reader = TellingReader(self._database, timeout=5.0)
            try:
                self._place_cursor(reader, now)
                self._recall(reader)
            except BaseException:
                reader.close()
                raise
            self._reader = reader
        return self._reader

    def close(self) -> None:
        """Let go of the database."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @property
    def look_at(self) -> int | None:
        """When time alone may next bring something, µs."""
        return min(self._look_at.values(), default=None)

    def step(self, now: int) -> bool:
        """One batch. Whether there is more to do at once.

        Raises StateError: nothing of the step is kept, the next one repeats it.
        """
        try:
            return self._one_step(self.reader(now), now)
        except BaseException:
            self.close()
            raise

    def _one_step(self, reader: TellingReader, now: int) -> bool:
        touched, more = self.watch.refresh(reader, limit=JOBS)
        self._to_look |= touched
        if more:
            return True
        step = _Step()
        with reader.snapshot():
            self._to_look |= self.watch.refresh(reader, limit=JOBS)[0]
            self._to_look |= self.watch.refresh_calendars(reader)
            self._to_look |= self.watch.refresh_silences(reader, now)
            events = reader.events(after=self._cursor, limit=BATCH)
            self._judge_events(reader, events, step, now)
            looked: list[int] = []
            if len(events) < BATCH:
                due = {job_id for job_id, at in self._look_at.items() if at <= now}
                looked = sorted(self._to_look | due)[:LOOKS]
                self._look(reader, looked, step, now)
        crashpoint("notify-judged")
        self._store(step, events, now)
        crashpoint("notify-stored")
        self._memories |= step.memories
        self._memories = {job_id: memory for job_id, memory in self._memories.items() if memory != Memory()}
        for job_id, at in step.looks.items():
            if at is None:
                self._look_at.pop(job_id, None)
            else:
                self._look_at[job_id] = at
        self._to_look -= set(looked)
        self.told |= {notice.notifier for notice in step.notices}
        if events:
            self._cursor = events[-1].id or self._cursor
        return len(events) == BATCH or bool(self._to_look)

    def _judge_events(self, reader: TellingReader, events: Sequence[Event], step: _Step, now: int) -> None:
        ours = [
            event
            for event in events
            if event.run_id is not None and event.job_id in self.watch and event.reason not in _NO_END
        ]
        runs = reader.runs_of_ids({event.run_id for event in ours if event.run_id is not None}) if ours else {}
        for event in ours:
            run = runs.get(event.run_id or "")
            if run is None or not is_end(event, run):
                continue
            job = self.watch[run.job_id]
            if job.rules:
                silence = Silence(since=0, until=now - DAY) if event.at < now - DAY else None
                self._judge(job, _occurrence(reader, run), step, now, silence=silence)
            if job.calls:
                step.deliveries += self._calls(reader, event, run)

    def _look(self, reader: TellingReader, job_ids: Sequence[int], step: _Step, now: int) -> None:
        jobs = [self.watch[job_id] for job_id in job_ids if job_id in self.watch]
        slow = [job.job_id for job in jobs if job.slow]
        running = reader.running(slow) if slow else {}
        step.looks |= dict.fromkeys(job_ids)
        for job in jobs:
            if not job.rules:
                continue
            runs = [Running(run_id=id, started_at=at) for id, at in running.get(job.job_id, ())]
            looked = Looked(at=now, deadline=job.deadline, running=runs)
            self._judge(job, looked, step, now)
        for job_id in job_ids:  # what is known of a job that tells nobody any more is forgotten
            known = job_id in self._memories or job_id in step.memories
            if known and (job_id not in self.watch or not self.watch[job_id].rules):
                step.memories[job_id] = Memory()

    def _judge(
        self, job: Watched, occurrence: Occurrence, step: _Step, now: int, *, silence: Silence | None = None
    ) -> None:
        """One occurrence. One that the rules fail on is passed over: the others must be told."""
        before = step.memories.get(job.job_id, self._memories.get(job.job_id, Memory()))
        facts = self.watch.facts(job, watched_since=self._watched_since, silence=silence)
        try:
            judged = judge(facts, before, occurrence, now=now)
            if isinstance(occurrence, Looked):
                step.looks[job.job_id] = look_again(facts, occurrence)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return
        step.memories[job.job_id] = judged.memory
        step.notices += judged.notices

    def _calls(self, reader: TellingReader, event: Event, run: Run) -> Iterable[Delivery]:
        record = reader.job_by_id(run.job_id)
        if record is None:
            return
        try:
            delivery = delivery_of(event, run, StoredJob.of(record.spec))
        except (Unreadable, KeyError, TypeError):
            traceback.print_exc(file=sys.stderr)
            return
        if delivery is not None:
            yield delivery

    def _store(self, step: _Step, events: Sequence[Event], now: int) -> None:
        changed = {
            job_id: memory for job_id, memory in step.memories.items() if memory != self._memories.get(job_id, Memory())
        }
        if not (changed or step.notices or step.deliveries or events):
            return
        with self._outbox.transaction():
            self._outbox.add_messages(
                Message(
                    id=notice.id,
                    notifier=notice.notifier,
                    identity=notice.identity,
                    run_id=notice.run_id,
                    at=notice.at,
                    stored_at=now,
                    payload=orjson.dumps(notice.as_data()),
                )
                for notice in step.notices
            )
            for delivery in step.deliveries:
                self._outbox.add_delivery(delivery)
            self._outbox.remember({str(job_id): self._as_data(job_id, memory) for job_id, memory in changed.items()})
            crashpoint("notify-storing")
            if events:
                self._outbox.set_number("cursor", events[-1].id or self._cursor)
                self._outbox.set_number("cursor_at", events[-1].at)

    def _as_data(self, job_id: int, memory: Memory) -> bytes | None:
        if memory == Memory() or job_id not in self.watch:
            return None
        return orjson.dumps({"created_at": self.watch[job_id].created_at, "memory": memory.as_data()})

    def _place_cursor(self, reader: TellingReader, now: int) -> None:
        """Where to read on.

        The first time: history is not announced. News is what happened since somebody wanted to be told, but a minute
        at most: the daemon starts this process when it has applied such a spec, and a run may end meanwhile.

        A database that is not the one read before (an older one was restored, or it began anew) has another event under
        our number, or none as high: then after what had happened by the time of the last event that was read.
        """
        cursor, read_until = self._outbox.number("cursor"), self._outbox.number("cursor_at")
        newest, newest_at = reader.newest_event()
        if cursor is None or read_until is None:
            wished = reader.wished_since()
            since = now if wished is None else max(wished, now - STARTING)
            cursor = newest if newest_at < since else reader.last_event_until(since)
            with self._outbox.transaction():
                self._outbox.set_number("cursor", cursor)
                self._outbox.set_number("cursor_at", reader.event_at(cursor) or since)
                self._outbox.set_number("watched_since", since)
        elif cursor > newest or reader.event_at(cursor) not in (None, read_until):
            cursor = reader.last_event_until(read_until)
        self._cursor = cursor
        self._watched_since = self._outbox.number("watched_since") or now

    def _recall(self, reader: TellingReader) -> None:
        """What is remembered; not of jobs that are not those it was remembered of."""
        stored = {}
        for key, value in self._outbox.memories().items():
            with suppress(ValueError, KeyError, TypeError, AttributeError):  # of another version: forgotten
                data = orjson.loads(value)
                stored[int(key)] = (data["created_at"], Memory.of_data(data["memory"]))
        born = {record.id: record.created_at for record in reader.jobs_of_ids(stored)}
        self._memories = {
            job_id: memory for job_id, (created_at, memory) in stored.items() if born.get(job_id) == created_at
        }
        self._to_look |= set(stored)


def _occurrence(reader: TellingReader, run: Run) -> Occurrence:
    if run.state is RunState.SKIPPED and run.skipped_first is not None:
        return SlotsSkipped.of(run)
    failed = run.state in (RunState.FAILED, RunState.EXPIRED)
    return RunEnded.of(run, retried=failed and reader.is_retried(run))
