"""What the fields of one job ask of each other: its schedule, and policies that exclude, need or defeat one another.

Called by `specs.load` for a job whose single fields are sound. Reads no clock and knows no other document; what needs
the other files is in `specs.references`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from specs.conditions import ConditionError, compile_condition
from specs.diagnostic import Diagnostic, Severity
from specs.document import Document, Loc
from specs.entry import read_instant
from specs.expression import ScheduleError, ScheduleWarning
from specs.links import dependencies, reference
from specs.model import Job
from specs.policies import Jitter, Missed
from specs.schedule import Schedule, compile_schedule

RULED = frozenset(
    {
        "overlap", "max_concurrent", "missed", "retry", "jitter", "start_at", "end_at", "repeat", "until", "depends_on",
        "on_dependency_failure", "pool", "priority", "calendar", "params", "renamed_from", "notify",
    }
)  # fmt: skip
"""A job with none of these is sound when its fields are: it costs one set operation here."""
PARAM_PLACE = re.compile(r"\{\{\s*params\.([A-Za-z][A-Za-z0-9_]*)\s*\}\}")
"""Where a param's value stands in an argument, a variable or the working directory; as in `runners.inputs`."""
_OF_SLOTS = ("missed", "jitter")
"""Speak of slots, so that a job without a schedule has no use for them."""
_OF_RUNS_BY_ITSELF = (*_OF_SLOTS, "start_at", "end_at", "repeat", "until", "calendar")
_SAMPLED_SLOTS = 64
"""How many slots of a schedule are looked at for the shortest time between two."""
_SOME_DAY = 1_704_067_200_000_000
"""2024-01-01T00:00:00Z: where the sample begins, as nothing here may depend on when it is asked."""


def schedule_findings(
    job: Job, document: Document, identity: str | None, default_timezone: str
) -> tuple[Schedule | None, list[Diagnostic]]:
    """The schedule of a job (None when it cannot be used), and what is wrong or odd about it."""
    try:
        schedule = compile_schedule(job, default_timezone=default_timezone)
    except ScheduleError as error:
        code = "JOB042" if error.field == "timezone" or error.loc[-1:] == ("timezone",) else "JOB040"
        return None, [_in_schedule(code, Severity.ERROR, error, (error.field, *error.loc), document, identity)]
    return schedule, [
        _in_schedule(warning.code, Severity.WARNING, warning, ("schedule", *warning.loc), document, identity)
        for warning in schedule.warnings
    ]


def _in_schedule(
    code: str,
    severity: Severity,
    said: ScheduleError | ScheduleWarning,
    loc: Loc,
    document: Document,
    identity: str | None,
) -> Diagnostic:
    span = None if said.start is None or said.end is None else (said.start, said.end)
    return document.finding(code, said.message, loc, span=span, help=said.help, severity=severity, identity=identity)


def rule_findings(job: Job, schedule: Schedule, document: Document, default_timezone: str) -> list[Diagnostic]:
    """Everything that does not go together in this job."""
    if RULED.isdisjoint(document.value):
        return []
    return list(_Rules(job, schedule, document, job.timezone or default_timezone).all())


class _Rules:
    def __init__(self, job: Job, schedule: Schedule, document: Document, timezone: str) -> None:
        self.job = job
        self.schedule = schedule
        self.document = document
        self.timezone = timezone

    def all(self) -> Iterator[Diagnostic]:
        yield from self._concurrency()
        yield from self._retry()
        yield from self._bounds()
        yield from self._jitter()
        yield from self._until()
        yield from self._params()
        yield from self._references()
        yield from self._without_effect()

    def _say(
        self,
        code: str,
        message: str,
        loc: Loc,
        help: str | None,
        *,
        at_key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> Diagnostic:
        identity = self.job.identity
        return self.document.finding(code, message, loc, at_key=at_key, help=help, severity=severity, identity=identity)

    def _concurrency(self) -> Iterator[Diagnostic]:
        given = self.document.given
        if "max_concurrent" not in given and "overlap" in given:
            return  # a folder's limit for its jobs that allow it
        if self.job.max_concurrent is not None and self.job.overlap != "allow":
            said = f"`max_concurrent` goes with `overlap: allow`; here it is `{self.job.overlap}`, one run at a time"
            yield self._say("JOB037", said, ("max_concurrent",), "write `overlap: allow`, or remove it", at_key=True)

    def _retry(self) -> Iterator[Diagnostic]:
        retry = self.job.retry
        # The default does not bound a longer `delay`: only who writes both contradicts himself.
        if retry.max_delay < retry.delay and "max_delay" in (self.document.value.get("retry") or {}):
            said = f"`retry.delay` is {retry.delay:g}s, more than `max_delay`, {retry.max_delay:g}s"
            help = "give a `max_delay` that is not less than `delay`"
            yield self._say("JOB037", said, ("retry", "max_delay"), help)

    def _bounds(self) -> Iterator[Diagnostic]:
        instants: dict[str, int] = {}
        for name in ("start_at", "end_at"):
            text = getattr(self.job, name)
            if text is None:
                continue
            try:
                instants[name] = read_instant(text, self.timezone)
            except ScheduleError as error:
                yield self._say("JOB038", error.message, (name,), error.help)
                return
        start, end = instants.get("start_at"), instants.get("end_at")
        if start is not None and end is not None and end <= start:
            yield self._say("JOB037", "`end_at` is not after `start_at`", ("end_at",), "exchange or correct them")
        elif instants and self.schedule.kind in ("cron", "once"):
            first = self.schedule.next_after(max(0, start or 0) - 1, anchor=0)
            if first is None or (end is not None and first > end):
                where = " and ".join(f"`{name}`" for name in instants)
                said = f"the schedule has no slot within {where}: the job would never run"
                yield self._say("JOB040", said, (next(reversed(instants)),), "correct the schedule or the bounds")

    def _jitter(self) -> Iterator[Diagnostic]:
        jitter = self.job.jitter
        if jitter is None:
            return
        parts: dict[Loc, float | None] = {("jitter",): jitter if not isinstance(jitter, Jitter) else None}
        if isinstance(jitter, Jitter):
            parts = {("jitter", "spread"): jitter.spread, ("jitter", "random"): jitter.random}
        period = shortest_period(self.schedule)
        for loc, seconds in parts.items():
            if seconds is not None and period is not None and seconds * 1_000_000 > period:
                said = f"`{'.'.join(map(str, loc))}` is longer than the {period / 1_000_000:g}s between two slots"
                help = "offsets are cut to that" if loc[-1] == "random" else "every run will lie a slot or more behind"
                yield self._say("JOB044", said, loc, help, severity=Severity.WARNING)

    def _until(self) -> Iterator[Diagnostic]:
        if self.job.until is None:
            return
        try:
            compile_condition(self.job.until)
        except ConditionError as error:
            yield self.document.finding(
                "JOB046", error.message, ("until",), span=error.span, help=error.help, identity=self.job.identity
            )

    def _params(self) -> Iterator[Diagnostic]:
        variables: dict[str, str] = {}
        for name in self.job.params:
            other = variables.setdefault(name.upper(), name)
            if other != name:
                said = f"`params.{name}` and `params.{other}` are one variable, `JOBSCTL_PARAM_{name.upper()}`"
                yield self._say("JOB037", said, ("params", name), "rename one of them", at_key=True)
        if self.job.params:
            yield from self._places_of_params()
        if self.schedule.kind == "manual" and self.job.depends_on is None:
            return
        for name, param in self.job.params.items():
            if param.default is None:
                said = f"`params.{name}` has no default, and nobody gives a value when the job starts by itself"
                help = "give it a `default`, or let the job only be triggered"
                yield self._say("JOB039", said, ("params", name), help, at_key=True)

    def _places_of_params(self) -> Iterator[Diagnostic]:
        run = self.job.run
        texts: list[tuple[Loc, str]] = [
            (("run", "command", index), text) for index, text in enumerate(run.command or ())
        ]
        texts += [(("env", name), value) for name, value in self.job.env.items() if isinstance(value, str)]
        texts += [(("run", "working_dir"), run.working_dir or ""), (("run", "script"), run.script or "")]
        for loc, text in texts:
            for found in PARAM_PLACE.finditer(text):
                if loc[-1] == "script":
                    said = f"`{found[0]}` stays as it is: nothing is written into a script"
                    help = f'read the variable: "$JOBSCTL_PARAM_{found[1].upper()}"'
                elif found[1] not in self.job.params:
                    said = f"`{found[0]}` stays as it is: the job has no parameter `{found[1]}`"
                    help = f"it has {', '.join(self.job.params)}"
                else:
                    continue
                yield self.document.finding(
                    "JOB047",
                    said,
                    loc,
                    span=found.span(),
                    help=help,
                    severity=Severity.WARNING,
                    identity=self.job.identity,
                )

    def _references(self) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for _, identity, loc in dependencies(self.job):
            if identity == self.job.identity:
                yield self._say("JOB052", f"`{identity}` depends on itself", loc, "remove it: it could never start")
            elif identity in seen:
                yield self._say("JOB037", f"`{identity}` is in `depends_on` twice", loc, "keep one of them")
            seen.add(identity)
        before = self.job.renamed_from
        if before is not None and reference(before, self.job.project) == self.job.identity:
            yield self._say("JOB053", "a job cannot be renamed from itself", ("renamed_from",), "remove it")
        calendars = self.job.calendar if isinstance(self.job.calendar, list) else []
        for index, name in enumerate(calendars):
            if name in calendars[:index]:
                yield self._say("JOB037", f"`{name}` is in `calendar` twice", ("calendar", index), "keep one of them")
        for index, rule in enumerate(self.job.notify):
            for at, name in enumerate(rule.to if isinstance(rule.to, list) else ()):
                if name in rule.to[:at]:
                    loc = ("notify", index, "to", at)
                    yield self._say("JOB037", f"`{name}` is in `to` twice", loc, "keep one of them")

    def _without_effect(self) -> Iterator[Diagnostic]:
        job, given = self.job, self.document.given
        if self.schedule.kind == "manual":
            alone = job.depends_on is None
            why = (
                "the job has no schedule and runs only when triggered"
                if alone
                else "a job without a schedule has no slots"
            )
            for name in _OF_RUNS_BY_ITSELF if alone else _OF_SLOTS:
                if given.get(name) is not None:
                    yield self._idle(f"`{name}`", (name,), why)
        elif not self.schedule.slots:
            boot = "it starts once per boot, not at slots"
            why = boot if self.schedule.reboot else "its runs follow the end of the run before, not slots"
            for name in _OF_SLOTS:
                if given.get(name) is not None:
                    yield self._idle(f"`{name}`", (name,), why)
        if given.get("priority") and job.pool is None:
            yield self._idle("`priority`", ("priority",), "the job is in no `pool`")
        if "on_dependency_failure" in given and job.depends_on is None:
            yield self._idle("`on_dependency_failure`", ("on_dependency_failure",), "the job has no `depends_on`")
        if isinstance(job.missed, Missed) and job.missed.policy != "all" and "max" in given.get("missed", {}):
            yield self._idle("`missed.max`", ("missed", "max"), f"`{job.missed.policy}` is at most one run")
        for index, rule in enumerate(job.notify if "notify" in given else ()):
            said = given["notify"][index]
            for name, on in (("slower_than", "slow"), ("failures", "still_failing")):
                if said.get(name) is not None and on not in rule.on:
                    why = f"the rule is not told `on: [{on}]`"
                    yield self._idle(f"`notify[{index}].{name}`", ("notify", index, name), why)
        if given.get("retry") and job.retry.attempts == 1:
            yield self._idle("`retry`", ("retry",), "`attempts` is 1: the first run is the only one")

    def _idle(self, what: str, loc: Loc, why: str) -> Diagnostic:
        said = f"{what} has no effect: {why}"
        return self._say("JOB043", said, loc, "remove it, or add what it needs", at_key=True, severity=Severity.WARNING)


def shortest_period(schedule: Schedule) -> int | None:
    """Microseconds between the two closest of the next slots; None when there are not two."""
    slots: list[int] = []
    at: int | None = _SOME_DAY
    for _ in range(_SAMPLED_SLOTS):
        at = schedule.next_after(at, anchor=_SOME_DAY) if at is not None else None
        if at is None:
            break
        slots.append(at)
    return min((later - sooner for sooner, later in pairwise(slots)), default=None)
