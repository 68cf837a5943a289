"""Gathering what the story of a job needs: from the database, the heartbeat and the doorbell. Called by the command."""

from __future__ import annotations

import orjson

from specs.expression import ScheduleError
from specs.policy import PLAIN, Policy, policy_of
from specs.schedule import Schedule, compile_schedule
from specs.stored import StoredJob
from specs.zones import find_zone
from state.records import ACTIVE_STATES, JobRecord, Reason, Run, RunState, Trigger
from status.deadline import read_spec
from status.seen import Seen
from status.upstream import upstream_facts
from status.why.known import Facts, PoolFacts, SlotFacts
from status.why.moment import Moment
from status.why.words import Local

MOST = 10_000
SEARCHED = 200
"""Rows looked through for a slot that the present schedule does not name: of an earlier one, of a chain."""


def facts_of(seen: Seen, record: JobRecord) -> Facts:
    """Everything about a job now."""
    spec = read_spec(record.spec)
    schedule, policy, trouble = _compiled(seen, record, spec)
    zone = find_zone(schedule.timezone if schedule else "UTC")
    beat = seen.heartbeat
    active = seen.reader.runs(job_id=record.id, active=True, limit=MOST, order="asc")
    return Facts(
        now=seen.now,
        record=record,
        policy=policy,
        schedule=schedule,
        trouble=trouble,
        local=Local(zone, seen.now),
        alive=seen.alive,
        last_beat=beat.at if beat is not None and beat.at else None,
        active=tuple(active),
        upstream=tuple(upstream_facts(record, policy, seen.find, seen.now, scheduled=spec.schedule is not None)),
        calendars=seen.calendars(policy),
        pool=None if policy.pool is None else pool_facts(seen, policy.pool),
        source_problem=seen.source_problem,
    )


def _compiled(seen: Seen, record: JobRecord, spec: StoredJob) -> tuple[Schedule | None, Policy, str | None]:
    zone = seen.timezone
    try:
        policy = policy_of(orjson.loads(record.spec), default_timezone=zone)
        return compile_schedule(spec, default_timezone=zone), policy, None
    except ScheduleError as error:
        return None, PLAIN, error.message


def pool_facts(seen: Seen, name: str) -> PoolFacts:
    """Who holds the slots of a pool, and who waits for one, in the order they came."""
    slots = None
    for document in seen.reader.documents("Pool"):
        if document.name == name:
            slots = int(orjson.loads(document.spec)["slots"])
    pools: dict[int, str | None] = {}
    running: list[Run] = []
    waiting: list[Run] = []
    for run in seen.reader.runs(active=True, limit=MOST, order="asc"):
        if run.job_id not in pools:
            owner = seen.reader.job_by_id(run.job_id)
            pools[run.job_id] = None if owner is None else orjson.loads(owner.spec).get("pool")
        if pools[run.job_id] == name:
            if run.state is not RunState.BLOCKED:
                running.append(run)
            elif run.reason is Reason.POOL:
                waiting.append(run)
    return PoolFacts(name=name, slots=slots, running=running, waiting=waiting)


def last_slot(seen: Seen, facts: Facts) -> SlotFacts | None:
    """The latest slot that something is stored about; of a job that never had one, its last run."""
    record = facts.record
    rows = seen.reader.runs(job_id=record.id, limit=SEARCHED)
    slots = [run.scheduled_for for run in rows if run.scheduled_for is not None and run.state not in ACTIVE_STATES]
    if slots:
        return slot_facts(seen, facts, max(slots))
    ended = [run for run in rows if run.state not in ACTIVE_STATES]
    if not ended:
        return None
    return SlotFacts(slot=ended[0].created_at, rows=(ended[0],))


def find_slot(seen: Seen, facts: Facts, moment: Moment) -> int | None:
    """The slot that is meant: one that something is stored about, else one of the present schedule."""
    stored = _stored(seen, facts.record, moment)
    timing = facts.timing
    if timing is None or not timing.schedule.slots:
        return stored
    if moment.width:
        if stored is not None:
            return stored
        slot = timing.after(moment.at - 1)
        return slot if slot is not None and slot < moment.at + moment.width else None
    if moment.at > facts.now:
        return timing.after(moment.at - 1)
    found = [slot for slot in (stored, timing.before(moment.at)) if slot is not None]
    return max(found, default=None)


def _stored(seen: Seen, record: JobRecord, moment: Moment) -> int | None:
    """A slot with rows of its own; rows are made at their slot or later."""
    if moment.width:
        rows = seen.reader.runs(job_id=record.id, since=moment.at, limit=SEARCHED, order="asc")
        fits = (run.scheduled_for for run in rows if run.scheduled_for is not None)
        return next((slot for slot in fits if moment.at <= slot < moment.at + moment.width), None)
    rows = seen.reader.runs(job_id=record.id, until=moment.at + 1, limit=20)
    past = [run.scheduled_for for run in rows if run.scheduled_for is not None and run.scheduled_for <= moment.at]
    return max(past, default=None)


def started_then(seen: Seen, facts: Facts, moment: Moment) -> SlotFacts | None:
    """Where no slot is: that of the run which started at the time that is meant; people remember starts."""
    for run in seen.reader.runs(job_id=facts.record.id, until=moment.at + moment.width, limit=SEARCHED):
        if run.started_at is not None and moment.at <= run.started_at < moment.at + moment.width:
            if run.scheduled_for is not None:
                return slot_facts(seen, facts, run.scheduled_for)
            return SlotFacts(slot=run.created_at, rows=(run,))
    return None


def slot_facts(seen: Seen, facts: Facts, slot: int) -> SlotFacts:
    """What is stored about a slot."""
    record = facts.record
    assert record.id is not None
    rows = seen.reader.slot(record.id, slot)
    skipped = rows[0] if rows and rows[0].state is RunState.SKIPPED else None
    holder = pause = caught_up = oldest = None
    if skipped is not None:
        if skipped.reason is Reason.OVERLAP:
            holder = _holder(seen, record, slot)
        elif skipped.reason is Reason.SUSPENDED:
            events = seen.reader.events(job_id=record.id, limit=MOST, order="desc")
            # Without a run: the event of a skipped slot has the same word.
            pauses = (event for event in events if event.reason == "suspended" and event.run_id is None)
            pause = next((event for event in pauses if event.at <= slot), None)
        elif skipped.reason in (Reason.MISSED, Reason.DAEMON_DOWN):
            caught_up = _caught_up(seen, facts, skipped)
    elif not rows:
        first = seen.reader.runs(job_id=record.id, limit=1, order="asc")
        oldest = (first[0].scheduled_for or first[0].created_at) if first else None
    return SlotFacts(slot=slot, rows=rows, caught_up=caught_up, holder=holder, pause=pause, oldest=oldest)


def _holder(seen: Seen, record: JobRecord, slot: int) -> Run | None:
    """The newest run that was active at `slot`."""
    for run in seen.reader.runs(job_id=record.id, until=slot + 1, limit=20):
        over = run.finished_at is not None and run.finished_at <= slot
        if run.state is not RunState.SKIPPED and not over:
            return run
    return None


def _caught_up(seen: Seen, facts: Facts, skipped: Run) -> Run | None:
    """The run of the slot after those that were missed: made to catch up, or just in time."""
    last, record, timing = skipped.scheduled_for or 0, facts.record, facts.timing
    following = None if timing is None else timing.after(last)
    around = seen.reader.runs(job_id=record.id, since=last, limit=20, order="asc")  # one commit: ids in any order
    for run in around:
        late = run.scheduled_for is not None and run.scheduled_for > last and run.state is not RunState.SKIPPED
        if late and (run.trigger is Trigger.CATCH_UP or run.scheduled_for == following):
            return run
    return None
