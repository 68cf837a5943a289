"""A slot that has come: what became of it. Pure; called by `status.why.compose`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from specs.policy import Policy
from state.records import Reason, Run, RunState, Trigger
from status.phase import suspension_of
from status.why.known import Facts, SlotFacts
from status.why.story import About, Answer, Verdict
from status.why.waiting import waits_for
from status.why.words import ending, length, resume_advice, suspended, took, version
from status.words.counting import counted
from status.words.reasons import advice_words, skip_words

SECOND = 1_000_000
ON_TIME = 60 * SECOND
"""A start this late is not worth a word: `reconciler.due` calls it on time."""


def told(facts: Facts, slot: SlotFacts, about: About, title: str) -> Answer:
    """What became of a slot that is at or before the watermark, or has rows."""
    if slot.skipped is not None:
        return _skipped(facts, slot, slot.skipped, about, title)
    if slot.rows:
        return _ran(facts, slot, about, title)
    return _nothing(facts, slot, about, title)


def _ran(facts: Facts, slot: SlotFacts, about: About, title: str) -> Answer:
    last = slot.rows[-1]
    return Answer(
        about=about,
        verdict=_verdict(last),
        title=title,
        text=tuple(_run_sentences(facts, slot, last)),
        slot=last.scheduled_for,
        starts_at=last.started_at,
        reason=last.reason,
        runs=slot.rows,
        advice=_run_advice(slot.rows),
    )


def _verdict(run: Run) -> Verdict:
    match run.state:
        case RunState.BLOCKED | RunState.PENDING:
            return Verdict.WAITING
        case state:
            return Verdict(state.value)


def _run_sentences(facts: Facts, slot: SlotFacts, last: Run) -> Iterator[str]:
    before = len(slot.rows) - 1
    match last.state:
        case RunState.RUNNING:
            since = last.started_at or last.created_at
            yield f"It has been running for {length(facts.now - since)}{_at_attempt(facts, last)}."
        case RunState.BLOCKED | RunState.PENDING:
            yield waits_for(facts, last)
        case RunState.SUCCEEDED:
            yield f"It ran and {ending(last)}{_at_attempt(facts, last)}{took(last)}."
        case _ if last.started_at is None:
            yield f"It did not start: it {ending(last)}."
        case _:
            yield f"It ran and {ending(last)}{took(last)}{_tries(facts, last)}."
    if before and last.state is not RunState.SUCCEEDED and slot.rows[-2].finished_at is not None:
        yield f"The attempt before it {ending(slot.rows[-2])}."
    yield from _lateness(facts, slot.rows[0])
    if last.requested_by and last.scheduled_for is not None:
        yield f"{last.requested_by or 'Somebody'} asked for it."
    if last.params:
        yield f"It was given {', '.join(f'{name}={value}' for name, value in sorted(last.params.items()))}."
    if last.upstream:
        followed = ", ".join(f"{identity} (run {run})" for identity, run in sorted(last.upstream.items()))
        yield f"It followed {followed}."
    yield version(last, facts.record)


def _at_attempt(facts: Facts, run: Run) -> str:
    attempts = facts.policy.retry.attempts if facts.policy.retry else run.attempt
    return f" at attempt {run.attempt} of {max(attempts, run.attempt)}" if run.attempt > 1 else ""


def _tries(facts: Facts, run: Run) -> str:
    retry = facts.policy.retry
    if retry is None:
        return f", at attempt {run.attempt}" if run.attempt > 1 else ""
    if run.attempt >= retry.attempts:
        return f"; all {retry.attempts} attempts are used up"
    return f", at attempt {run.attempt} of {retry.attempts}" if run.attempt > 1 else ""


def _lateness(facts: Facts, first: Run) -> Iterator[str]:
    slot, timing = first.scheduled_for, facts.timing
    if slot is None or first.started_at is None:
        return
    start = timing.start(slot) if timing is not None and first.trigger is not Trigger.BOOT else slot
    late = first.started_at - start
    if first.trigger is Trigger.CATCH_UP:
        how = f"as a catch-up (`missed: {facts.policy.missed}`)"
        yield f"It started {length(late)} late, {how}: nothing could run before."
    elif late >= ON_TIME:
        waited = first.started_at - first.created_at
        waiting = f", of which it waited {length(waited)} to be let in" if waited >= SECOND else ""
        yield f"It started {length(late)} late{waiting}."
    elif start != slot:
        at = facts.local.clock(first.started_at)
        yield f"It started at {at}: `jitter` moves this slot by {length(start - slot)}."


def _run_advice(rows: Sequence[Run]) -> tuple[str, ...]:
    run = rows[-1]
    if run.reason is Reason.BACKOFF and len(rows) > 1:
        run = rows[-2]  # the one that failed wrote why
    if run.started_at is None:
        return (f"jobsctl run {run.id}",)
    if run.state is RunState.RUNNING:
        return (f"jobsctl logs -f {run.id}",)
    return () if run.state is RunState.SUCCEEDED else (f"jobsctl logs {run.id}",)


def _skipped(facts: Facts, slot: SlotFacts, record: Run, about: About, title: str) -> Answer:
    return Answer(
        about=about,
        verdict=Verdict.SKIPPED,
        title=title,
        text=tuple(_skip_sentences(facts, slot, record)),
        slot=slot.slot,
        reason=record.reason,
        runs=slot.rows,
        advice=_skip_advice(facts, record),
    )


def _skip_sentences(facts: Facts, slot: SlotFacts, record: Run) -> Iterator[str]:
    local, count = facts.local, record.skipped_count or 1
    why = _why_skipped(facts, slot, record)
    if count == 1 or record.skipped_first is None or record.scheduled_for is None:
        yield f"It was not run: {why}."
    else:
        span = f"from {local.at(record.skipped_first)} to {local.at(record.scheduled_for)}"
        yield f"{counted(count, 'slot')} {span} were not run: {why}."
    if record.error and record.reason not in (Reason.SUSPENDED,) and record.error not in why:
        yield f"{record.error[:1].upper()}{record.error[1:].rstrip('.')}."
    if slot.caught_up is not None and slot.caught_up.scheduled_for is not None:
        run = slot.caught_up
        how = "is running" if run.state is RunState.RUNNING else f"is {run.state}"
        if run.finished_at is not None:
            how = ending(run)
        last = local.at(slot.caught_up.scheduled_for)
        what = "caught up by" if run.trigger is Trigger.CATCH_UP else "run by"
        yield f"The slot after {'them' if count > 1 else 'it'}, {last}, was {what} run {run.id}, which {how}."
    elif record.reason in (Reason.MISSED, Reason.DAEMON_DOWN) and facts.policy.missed == "skip":
        yield "Nothing was caught up: `missed: skip`."
    yield version(record, facts.record)


def _why_skipped(facts: Facts, slot: SlotFacts, record: Run) -> str:
    words, policy, local = skip_words(record.reason), facts.policy, facts.local
    match record.reason:
        case Reason.OVERLAP if slot.holder is not None:
            holder, plural = slot.holder, (record.skipped_count or 1) > 1
            since = local.at(holder.started_at or holder.created_at)
            does = "waits" if holder.state is RunState.BLOCKED else "runs"
            ran = f"{does} since {since}" if holder.finished_at is None else f"ran from {since}"
            until = "" if holder.finished_at is None else f" to {local.at(holder.finished_at)}"
            return f"{_in_the_way(policy, plural)} (`overlap: {policy.overlap}`): {holder.id} {ran}{until}"
        case Reason.OVERLAP:
            plural = (record.skipped_count or 1) > 1
            return f"{_in_the_way(policy, plural)} (`overlap: {policy.overlap}`)"
        case Reason.SUSPENDED:
            return _why_suspended(facts, slot, record)
        case Reason.GRACE if policy.grace is not None:
            return f"it was more than {length(policy.grace)} late when it could have run (`missed.grace`)"
        case Reason.CALENDAR if policy.calendars:
            return f"calendar {' or '.join(policy.calendars)} does not let it run then"
        case Reason.POOL if policy.pool is not None:
            return f"the run before still waited for a slot of pool {policy.pool}"
        case Reason.DEPENDENCY if policy.depends_on:
            names = " or ".join(each.identity for each in policy.depends_on)
            return f"the run before still waited for {names}"
    return words


def _in_the_way(policy: Policy, plural: bool) -> str:
    """What `overlap` says no to."""
    if policy.overlap == "queue":
        return "one run was active and another one waited already"
    if policy.overlap == "allow":
        return f"{counted(policy.max_concurrent, 'run')} were active, as many as may be"
    return f"{'a run' if plural else 'the run before'} was still active"


def _why_suspended(facts: Facts, slot: SlotFacts, record: Run) -> str:
    suspension = suspension_of(facts.record)
    if suspension is not None and (suspension.at is None or suspension.at <= (record.finished_at or slot.slot)):
        return f"the job was {suspended(suspension, facts.record, facts.local)}"
    if slot.pause is not None:
        who, _, why = slot.pause.message.partition(": ")
        return f"the job was suspended {who} on {facts.local.at(slot.pause.at)} ({why or 'no reason given'})"
    return skip_words(Reason.SUSPENDED)


def _skip_advice(facts: Facts, record: Run) -> tuple[str, ...]:
    if record.reason is Reason.SUSPENDED:
        suspension = suspension_of(facts.record)
        return () if suspension is None else resume_advice(suspension, facts.record)
    if record.reason is Reason.OVERLAP and facts.policy.overlap != "skip":
        return ("let it take less time, or run it less often",)
    found = advice_words(record.reason, facts.record.identity)
    return (found,) if found else ()


def _nothing(facts: Facts, slot: SlotFacts, about: About, title: str) -> Answer:
    """A slot of the present schedule, of which nothing is stored."""
    record, local = facts.record, facts.local
    if slot.slot <= record.created_at:
        why = f"The job did not exist yet: its file was first applied {local.when(record.created_at)}."
    elif slot.slot <= record.applied_at:
        why = (
            f"Nothing is stored about it. Generation {record.generation} of the job was applied later, "
            f"{local.when(record.applied_at)}: before, its schedule may have been another one."
        )
    elif slot.oldest is not None and slot.slot < slot.oldest:
        why = f"Its record is gone: history is kept from {local.at(slot.oldest)} on (`retention`)."
    else:
        why = "Nothing is stored about it: its file was gone then, the job was complete, or its record was deleted."
    return Answer(about=about, verdict=Verdict.UNKNOWN, title=title, text=(why,), slot=slot.slot)


def undecided(facts: Facts, slot: int, about: About, title: str) -> Answer:
    """A slot that has come, on which nobody decided yet."""
    timing = facts.timing
    start = slot if timing is None else timing.start(slot)
    lines: list[str] = []
    advice: tuple[str, ...] = ()
    if start > facts.now:
        lines.append(f"It starts {facts.local.when(start)}: `jitter` moves this slot by {length(start - slot)}.")
    elif facts.alive:
        lines.append("It is due: the daemon decides on it any moment.")
    else:
        since = f" has been running since {facts.local.at(facts.last_beat)}" if facts.last_beat else " is running"
        lines.append(f"It was not run yet: no daemon{since}.")
        lines.append(_when_a_daemon_comes(facts, slot))
        advice = ("jobsctl daemon",)
    return Answer(
        about=about, verdict=Verdict.UNDECIDED, title=title, text=lines, slot=slot, starts_at=start, advice=advice,
        reason=None if facts.alive or start > facts.now else Reason.DAEMON_DOWN,
    )  # fmt: skip


def _when_a_daemon_comes(facts: Facts, slot: int) -> str:
    policy, timing = facts.policy, facts.timing
    if suspension_of(facts.record) is not None:
        return "When one starts, it is recorded as skipped: the job is suspended."
    if policy.missed == "skip":
        return "When one starts, it is recorded as skipped (`missed: skip`)."
    if policy.grace is not None and facts.now - slot > policy.grace:
        return f"When one starts, it is recorded as skipped: it is more than {length(policy.grace)} late (`grace`)."
    latest = None if timing is None else timing.before(facts.now, slot)
    if policy.missed == "latest" and latest is not None:
        after = facts.local.at(latest)
        said = "When one starts, it is recorded as skipped, and the latest slot"
        return f"{said}, {after}, is caught up (`missed: latest`)."
    return f"When one starts, it is caught up (`missed: {policy.missed}`)."
