"""What a run that has not started waits for, and until when. Pure; called by `past` and `compose`."""

from __future__ import annotations

from collections.abc import Sequence

from state.records import Health, Reason, Run, RunState
from status.upstream import UpstreamFacts
from status.why.known import Facts, PoolFacts
from status.why.story import About, Answer, Verdict
from status.why.words import length
from status.words.counting import counted
from status.words.reasons import advice_words, wait_words
from status.words.times import relative

SECOND = 1_000_000
SHOWN = 3
"""Holders of a pool that are named: more would hide the sentence."""


def now(facts: Facts) -> Answer | None:
    """What is active; None when nothing is."""
    if not facts.active:
        return None
    blocked = [run for run in facts.active if run.state is RunState.BLOCKED]
    verdict = Verdict.RUNNING if len(blocked) < len(facts.active) else Verdict.WAITING
    text = [_active(facts, run) for run in facts.active]
    advice = [each for run in blocked for each in _advice(facts, run)]
    return Answer(
        about=About.NOW,
        verdict=verdict,
        title="Now",
        text=text,
        reason=blocked[0].reason if verdict is Verdict.WAITING else None,
        runs=facts.active,
        advice=tuple(each for each in dict.fromkeys(advice) if each),
    )


def _advice(facts: Facts, run: Run) -> list[str]:
    """A command where what is waited for is known by name; else what the reason says."""
    if run.reason is Reason.DEPENDENCY:
        commands = [
            f"jobsctl why {each.upstream.identity}" for each in facts.upstream if not each.ready and each.record
        ]
    elif run.reason is Reason.POOL and facts.pool is not None:
        commands = [f"jobsctl run {each.id}" for each in facts.pool.running[:SHOWN]]
    else:
        commands = []
    return commands or [advice_words(run.reason, facts.record.identity)]


def _active(facts: Facts, run: Run) -> str:
    slot = f"of {facts.local.at(run.scheduled_for)}" if run.scheduled_for is not None else _asked(run)
    if run.state is RunState.RUNNING:
        since = run.started_at or run.created_at
        ending_soon = f"; {run.cancel_requested_by} is cancelling it" if run.cancel_requested_by else ""
        return f"The run {slot} has been running for {length(facts.now - since)}{ending_soon}."
    return waits_for(facts, run, f"The run {slot}")


def _asked(run: Run) -> str:
    return f"{run.requested_by} asked for" if run.requested_by else "without a slot"


def waits_for(facts: Facts, run: Run, subject: str = "It") -> str:
    """One sentence: what keeps this run from starting, and until when."""
    if run.state is RunState.PENDING:
        if facts.alive:
            return f"{subject} is being started."
        return f"{subject} was about to be started; no daemon is running, and the next one starts it."
    local = facts.local
    match run.reason:
        case Reason.POOL:
            return f"{subject} waits for {_pool(facts, run)}."
        case Reason.DEPENDENCY:
            missing = [each for each in facts.upstream if not each.ready]
            whom = "; ".join(upstream_words(facts, each) for each in missing)
            return f"{subject} waits for a success of {whom or run.error or 'a job it depends on'}."
        case Reason.BACKOFF:
            retry = facts.policy.retry
            total = f" of {max(retry.attempts, run.attempt)}" if retry else ""
            at = None if run.not_before is None else run.not_before // SECOND * SECOND
            when = " waits for its delay" if at is None else f" starts {local.when(at)}"
            return f"{subject} is to be tried again: attempt {run.attempt}{total}{when}."
        case Reason.OVERLAP:
            others = [each for each in facts.active if each.state is not RunState.BLOCKED]
            whom = f" ({', '.join(each.id for each in others)})" if others else ""
            return f"{subject} waits for the end of the run before{whom} (`overlap: {facts.policy.overlap}`)."
        case Reason.CALENDAR if run.not_before is not None:
            return f"{subject} waits until its calendar allows it, {local.when(run.not_before)}."
    said = f": {run.error}" if run.error else ""
    return f"{subject} waits for {wait_words(run.reason)}{said}."


def _pool(facts: Facts, run: Run) -> str:
    pool = facts.pool
    if pool is None:
        return f"a slot of its pool ({run.error})" if run.error else "a slot of its pool"
    place = next((place for place, each in enumerate(pool.waiting, 1) if each.id == run.id), None)
    others = len(pool.waiting) - 1
    queue = f"; {counted(others, 'other run')} {'waits' if others == 1 else 'wait'} for one too" if others > 0 else ""
    priority = f", priority {facts.policy.priority}" if place is not None and others > 0 else ""
    return f"a slot of pool {occupied(pool)}{queue}{priority}"


def occupied(pool: PoolFacts) -> str:
    """`db: 2 of 2 are taken, by default/a (01...) and default/b (01...)`."""
    if pool.slots is None:
        return f"{pool.name}, which no file defines"
    taken = "is taken" if len(pool.running) == 1 else "are taken"
    return f"{pool.name}: {len(pool.running)} of {pool.slots} {taken}{_named(pool.running)}"


def _named(runs: Sequence[Run]) -> str:
    shown = [f"{run.identity} ({run.id})" for run in runs[:SHOWN]]
    if len(runs) > SHOWN:
        shown.append(f"{len(runs) - SHOWN} more")
    if not shown:
        return ""
    return f", by {shown[0]}" if len(shown) == 1 else f", by {', '.join(shown[:-1])} and {shown[-1]}"


def upstream_words(facts: Facts, each: UpstreamFacts) -> str:
    """`default/extract, which last succeeded 3d ago and is failing since 2h ago`."""
    identity, record, at = each.upstream.identity, each.record, facts.now
    if record is None:
        return f"{identity}, which no file defines"
    if record.archived_at is not None:
        return f"{identity}, which is archived: no file defines it any more"
    last = (
        "has never succeeded"
        if record.last_success_at is None
        else f"last succeeded {relative(record.last_success_at, at)}"
    )
    if record.active_runs:
        does = "runs now" if record.last_run_state is not RunState.BLOCKED else "waits itself"
        return f"{identity}, which {last} and {does}"
    if record.health is Health.FAILING:
        since = f" for {length(at - record.health_since)}" if record.health_since is not None else ""
        return f"{identity}, which {last} and has been failing{since}"
    if record.last_success_at is None or each.ready:
        return f"{identity}, which {last}"
    if each.upstream.max_age is not None:
        return f"{identity}, which {last}; that is older than {length(each.upstream.max_age)}"
    used = facts.record.consumed.get(identity, -1) >= record.last_success_at
    old = "and that success was used already" if used else "before this job was there or was taken up again"
    return f"{identity}, which {last}, {old}"
