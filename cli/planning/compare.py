"""From what there was and what the files say to a plan. Pure: every fact is an argument.

Called by `cli.planning.sides` for `plan`, and by `cli.changes` (`diff`, `apply`) for the verdicts alone. What becomes
of a job is decided by `reconciler.sync`, the rule the daemon applies with; when its schedule starts anew, by
`reconciler.records`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import orjson

from cli.planning.before import Before, Was, error_key
from cli.planning.documents import plan_documents, touching
from cli.planning.effects import (
    Held,
    Meaning,
    coming,
    compared,
    held_after,
    held_before,
    held_rezoned,
    reanchor,
)
from cli.planning.fields import changed_fields, complete
from cli.planning.notes import going_notes, plan_notes, staying_notes
from cli.planning.plan import ACTIONS, Action, Coming, JobPlan, Origin, Plan, Reanchor
from reconciler import records
from reconciler.sync import Change, PrunePolicy, plan_sync
from specs.desired import Desired, DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic, Severity
from specs.frozen import frozen
from specs.nights import nights

MOST_TOUCHED = 20
"""Jobs whose own spec stays that are shown with the instants a calendar changes for them."""

_ACTIONS: Mapping[Change, Action] = {
    Change.CREATED: "create",
    Change.RESTORED: "create",
    Change.CONFIGURED: "change",
    Change.RENAMED: "rename",
    Change.PRUNED: "prune",
    Change.INVALID: "invalid",
}


@frozen
class After:
    """What the files say."""

    origin: Origin
    timezone: str
    """Of jobs that name none."""
    desired: Desired
    defaults: Mapping[str, DesiredDocument]
    """`Defaults` by file."""
    whole: bool = True
    """They are all there are: what is not among them goes."""


@frozen
class Verdict:
    """What becomes of one job, and no more."""

    identity: str
    action: Action
    was: Was | None = None
    job: DesiredJob | None = None
    findings: tuple[Diagnostic, ...] = ()
    restored: bool = False


def verdicts(before: Before, after: After, *, now: int, guard: PrunePolicy) -> list[Verdict]:
    """What becomes of every job that something becomes of, by identity. Costs little for those that stay."""
    desired = after.desired
    known = before.jobs
    candidates = {
        identity
        for identity, job in desired.jobs.items()
        if (was := known.get(identity)) is None or was.digest != job.digest or was.archived
    }
    candidates |= set(desired.invalid)
    absent: set[str] = set()
    if after.whole:
        live = [identity for identity, was in known.items() if not was.archived]
        absent = {each for each in live if each not in desired.jobs and each not in desired.invalid}
        for identity in absent:
            known[identity].missing_since = now - guard.grace  # as if its grace had passed: a plan tells the outcome
    found = plan_sync(
        before, desired, candidates=candidates | absent,
        live=sum(not was.archived for was in known.values()), now=now, policy=guard,
    )  # fmt: skip
    told = [_verdict(before, change.identity, _ACTIONS[change.change], change.job, change.renamed_from,
                     change.findings, restored=change.change is Change.RESTORED)
            for change in found.changes if change.change in _ACTIONS]  # fmt: skip
    told += [Verdict(identity, "hold", known[identity]) for identity in found.prune_blocked]
    seen = {each.identity for each in told} | {each.was.identity for each in told if each.was is not None}
    for identity in absent - seen:
        was = known[identity]
        if was.kept:
            told.append(Verdict(identity, "keep", was))
        elif was.path in desired.unreadable_paths:
            told.append(Verdict(identity, "invalid", was, findings=_errors_in(desired, was.path)))
    return sorted(told, key=lambda each: each.identity)


def _errors_in(desired: Desired, path: str) -> tuple[Diagnostic, ...]:
    return tuple(each for each in desired.diagnostics if each.path == path and each.severity is Severity.ERROR)


def _verdict(
    before: Before,
    identity: str,
    action: Action,
    job: DesiredJob | None,
    renamed_from: str | None,
    findings: tuple[Diagnostic, ...],
    *,
    restored: bool,
) -> Verdict:
    return Verdict(identity, action, before.jobs.get(renamed_from or identity), job, findings, restored)


def make_plan(
    before: Before,
    after: After,
    *,
    now: int,
    guard: PrunePolicy,
    wanted: Callable[[str, str], bool] = lambda identity, path: True,
    lint: Callable[[Sequence[DesiredJob]], Sequence[Diagnostic]] | None = None,
    detailed: int | None = None,
) -> Plan:
    """The plan.

    Args:
        wanted: of an identity and a path below the specs directory: whether it is asked about.
        lint: all findings of the files, with the warnings of the lint about these jobs. None: those that there are.
        detailed: so many jobs are looked at closely, the others told of only. None: all.
    """
    told = verdicts(before, after, now=now, guard=guard)
    own = {each.identity for each in told}
    rezoned = [each for each in _rezoned(before, after, now) if each.identity not in own]
    told = [each for each in sorted([*told, *rezoned], key=lambda each: each.identity) if _is_wanted(each, wanted)]
    edited = [each.job for each in told[:detailed] if each.job is not None]
    findings = after.desired.diagnostics if lint is None else lint(edited)
    maker = _Maker(before, after, findings, now)
    documents = plan_documents(before, after.desired, after.defaults, whole=after.whole)
    documents = [each for each in documents if wanted(each.identity, each.path)]
    touched_by = touching(documents)
    jobs = [
        maker.job(each, touched_by.get(each.identity, ()), close=detailed is None or index < detailed)
        for index, each in enumerate(told)
    ]
    changed = {job.identity for job in jobs}
    touched = [maker.touched(each, touched_by[each]) for each in sorted(touched_by) if each not in changed][
        :MOST_TOUCHED
    ]
    errors = [each for each in after.desired.diagnostics if each.severity is Severity.ERROR]
    errors = [each for each in errors if wanted(each.identity or "", each.path)]
    unchanged = sum(wanted(each, job.path) for each, job in after.desired.jobs.items() if each not in changed)
    return Plan(
        at=now,
        before=before.origin,
        after=after.origin,
        jobs=tuple(jobs),
        unchanged=unchanged,
        touched=tuple(each for each in touched if each is not None),
        documents=tuple(documents),
        errors=tuple(errors),
        new_errors=sum(error_key(each) not in before.errors for each in errors),
        notes=tuple(plan_notes(before, after.desired, jobs, guard)),
        counts={action: count for action in ACTIONS if (count := sum(job.action == action for job in jobs))},
    )


def _is_wanted(verdict: Verdict, wanted: Callable[[str, str], bool]) -> bool:
    places = [(each.identity, each.path) for each in (verdict.job, verdict.was) if each is not None]
    places += [(verdict.identity, finding.path) for finding in verdict.findings]
    return any(wanted(identity, path) for identity, path in places)


def _rezoned(before: Before, after: After, now: int) -> Iterable[Verdict]:
    """Jobs that stay and name no zone, where the daemon's zone is another one. One of each kind is asked."""
    meaning = Meaning(after.timezone, {})
    other = Meaning(before.timezone, {})
    known: dict[tuple[str, bytes], bool] = {}
    for identity, job in after.desired.jobs.items():
        was = before.jobs.get(identity)
        if was is None or was.digest != job.digest or was.archived or b'"timezone":null' not in job.spec:
            continue
        record = was.record
        if record is None and before.timezone == after.timezone:
            return
        if record is not None and (record.completed_at is not None or not record.schedule_digest):
            continue
        key = record.schedule_digest if record is not None else "", _scheduling(job.spec)
        if key not in known:
            found = meaning.of(job.spec)
            old = key[0] or ("" if (there := other.of(job.spec)) is None else records.schedule_digest(*there))
            known[key] = found is not None and records.schedule_digest(*found) != old
        if known[key]:
            yield Verdict(identity, "change", was, job)


def _scheduling(spec: bytes) -> bytes:
    """The part of canonical JSON that says when it runs, and maybe more: equal parts mean equal schedules (but for `H`,
    which differs from job to job)."""
    if b"H" in spec:
        return spec
    start, end = spec.find(b'"schedule":'), spec.rfind(b',"suspend":')
    dst, past = spec.find(b'"dst":'), spec.rfind(b',"env":')
    return spec[dst:past] + spec[start:end]


class _Maker:
    """Looks closely at single jobs."""

    def __init__(self, before: Before, after: After, findings: Sequence[Diagnostic], now: int) -> None:
        self._before = before
        self._after = after
        self._now = now
        self._was = Meaning(before.timezone, before.documents)
        kept = {key: each for key, each in before.documents.items() if key in after.desired.invalid_documents}
        documents = after.desired.documents if after.whole else {**before.documents, **after.desired.documents}
        self._will = Meaning(after.timezone, {**documents, **kept})
        self._warnings: dict[str, list[Diagnostic]] = {}
        for finding in findings:
            if finding.severity is not Severity.ERROR and finding.identity is not None:
                self._warnings.setdefault(finding.identity, []).append(finding)

    def job(self, verdict: Verdict, touched_by: tuple[str, ...], *, close: bool) -> JobPlan:
        """One job that something becomes of."""
        was, job = verdict.was, verdict.job
        place = job if job is not None else was
        path, line = ("", 1) if place is None else (place.path, place.line)
        if verdict.findings:
            path, line = verdict.findings[0].path, verdict.findings[0].line
        fresh = was is None or verdict.restored
        old = None if was is None or fresh else complete(_loaded(was.spec))
        new = None if job is None else complete(_loaded(job.spec))
        plan = JobPlan(
            identity=verdict.identity,
            action=verdict.action,
            path=path,
            line=line,
            was=was.identity if verdict.action == "rename" and was is not None else None,
            old=old,
            new=new,
            fields=changed_fields(old, new) if old is not None and new is not None else (),
            detailed=close,
            touched_by=touched_by,
            findings=verdict.findings or tuple(self._warnings.get(verdict.identity, ())),
        )
        return self._closely(plan, verdict) if close else plan

    def _closely(self, plan: JobPlan, verdict: Verdict) -> JobPlan:
        was, job, now = verdict.was, verdict.job, self._now
        old = None if was is None else held_before(was, self._was, now)
        before = coming(old, self._was, now) if old is not None and not verdict.restored else None
        if job is None:
            return replace(plan, before=before, notes=tuple(going_notes(plan, was, old)))
        same = was is not None and was.digest == job.digest and not verdict.restored and plan.action == "change"
        new = (
            held_after(old, job, self._will, now)
            if not same or old is None
            else (held_rezoned(old, job.spec, self._will, now))
        )
        if new is None:
            return replace(plan, before=before)
        again = reanchor(old, new, self._will) if old is not None else None
        after = coming(new, self._will, now)
        if before is not None and old is not None:
            before, after = self._marked(before, old, after, new)
        return replace(
            plan,
            reanchor=again,
            pause=_pause(plan),
            before=before,
            after=after,
            nights=tuple(nights(new.schedule, now)) if _is_timed(plan, again) else (),
            notes=tuple(staying_notes(plan, old, new, now, restored=verdict.restored, broken=self._is_broken(verdict))),
        )

    def _is_broken(self, verdict: Verdict) -> bool:
        return verdict.identity in self._before.broken

    def _marked(self, before: Coming, old: Held, after: Coming, new: Held) -> tuple[Coming, Coming]:
        return compared(before, after, new, self._will), compared(after, before, old, self._was)

    def touched(self, identity: str, touched_by: tuple[str, ...]) -> JobPlan | None:
        """A job whose own spec stays; None when its next instants stay too."""
        was, job = self._before.jobs.get(identity), self._after.desired.jobs.get(identity)
        if was is None or job is None or (old := held_before(was, self._was, self._now)) is None:
            return None
        before, after = coming(old, self._was, self._now), coming(old, self._will, self._now)
        if before == after:
            return None
        before, after = self._marked(before, old, after, old)
        return JobPlan(identity=identity, action="change", path=job.path, line=job.line, before=before, after=after,
                       touched_by=touched_by)  # fmt: skip


def _loaded(spec: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(spec)
    except orjson.JSONDecodeError:  # a damaged record, which an edit is to mend
        return {}
    return found if isinstance(found, dict) else {}


def _pause(plan: JobPlan) -> Literal["suspended", "resumed"] | None:
    before = plan.old is not None and plan.old.get("suspend", False) is not False
    after = plan.new is not None and plan.new.get("suspend", False) is not False
    return None if before == after else "suspended" if after else "resumed"


def _is_timed(plan: JobPlan, again: Reanchor | None) -> bool:
    return plan.old is None or again is not None
