"""What has come to a job whose runs follow other runs: its own (`continuous`, `from finish`), or those of other jobs.

Called by `reconciler.decide`. Pure. Such a job has no slots that could be missed: what came while it was busy, or
while no daemon ran, is one run as soon as it can be. Its run is stored under an instant all the same, which is the
lock: the earliest at which it could start, or the end of the last run it follows.
"""

from __future__ import annotations

from reconciler.depend import asked
from reconciler.due import ON_TIME, SECOND, Due, Start
from reconciler.observed import Observed
from reconciler.plan import FailRun
from specs.dependency import Answer
from specs.policy import Policy
from specs.schedule import Schedule
from specs.timing import CLOCK_CORRECTION, Calendars
from state.records import Reason, Trigger

CRASH_DELAYS = (1, 2, 4, 8, 15, 30, 60, 120, 300)
"""Seconds before a `continuous` job that keeps failing starts again, by how often it has: the ladder of Kubernetes'
CrashLoopBackOff, begun lower, with the same end."""


def after_finish(schedule: Schedule, observed: Observed, policy: Policy, calendars: Calendars | None, now: int) -> Due:
    """The next start, counted from the end of the run before."""
    if observed.suspended or observed.active or observed.waiting:
        return Due()
    anchor = max(observed.anchor_at, observed.resumed_at)
    at = schedule.next_from_finish(anchor=anchor, last_end=observed.last_end)
    if at is None:
        return Due()
    if schedule.kind == "continuous" and observed.failures and observed.last_end is not None:
        at = max(at, observed.last_end + CRASH_DELAYS[min(observed.failures, len(CRASH_DELAYS)) - 1] * SECOND)
    if max(anchor, observed.last_end or 0) > now + CLOCK_CORRECTION:
        at = now
    if policy.start_at is not None:
        at = max(at, policy.start_at)
    if calendars is not None and calendars.blocked_by(at) is not None:
        opening = calendars.next_open(at)
        if opening is None:
            return Due()
        at = opening
    if policy.end_at is not None and at > policy.end_at:
        return Due(exhausted=True)
    if at > now:
        return Due(next_at=at)
    slot = max(at, observed.cursor_at + 1)  # a clock that was set back gives no instant twice
    trigger = Trigger.SCHEDULE if now - at < ON_TIME else Trigger.CATCH_UP
    if trigger is Trigger.CATCH_UP and observed.hold_until > now:
        return Due(next_at=observed.hold_until, staggered=True)
    return Due(starts=(Start(slot, trigger),), cursor_at=slot)


def after_others(observed: Observed, policy: Policy, calendars: Calendars | None, now: int) -> Due:
    """A run when every job it depends on has succeeded, and at least one of them anew."""
    if policy.end_at is not None and now > policy.end_at:
        return Due(exhausted=True)
    closing = None if policy.end_at is None else policy.end_at + 1
    if observed.suspended or observed.active or observed.waiting:
        return Due(wake_at=closing)
    if policy.start_at is not None and now < policy.start_at:
        return Due(next_at=policy.start_at)
    if calendars is not None and calendars.blocked_by(now) is not None:
        return Due(next_at=calendars.next_open(now))
    verdict = asked(policy, observed, now, scheduled=False)
    if verdict.newest is None or verdict.answer is Answer.WAIT:
        return Due(wake_at=closing)
    if verdict.answer is Answer.FAILED:
        failed = FailRun(verdict.newest, Trigger.DEPENDENCY, Reason.DEPENDENCY, verdict.message)
        return Due(failed=failed, follows=verdict.follows)
    start = Start(verdict.newest, Trigger.DEPENDENCY, upstream=verdict.upstream)
    return Due(starts=(start,), follows=verdict.follows)
