"""The page `/jobs/{project}/{name}`: how a job is and why, when it runs, what became of its runs, what it says.

Called by `pages`. The story is the one of `jobsctl why`, the words are those of `jobsctl describe`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from specs.expression import ScheduleError
from state.errors import NotFound as NoJob
from state.errors import StateError
from state.jobpast import own_events
from state.outbox.reads import OutboxReader
from state.outbox.records import Delivery
from state.records import JobRecord, Reason, Run, RunState
from state.silences import read_silences
from status.deadline import read_spec
from status.page.committed import spec_text
from status.page.filters import micros
from status.page.history import KNOWN, history_of
from status.page.jobplots import job_plots
from status.page.looking import Looking
from status.page.visit import Visit
from status.phase import Phase, suspension_of
from status.server.errors import NotFound
from status.silences import silence_of
from status.upcoming import Upcoming
from status.upstream import UpstreamFacts
from status.views import View
from status.why.compose import shift_near
from status.why.known import Facts
from status.why.waiting import upstream_words
from status.words.policy import ENDS, OCCASIONS, param_pairs, policy_pairs
from status.words.program import command_pairs, environment_pairs
from status.words.reasons import advice_words, skip_words
from status.words.runs import outcome_detail

STARTS = 6
EVENTS = 12
DELIVERIES = 5
GOOD = {"Ready": "True", "Reconciling": "False", "Stalled": "False", "Healthy": "True"}
"""What each condition is when all is well; `Complete` is neither good nor bad."""


@dataclass(frozen=True, slots=True)
class Start:
    """One coming start."""

    slot: int
    at: int
    note: str
    """About clocks that are moved near it."""


@dataclass(frozen=True, slots=True)
class Above:
    """A job this one depends on."""

    identity: str
    words: str
    ready: bool
    known: bool


@dataclass(frozen=True, slots=True)
class Skips:
    """Slots without a run, of all time."""

    reason: str
    count: int
    words: str
    advice: str


def job_page(visit: Visit) -> str:
    """The page.

    Raises:
        NotFound: there is no such job, or none that may be seen.
        BadRequest: a parameter of the history is not readable.
    """
    query = visit.query(known=KNOWN)
    entry = visit.entry(visit.parameters["project"], visit.parameters["name"])
    try:
        record = visit.reader.job(entry.identity)
    except NoJob:
        raise NotFound(f"there is no job {entry.identity} any more", job=entry.identity) from None
    view: View = orjson.loads(entry.fragment)
    looking = Looking(visit)
    facts = looking.facts(record)
    job = read_spec(record.spec)
    zone = facts.local.zone
    last = _last_run(visit, record)
    told = list(_told(view))
    deliveries, outbox_problem = _deliveries(visit, record.identity)
    return visit.render(
        "job.html",
        title=record.identity,
        current="jobs",
        refresh=10 if record.active_runs else 60,
        job=view,
        meta=view["metadata"],
        record=record,
        zone=zone.name,
        phase_detail=outcome_detail(last) if last is not None and entry.phase == Phase.BLOCKED else "",
        story=looking.story(facts),
        good=GOOD,
        overdue=(micros(view["successDeadline"]) or visit.now) < visit.now,
        findings=record.problem,
        starts=_starts(looking, record, facts),
        above=[_above(facts, each) for each in facts.upstream],
        below=_below(visit, record),
        plots=job_plots(visit, record, zone, timeout=job.timeout_seconds()),
        history=history_of(visit, entry.job_id, query),
        skips=_skips(view["skips"], record.identity),
        policies=[*policy_pairs(record, job, facts.policy)],
        program=[*command_pairs(job)],
        environment=[*environment_pairs(job)],
        params=[*param_pairs(job)],
        spec=spec_text(record, visit.picture.source),
        events=own_events(visit.ask, entry.job_id, limit=EVENTS),
        told=told,
        deliveries=deliveries,
        outbox_problem=outbox_problem if told else None,
        silence=silence_of(record.identity, read_silences(visit.ask, after=visit.now), visit.now),
        commands=list(_commands(record, facts.active, last)),
    )


def _told(view: View) -> Iterator[str]:
    """Who is told of it: `ops: failure, recovery`; the receiver of callbacks."""
    for rule in view["notify"]:
        on = (each.replace("_", " ") for each in OCCASIONS if each in rule["on"])
        yield f"{', '.join(rule['to'])}: {', '.join(on)}"
    if (callback := view["callback"]) is not None:
        where = f"a callback to {callback['host']}" if callback["host"] else "a callback to an address kept elsewhere"
        on = (each for each in ENDS if each in callback["on"])
        yield f"{where}: {'every end' if len(callback['on']) == len(ENDS) else ', '.join(on)}"


def _deliveries(visit: Visit, identity: str) -> tuple[list[Delivery], str | None]:
    """What was told of it last, and why that cannot be read: the page has more to say."""
    try:
        with OutboxReader(visit.home.outbox) as outbox:
            return outbox.deliveries(job=identity, project=visit.project, limit=DELIVERIES), None
    except StateError as error:
        return [], error.message


def _last_run(visit: Visit, record: JobRecord) -> Run | None:
    found = visit.reader.runs_of_ids([record.last_run_id]) if record.last_run_id is not None else {}
    return found.get(record.last_run_id or "")


def _starts(looking: Looking, record: JobRecord, facts: Facts) -> tuple[list[Start], tuple[str, ...]]:
    """The next starts, and what is to be said of them."""
    if suspension_of(record) is not None or record.archived_at is not None:
        return [], ()
    try:
        coming = Upcoming.of_job(looking, record, None, STARTS)
    except ScheduleError as error:
        return [], (error.message,)
    found, told = [], set[str]()
    for slot, at in coming.slots:
        note = shift_near(facts, slot) or ""
        found.append(Start(slot, at, note if note not in told else ""))
        told.add(note)
    return found, coming.notes


def _above(facts: Facts, each: UpstreamFacts) -> Above:
    identity = each.upstream.identity
    words = upstream_words(facts, each).removeprefix(identity).removeprefix(", which ").removeprefix(", ")
    return Above(identity, words, each.ready, each.record is not None)


def _below(visit: Visit, record: JobRecord) -> list[JobRecord]:
    """The jobs that depend on this one."""
    wanted = record.identity
    found = visit.reader.linked(record.identity)
    return [
        job
        for job in found
        if job.identity != wanted and visit.may_see(job.project) and wanted in _depends_on(job.spec, job.project)
    ]


def _depends_on(spec: bytes, project: str) -> set[str]:
    names = (
        each if isinstance(each, str) else str(each.get("job", "")) for each in orjson.loads(spec).get("depends_on", ())
    )
    return {name if "/" in name else f"{project}/{name}" for name in names}


def _skips(counts: Mapping[str, int], identity: str) -> list[Skips]:
    found = []
    for reason, count in sorted(counts.items(), key=lambda each: -each[1]):
        known = Reason(reason)
        found.append(Skips(reason, count, skip_words(known), advice_words(known, identity)))
    return found


def _commands(record: JobRecord, active: Sequence[Run], last: Run | None) -> Iterator[tuple[str, str]]:
    """What can be done about it: words and command."""
    name = record.identity
    if record.archived_at is not None:
        yield "forget it, with its history", f"jobsctl delete {name} --purge"
        return
    yield "run it now", f"jobsctl trigger {name}"
    for run in [run for run in active if run.state is not RunState.BLOCKED][:1] or active[:1]:
        yield "stop what is active", f"jobsctl cancel {run.id}"
    suspension = suspension_of(record)
    if suspension is None:
        yield "keep it from starting", f"jobsctl suspend {name} --reason '...'"
    elif suspension.override:
        yield "let it start again", f"jobsctl resume {name}"
    if last is not None and last.started_at is not None:
        yield "read its last log", f"jobsctl logs {last.id}"
    yield "ask about a slot", f"jobsctl why {name} --at 'yesterday 09:00'"
