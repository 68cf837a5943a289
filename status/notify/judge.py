"""The rules: of what happened to a job, who is told what, so that each thing is told once.

Called by the notify process for every event about a run and at its looks at the clock. Pure: `judge` is a function of
its arguments, and what it remembers is given and returned. Deciding is by what a notifier was told last, not by the
event alone, so it comes out the same whether events are judged as they happen or a day later, in their order.

A notifier is told of a *failure* when the last attempt of a run fails and it knows of none yet; then of *still
failing* each time `failures` more have; of a *missed* deadline once per deadline, not when it knows already that the
job fails; of the *recovery* with the next success, when it knew of either. A cancelled run is neither. While a silence
holds nothing is told: what it held back is told at its end when it is still so (the job still fails; it has recovered
from what was told before). Of a job that is suspended or archived nothing is told; a recovery is, when it is so no
more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from status.notify.memory import Memory, Problem, Success, Told
from status.notify.occurrences import (
    JobFacts,
    Looked,
    Notice,
    Occurrence,
    RunEnded,
    SlotsSkipped,
    What,
    failure_facts,
)

WANTED_SKIPS = frozenset({"suspended", "calendar", "horizon", "dst_gap"})
"""Slots that the job's own file, or who suspended it, wanted without a run: never told."""
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of an occurrence."""

    memory: Memory
    """To be kept in the place of the one given."""
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What one notifier wants to know of a job: all its rules together."""

    on: frozenset[str]
    failures: int
    """With `still_failing`: how many more."""
    slower_than: int | None
    """Microseconds."""


def wishes_of(job: JobFacts) -> Mapping[str, Wishes]:
    """By notifier. Where two rules name one, it is told what either wants: the sooner of two `slower_than`."""
    found: dict[str, Wishes] = {}
    for rule in job.rules:
        slow = round(rule.slower_than * _SECOND) if "slow" in rule.on and rule.slower_than is not None else None
        for name in rule.to:
            known = found.get(name, Wishes(on=frozenset(), failures=0, slower_than=None))
            counted = [each for each in (known.failures, rule.failures * ("still_failing" in rule.on)) if each]
            limits = [each for each in (known.slower_than, slow) if each is not None]
            found[name] = Wishes(
                on=known.on | rule.on,
                failures=min(counted, default=0),
                slower_than=min(limits, default=None),
            )
    return found


def judge(job: JobFacts, memory: Memory, occurrence: Occurrence, *, now: int) -> Judged:
    """What is to be told of this, and what to remember. The memory of a job without rules is to be dropped.

    Args:
        job: as it is now; an event of yesterday is judged by today's rules.
        now: when it is judged, not before `occurrence.at` but for clocks that were set.
    """
    return _Judge(job, memory, occurrence, now).judged()


def look_again(job: JobFacts, looked: Looked) -> int | None:
    """When time alone may next bring something to tell; None: nothing but an event will.

    `looked` is what was judged last. An event about the job (it was resumed, silenced, edited) asks for a look too.
    """
    if job.idle or not job.rules:
        return None
    ends = [silence.until for silence in job.silences if silence.until > looked.at]
    if any(silence.holds(looked.at) for silence in job.silences):
        return min(ends, default=None)
    wishes = wishes_of(job)
    found: list[int] = []
    if looked.deadline is not None and any("missed" in each.on for each in wishes.values()):
        found.append(looked.deadline)
    for each in wishes.values():
        if each.slower_than is not None:
            found += [run.started_at + each.slower_than + 1 for run in looked.running]
    return min((at for at in found if at > looked.at), default=None)


class _Judge:
    def __init__(self, job: JobFacts, memory: Memory, occurrence: Occurrence, now: int) -> None:
        self.job = job
        self.memory = memory
        self.occurrence = occurrence
        self.wishes = wishes_of(job)
        silenced = any(each.holds(at) for each in job.silences for at in (occurrence.at, now))
        self.silenced = silenced
        self.muted = silenced or job.idle
        self.notices: list[Notice] = []

    def judged(self) -> Judged:
        for stranger in self.memory.told.keys() - self.wishes.keys():
            self.memory = self.memory.with_told(stranger, Told())
        match self.occurrence:
            case RunEnded():
                self._ended(self.occurrence)
            case SlotsSkipped():
                self._skipped(self.occurrence)
            case Looked():
                self._looked(self.occurrence)
        return Judged(self.memory, tuple(self.notices))

    def _ended(self, ended: RunEnded) -> None:
        lasted = ended.lasted
        if lasted is not None:
            self._slow(ended.run_id, lasted, ended)
        self._forget_slow({ended.run_id})
        if ended.state == "skipped":
            self._tell_skip(ended.reason or "", ended.run_id, ended.at, ended.scheduled_for, ended.scheduled_for, 1)
        elif ended.state == "succeeded":
            self._succeeded(ended)
        elif ended.state in ("failed", "expired") and not ended.retried:
            before = self.memory.problem
            problem = Problem(
                since=ended.at if before is None else before.since,
                failures=1 if before is None else before.failures + 1,
                last=ended,
            )
            self.memory = replace(self.memory, problem=problem, success=None)
            if before is None:
                self._count_anew()
            self._tell_problem(problem)

    def _count_anew(self) -> None:
        """Who was not told of the recovery between two problems still knows of a failure, but not of how many now."""
        for name, told in self.memory.told.items():
            if told.failures:
                self.memory = self.memory.with_told(name, replace(told, failures=1))

    def _succeeded(self, ended: RunEnded) -> None:
        before = self.memory.problem
        self.memory = replace(self.memory, problem=None, held=False)
        recovering = {name for name, told in self.memory.told.items() if told.troubled}
        if recovering:
            owed = self.memory.success
            since = before.since if before is not None else owed.since if owed is not None else None
            failures = before.failures if before is not None else owed.failures if owed is not None else 0
            self.memory = replace(self.memory, success=Success(run=ended, since=since, failures=failures))
            self._tell_recovery()
        if self.muted:
            return
        for name, wants in self.wishes.items():
            recovery_told = name in recovering and "recovery" in wants.on
            if "success" in wants.on and not recovery_told:
                self._tell(name, "success", ended.run_id, ended.at, **failure_facts(ended))

    def _tell_problem(self, problem: Problem) -> None:
        last = problem.last
        for name, wants in self.wishes.items():
            told = self.memory.told.get(name, Told())
            what: What
            if "failure" in wants.on and not told.failures:
                what = "failure"
            elif wants.failures and problem.failures - told.failures >= wants.failures:
                what = "still_failing"
            else:
                continue
            if self.muted:
                self.memory = replace(self.memory, held=self.memory.held or self.silenced)
                continue
            self._tell(
                name, what, last.run_id, last.at,
                since=problem.since, failures=problem.failures, **failure_facts(last),
            )  # fmt: skip
            self.memory = self.memory.with_told(name, replace(told, failures=problem.failures))

    def _tell_recovery(self) -> None:
        success = self.memory.success
        if success is None or self.muted:
            return
        for name, told in tuple(self.memory.told.items()):
            wants = self.wishes.get(name)
            if told.troubled and wants is not None and "recovery" in wants.on:
                self._tell(
                    name, "recovery", success.run.run_id, success.run.at,
                    since=told.missed if success.since is None else success.since,
                    failures=success.failures, missed=not told.failures, **failure_facts(success.run),
                )  # fmt: skip
            self.memory = self.memory.with_told(name, Told(slow=told.slow))
        self.memory = replace(self.memory, success=None)

    def _skipped(self, skipped: SlotsSkipped) -> None:
        self._tell_skip(skipped.reason, skipped.run_id, skipped.at, skipped.first, skipped.last, skipped.count)

    def _tell_skip(self, reason: str, run_id: str, at: int, first: int | None, last: int | None, count: int) -> None:
        if self.muted or reason in WANTED_SKIPS:
            return
        for name, wants in self.wishes.items():
            if "skipped" in wants.on:
                self._tell(
                    name, "skipped", run_id, at,
                    run_id=run_id, state="skipped", reason=reason, first=first, last=last, count=count,
                )  # fmt: skip

    def _looked(self, looked: Looked) -> None:
        if not self.muted:
            self._tell_recovery()
            if self.memory.held and self.memory.problem is not None:
                self._tell_problem(self.memory.problem)
            self.memory = replace(self.memory, held=False)
            if looked.deadline is not None and self.job.watched_since < looked.deadline <= looked.at:
                self._missed(looked.deadline)
        for run in looked.running:
            self._slow(run.run_id, looked.at - run.started_at, None, started_at=run.started_at)

    def _missed(self, deadline: int) -> None:
        for name, wants in self.wishes.items():
            told = self.memory.told.get(name, Told())
            if "missed" not in wants.on or told.missed == deadline or told.failures:
                continue
            problem = self.memory.problem
            self._tell(
                name, "missed", f"{self.job.job_id}@{deadline}", deadline,
                since=deadline, failures=0 if problem is None else problem.failures,
            )  # fmt: skip
            self.memory = self.memory.with_told(name, replace(told, missed=deadline))

    def _slow(self, run_id: str, lasted: int, ended: RunEnded | None, *, started_at: int | None = None) -> None:
        if self.muted:
            return
        for name, wants in self.wishes.items():
            told = self.memory.told.get(name, Told())
            if wants.slower_than is None or lasted <= wants.slower_than or run_id in told.slow:
                continue
            facts = {"run_id": run_id, "started_at": started_at} if ended is None else failure_facts(ended)
            at = self.occurrence.at
            self._tell(name, "slow", run_id, at, **{**facts, "lasted": lasted, "slower_than": wants.slower_than})
            self.memory = self.memory.with_told(name, replace(told, slow=(*told.slow, run_id)))

    def _forget_slow(self, run_ids: set[str]) -> None:
        for name, told in tuple(self.memory.told.items()):
            kept = tuple(each for each in told.slow if each not in run_ids)
            if kept != told.slow:
                self.memory = self.memory.with_told(name, replace(told, slow=kept))

    def _tell(self, notifier: str, what: What, about: str, at: int, **facts: object) -> None:
        job = self.job
        values: dict[str, object] = {
            "id": f"{what}/{about}/{notifier}", "notifier": notifier, "what": what,
            "job_id": job.job_id, "identity": job.identity, "at": at, **facts,
        }  # fmt: skip
        self.notices.append(Notice.of_data(values))
