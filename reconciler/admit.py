"""Which runs of a job may start now, and what the others wait for. Pure. Called by `reconciler.decide`.

A run that may not start is stored as `blocked`, so it survives everything; deciding looks at it again when something it
waits for changes. Two steps: `place` says whether a new run is wanted at all beside those there are (`overlap`), `walk`
goes along the line of waiting runs and starts those that nothing holds.

What happens when a slot comes while the attempt before waits for its retry: with `overlap: skip` and `replace` the
slot's run takes the attempt's place (`superseded`), with `queue` it waits behind it, with `allow` it runs beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.depend import asked, latest_successes
from reconciler.observed import Observed, Waiting
from reconciler.plan import Action, EndRun, FailRun, KeepWaiting, ReleaseRun, StartRun, StopRun, WaitRun
from specs.dependency import Answer
from specs.policy import Policy
from specs.timing import CLOCK_CORRECTION
from state.records import Reason, RunState, Trigger

_WORDS = {
    Reason.OVERLAP: "waits for the end of the run before",
    Reason.BACKOFF: "waits before the next attempt",
    Reason.CALENDAR: "waits until its calendar allows it",
}
_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(slots=True)
class Placing:
    """What becomes of new runs beside those there are. `taken` and `refused` hold the new ones, in order."""

    waiting: list[Waiting]
    taken: list[Waiting] = field(default_factory=list)
    refused: list[tuple[Waiting, Reason]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)


@dataclass(slots=True)
class Admission:
    """What `walk` found."""

    actions: list[Action] = field(default_factory=list)
    wake_at: int | None = None
    consumed: dict[str, int] = field(default_factory=dict)


def place(policy: Policy, observed: Observed, new: Sequence[Waiting]) -> Placing:
    """Take or refuse new runs, all of one decision, oldest first, by the overlap policy.

    What is caught up together stays together: with the first, the others are taken too.
    """
    placing = Placing(sorted(observed.waiting, key=lambda run: run.order))
    left = None if policy.repeat is None else policy.repeat - observed.repeat_done
    for run in new:
        if left is not None and len(placing.taken) >= left and not by_hand(run):
            placing.refused.append((run, Reason.HORIZON))
            continue
        together = placing.taken and (policy.overlap != "allow" or run.trigger is Trigger.CATCH_UP)
        reason = None if together else _refusal(policy, observed, placing)
        if reason is None:
            placing.taken.append(run)
        else:
            placing.refused.append((run, reason))
    placing.waiting = sorted((*placing.waiting, *placing.taken), key=lambda run: run.order)
    return placing


def _refusal(policy: Policy, observed: Observed, placing: Placing) -> Reason | None:
    """Why one more run is not wanted; None when it is. What it displaces is ended."""
    waiting, active = placing.waiting, observed.active
    match policy.overlap:
        case "allow":
            full = active + len(waiting) + len(placing.taken) >= policy.max_concurrent
            return Reason.OVERLAP if full else None
        case "queue":
            queued = sum(run.attempt == 1 for run in waiting)
            # The run before ended in this very pass: who waited for it starts now, and leaves the queue.
            leaving = active == 0 and bool(waiting) and waiting[0].reason is Reason.OVERLAP and observed.pool is None
            if queued <= leaving:
                return None
            return Reason.OVERLAP if active else next(_holding(run) for run in waiting if run.attempt == 1)
        case "replace":
            # Only what runs, or is about to, is replaced. What waits for something else keeps its place: it would do
            # what the new one does, and a week of waiting is one record of skipped slots, not one for each.
            kept = [run for run in waiting if run.reason not in (Reason.OVERLAP, Reason.BACKOFF)]
            if kept:
                return _holding(kept[0])
            placing.actions += [StopRun(run_id, Reason.REPLACED) for run_id in observed.running]
            _displace(placing, waiting)
            return None
    retries = [run for run in waiting if run.reason is Reason.BACKOFF]
    if active or len(retries) < len(waiting):
        others = [_holding(run) for run in waiting if run.reason is not Reason.BACKOFF]
        return Reason.OVERLAP if active else others[0]
    _displace(placing, retries)
    return None


def _holding(run: Waiting) -> Reason:
    """Why a run that waits keeps another from being wanted."""
    opens_now = run.reason is Reason.CALENDAR and run.not_before is None
    return Reason.OVERLAP if opens_now else run.reason


def _displace(placing: Placing, gone: Sequence[Waiting]) -> None:
    for run in gone:
        if run.attempt > 1 or run.slot is None:
            words = "the next slot came before this attempt was due"
            placing.actions.append(EndRun(run.run_id, RunState.CANCELLED, Reason.SUPERSEDED, words))
        else:
            words = "the next slot came while it waited"
            placing.actions.append(EndRun(run.run_id, RunState.SKIPPED, Reason.OVERLAP, words))
    placing.waiting = [run for run in placing.waiting if run not in gone]


def give_up(observed: Observed, state: RunState, reason: Reason, words: str) -> list[EndRun]:
    """End what waits, because the job may not start anything: suspended or archived. What people asked for may stay."""
    return [
        EndRun(run.run_id, RunState.CANCELLED if run.attempt > 1 or run.slot is None else state, reason, words)
        for run in observed.waiting
        if reason is not Reason.SUSPENDED or not by_hand(run)
    ]


def by_hand(run: Waiting) -> bool:
    """Somebody asked for it, or it is a further attempt of such a run: no suspend, calendar or dependency holds it."""
    return run.trigger in (Trigger.MANUAL, Trigger.API) or (run.trigger is Trigger.RETRY and run.slot is None)


def walk(policy: Policy, observed: Observed, line: Sequence[Waiting], now: int) -> Admission:
    """Start what nothing holds. A run without id is new: it is made, started or blocked."""
    found = Admission()
    room = policy.max_concurrent - observed.active
    serial = policy.overlap != "allow"
    pool = observed.pool
    free = 0 if pool is None else pool.free
    others = 0 if pool is None else pool.waiting - sum(run.reason is Reason.POOL for run in line if run.run_id)
    held = False
    for run in line:
        upstream, follows = run.upstream, _NOTHING
        reason, message, not_before = None, None, None
        if run.not_before is not None and run.not_before > now and run.created_at <= now + CLOCK_CORRECTION:
            reason = Reason.BACKOFF if run.attempt > 1 else Reason.CALENDAR
            not_before = run.not_before
            found.wake_at = not_before if found.wake_at is None else min(found.wake_at, not_before)
        elif room <= 0 or held:
            reason = Reason.OVERLAP
        elif policy.depends_on and by_hand(run):
            upstream = upstream or latest_successes(policy, observed)
        elif policy.depends_on and run.trigger not in (Trigger.DEPENDENCY, Trigger.RETRY):
            verdict = asked(policy, observed, now, followed=found.consumed, scheduled=True)
            if verdict.answer is Answer.FAILED:
                found.consumed |= verdict.follows
                found.actions.append(_failed(run, verdict.message))
                continue
            if verdict.answer is Answer.WAIT:
                reason, message = Reason.DEPENDENCY, verdict.message
            upstream, follows = verdict.upstream, verdict.follows
        if reason is None and pool is not None:
            if free > 0 and (run.run_id in pool.chosen or free > others):
                free -= 1
            else:
                reason, message = Reason.POOL, f"waits for a slot of pool {pool.name}"
        if reason is None:
            room -= 1
            found.consumed |= follows
            found.actions.append(
                ReleaseRun(run.run_id, upstream) if run.run_id else StartRun(run.slot, run.trigger, upstream=upstream)
            )
            continue
        held = held or serial
        message = message or _WORDS[reason]
        if not run.run_id:
            kept = upstream if run.trigger is Trigger.DEPENDENCY else None
            found.actions.append(WaitRun(run.slot, run.trigger, reason, not_before, message, kept))
        elif reason is not run.reason:
            found.actions.append(KeepWaiting(run.run_id, reason, not_before, message))
    return found


def _failed(run: Waiting, message: str) -> Action:
    if run.run_id or run.slot is None:
        return EndRun(run.run_id, RunState.FAILED, Reason.DEPENDENCY, message)
    return FailRun(run.slot, run.trigger, Reason.DEPENDENCY, message)
