"""What becomes of a job of the month (`tests.page.month`): runs, attempts and skips, from its schedule and habit."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from specs.schedule import Schedule, compile_schedule
from specs.stored import StoredJob
from specs.zones import find_zone
from state.records import JobRecord, Reason, Run, RunState, Trigger
from state.store import RunEnd, RunStarted, Skip, Store
from tests.page.habits import BAD, HABITS, End, Habit

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
CHAIN = (("data/clean", "data/extract"), ("data/transform", "data/clean"), ("data/load", "data/transform"),
         ("data/publish", "data/load"))  # fmt: skip
HOLIDAYS = ("10-31", "11-09", "12-25", "12-26", "01-01")
MANUAL: Mapping[str, tuple[tuple[float, str, Mapping[str, str] | None], ...]] = {
    "data/backfill": (
        (20.4, "ann@desk", {"first": "2026-10-01", "last": "2026-10-07"}),
        (13.1, "ann@desk", {"first": "2026-10-08", "last": "2026-10-31"}),
        (0.04, "<b>mallory</b>@desk", {"first": "'\"><script>alert(1)</script>", "last": "yesterday"}),
    ),
    "ops/vacuum": ((25.0, "bob@desk", None), (10.2, "bob@desk", None), (3.3, "ann@desk", None)),
}
"""By days ago: who asked, and for what."""


@dataclass(slots=True)
class Made:
    """A run, and how it goes."""

    run: Run
    started_at: int | None = None
    end: RunEnd | None = None
    waits: bool = False
    """It waited for its next attempt before it started."""
    follows: Mapping[str, Made] = field(default_factory=dict)
    """By identity: the runs of other jobs it follows."""


@dataclass(slots=True)
class Step:
    """One thing that is stored."""

    at: int
    kind: str
    run: Made | None = None
    skip: Skip | None = None


@dataclass(slots=True)
class Life:
    """One job's month."""

    job: JobRecord
    habit: Habit
    steps: list[Step] = field(default_factory=list)
    runs: list[Made] = field(default_factory=list)
    next_at: int | None = None
    completed_at: int | None = None
    consumed: dict[str, int] = field(default_factory=dict)
    pruned: int = 0

    @property
    def ended(self) -> Iterator[Made]:
        """Its successes, in order: what dependants follow."""
        return (made for made in self.runs if made.end is not None and made.end.state is RunState.SUCCEEDED)


class Steps:
    """What happened within a short time, stored in as few calls as may be."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps

    def store(self, store: Store) -> None:
        """Skips, new runs, starts, ends: in this order, which is each run's own."""
        skips = [step.skip for step in self.steps if step.skip is not None]
        if skips:
            store.skip(skips)
        made = {kind: [step.run for step in self.steps if step.kind == kind and step.run is not None]
                for kind in ("insert", "release", "start", "end")}  # fmt: skip
        if made["insert"]:
            store.insert_runs([one.run for one in made["insert"]])
        for one in made["release"]:
            store.release([one.run], one.started_at or 0)
        if made["start"]:
            store.started([RunStarted(run_id=one.run.id, at=one.started_at or 0, pid=4711, pid_start=1)
                           for one in made["start"]])  # fmt: skip
        ends = [replace(one.end, run_id=one.run.id) for one in made["end"] if one.end is not None]
        if ends:
            store.finished(ends)


def lives_of(jobs: Mapping[str, JobRecord], *, since: int, now: int, seed: int) -> dict[str, Life]:
    """The month of every job, those that follow others last."""
    lives = {}
    for identity, job in jobs.items():
        if identity not in dict(CHAIN) and identity != "data/quality":
            lives[identity] = Living(job, since=since, now=now, seed=seed).by_itself()
    for identity, upstream in CHAIN:
        lives[identity] = Living(jobs[identity], since=since, now=now, seed=seed).following(lives[upstream])
    lives["data/quality"] = Living(jobs["data/quality"], since=since, now=now, seed=seed).by_itself()
    _let_wait(lives["data/quality"], lives["data/load"])
    return lives


def _let_wait(life: Life, upstream: Life) -> None:
    """Its last run waits: the job it depends on has failed tonight."""
    for place, made in enumerate(life.runs):
        followed = [each for each in upstream.ended if each.end is not None and each.end.at < made.run.created_at]
        if followed:
            life.runs[place].follows = {"data/load": followed[-1]}
            life.consumed["data/load"] = followed[-1].end.at if followed[-1].end else 0
    last = life.runs[-1]
    last.follows = {}
    life.steps = [step for step in life.steps if step.run is not last or step.kind == "insert"]
    last.started_at = last.end = None
    last.run = replace(last.run, state=RunState.BLOCKED, reason=Reason.DEPENDENCY)


class Living:
    """Makes one life."""

    def __init__(self, job: JobRecord, *, since: int, now: int, seed: int) -> None:
        self.life = Life(job, HABITS.get(job.identity, Habit()))
        self.since, self.now = since, now
        self.random = random.Random(f"{seed}:{job.identity}")
        stored = StoredJob.of(job.spec)
        self.schedule: Schedule = compile_schedule(stored)
        self.zone = find_zone(stored.timezone or "UTC")
        spec = json.loads(job.spec)
        retry = spec.get("retry", {})
        self.attempts: int = retry.get("attempts", 1)
        self.delay = round(retry.get("delay", 10) * SECOND)
        self.overlap: str = spec.get("overlap", "skip")
        self.holidays = "holidays" in (spec.get("calendar") or [])
        self.busy_until = 0
        self.down = (now - 12 * DAY - 8 * HOUR, now - 12 * DAY - 5 * HOUR)
        """No daemon was running between these."""

    def by_itself(self) -> Life:
        """From its schedule, or because somebody asked."""
        life, job = self.life, self.life.job
        if job.identity in MANUAL:
            self._asked()
        elif self.schedule.reboot:
            self._run(self.since + 12 * DAY, 1, trigger=Trigger.BOOT, slot=None)
        end = job.archived_at or self.now
        slots = []
        at = self.schedule.next_after(self.since, anchor=job.anchor_at)
        while at is not None and at <= end - SECOND:
            slots.append(at)
            at = self.schedule.next_after(at, anchor=job.anchor_at)
        life.next_at = at if job.archived_at is None and job.suspended_at is None else None
        if self.schedule.kind == "once" and slots:
            life.completed_at = slots[-1] + 400 * SECOND
        life.pruned = max(len(slots) - life.habit.most, 0)
        slots = slots[life.pruned :]
        for place, slot in enumerate(slots):
            self._slot(slot, len(slots) - place)
        return life

    def following(self, upstream: Life) -> Life:
        """A run after each success of `upstream`."""
        before = list(upstream.ended)
        for place, made in enumerate(before):
            assert made.end is not None
            at = made.end.at + 300_000
            self._run(
                at, len(before) - place, trigger=Trigger.DEPENDENCY, slot=None, upstream={upstream.job.identity: made}
            )
            self.life.consumed[upstream.job.identity] = made.end.at
        return self.life

    def _asked(self) -> None:
        asked = MANUAL[self.life.job.identity]
        for place, (days, who, params) in enumerate(asked):
            at = self.now - round(days * DAY)
            self._run(at, len(asked) - place, trigger=Trigger.MANUAL, slot=None, who=who, params=params)

    def _slot(self, slot: int, ago: int) -> None:
        job = self.life.job
        if self.down[0] <= slot < self.down[1]:
            following = self.schedule.next_after(slot, anchor=job.anchor_at)
            if following is None or following >= self.down[1]:
                self._run(self.down[1] + 2 * SECOND, ago, trigger=Trigger.CATCH_UP, slot=slot)
            else:
                self._skip(slot, Reason.DAEMON_DOWN, self.down[1] + SECOND)
        elif job.suspended_at is not None and slot > job.suspended_at:
            self._skip(slot, Reason.SUSPENDED)
        elif self.holidays and self.zone.local(slot).strftime("%m-%d") in HOLIDAYS:
            self._skip(slot, Reason.CALENDAR)
        elif slot < self.busy_until and self.overlap == "skip":
            self._skip(slot, Reason.OVERLAP)
        else:
            self._run(max(slot, self.busy_until) + self.random.randint(2_000, 60_000), ago, slot=slot)

    def _skip(self, slot: int, reason: Reason, at: int | None = None) -> None:
        job = self.life.job
        skip = Skip(job_id=job.id or 0, first=slot, last=slot, count=1, reason=reason, at=at or slot + 5_000,
                    generation=job.generation, digest=job.digest, revision=job.revision)  # fmt: skip
        self.life.steps.append(Step(skip.at, "skip", skip=skip))

    def _run(
        self,
        at: int,
        ago: int,
        *,
        slot: int | None,
        trigger: Trigger = Trigger.SCHEDULE,
        attempt: int = 1,
        upstream: Mapping[str, Made] | None = None,
        who: str | None = None,
        params: Mapping[str, str] | None = None,
        wait: int = 0,
    ) -> None:
        """One attempt, and those after it."""
        life, job = self.life, self.life.job
        run = Run(
            id="", job_id=job.id or 0, project=job.project, job=job.name, generation=job.generation, digest=job.digest,
            revision=job.revision, trigger=trigger, scheduled_for=slot, attempt=attempt, created_at=at,
            state=RunState.BLOCKED if wait else RunState.PENDING, reason=Reason.BACKOFF if wait else None,
            not_before=at + wait if wait else None, requested_by=who, params=params,
        )  # fmt: skip
        made = Made(run, waits=bool(wait), follows=upstream or {})
        life.runs.append(made)
        life.steps.append(Step(at, "insert", made))
        start = at + wait + self.random.randint(3_000, 30_000)
        if start > self.now:
            return
        end = self._end(start, ago, attempt)
        if end is not None and end.reason is Reason.START_ERROR:
            made.end = RunEnd(run_id="", at=start, state=end.state, reason=end.reason, error=end.error)
            life.steps.append(Step(start, "end", made))
            return
        made.started_at = start
        if wait:
            life.steps.append(Step(start, "release", made))
        seconds = self._seconds(start, end)
        over = start + round(seconds * SECOND)
        life.steps.append(Step(start, "start", made))
        if self._is_still_running(ago, attempt) or over > self.now:
            self.busy_until = self.now + 1
            return
        made.end = RunEnd(
            run_id="", at=over, state=end.state if end else RunState.SUCCEEDED,
            reason=end.reason if end else Reason.SUCCEEDED, error=end.error if end else None,
            exit_code=end.exit_code if end else 0, signal=end.signal if end else None,
            cpu_seconds=round(seconds * life.habit.cores * self.random.uniform(0.8, 1.1), 3),
            peak_memory=round(life.habit.memory * self.random.uniform(0.8, 1.2)), output_bytes=None,
            result=None if end else life.habit.result,
        )  # fmt: skip
        life.steps.append(Step(over, "end", made))
        self.busy_until = over
        if end is not None and end.state is not RunState.CANCELLED and attempt < self.attempts:
            self._run(over, ago, slot=slot, trigger=Trigger.RETRY, attempt=attempt + 1, wait=self.delay * attempt)

    def _is_still_running(self, ago: int, attempt: int) -> bool:
        identity = self.life.job.identity
        return (identity == "ops/mirror" and ago == 2) or (identity == "data/backfill" and ago == 1)

    def _end(self, start: int, ago: int, attempt: int) -> End | None:
        """None: it succeeds."""
        habit = self.life.habit
        if self.life.job.identity == "data/load" and ago == 1:
            return End(error="exit code 3", exit_code=3)
        if self.life.job.identity == "shop/stock-sync" and ago == 1:
            return BAD
        if habit.failing_for is not None and self.now - start < habit.failing_for * DAY:
            return End(error="exit code 1", exit_code=1)
        if ago in habit.ends and attempt == 1:
            return habit.ends[ago]
        return BAD if self.random.random() < (habit.fails if attempt == 1 else 0.3) else None

    def _seconds(self, start: int, end: End | None) -> float:
        habit = self.life.habit
        days = (start - self.since) / DAY
        mean = habit.takes + habit.growth * days
        seconds = max(mean * self.random.lognormvariate(0, habit.spread), 0.2)
        if end is not None and end.state is RunState.EXPIRED:
            return 7 * 3600.0
        return seconds * self.random.uniform(0.1, 0.6) if end is not None else seconds
