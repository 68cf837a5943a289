"""Whether the jobs that a job depends on have done their part. Pure. Called by `reconciler.admit` and `decide`.

A success of an upstream job counts when it came after the last one that a run of this job followed, or is not older
than `max_age`. What was followed is kept by the instant of the upstream run's end, so each success is used once,
however long this job's own runs take. A run somebody asked for follows nothing: the scheduled one after it still has
its success.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from reconciler.observed import Observed
from specs.dependency import Answer, UpstreamState, answer_of, is_after
from specs.frozen import frozen
from specs.policy import Policy

_UNKNOWN = UpstreamState()


@frozen
class Verdict:
    """What all dependencies together amount to."""

    answer: Answer
    upstream: Mapping[str, str] = field(default_factory=dict)
    """Identity to the run that is followed. Only those that have one."""
    follows: Mapping[str, int] = field(default_factory=dict)
    """Identity to the instant at which that run ended."""
    newest: int | None = None
    """The latest end that no run of this job has followed yet; None: there is nothing new."""
    message: str = ""
    """What is waited for, or what failed."""


def asked(
    policy: Policy, observed: Observed, now: int, *, scheduled: bool, followed: Mapping[str, int] = MappingProxyType({})
) -> Verdict:
    """What the dependencies say at `now`.

    Args:
        followed: what is followed besides `observed.consumed`, by runs that start in the same decision.
        scheduled: the job has slots of its own; one without starts only on what is new since it is there.
    """
    upstream: dict[str, str] = {}
    follows: dict[str, int] = {}
    answers: list[Answer] = []
    newest: int | None = None
    said: list[str] = []
    for dependency in policy.depends_on:
        identity = dependency.identity
        state = observed.upstream.get(identity, _UNKNOWN)
        since = max(observed.consumed.get(identity, -1), followed.get(identity, -1))
        if not scheduled:
            since = max(since, observed.fresh_since)
        answer, run_id, at = answer_of(policy, dependency, state, since, now)
        answers.append(answer)
        if run_id is not None and at is not None:
            upstream[identity], follows[identity] = run_id, at
            if is_after(at, since, now) and (newest is None or at > newest):
                newest = at
        if answer is Answer.FAILED:
            said.insert(0, f"{identity} has failed (run {state.end_id})")
        elif answer is Answer.WAIT:
            failed = ", whose last run failed" if state.failed else ""
            said.append(f"waits for a success of {identity}{failed}")
    worst = max(answers, key=lambda answer: answer.value, default=Answer.READY)
    return Verdict(worst, upstream, follows, newest, "; ".join(said))


def latest_successes(policy: Policy, observed: Observed) -> Mapping[str, str] | None:
    """Of each upstream job the last success, for a run that waits for none; None without dependencies."""
    if not policy.depends_on:
        return None
    states = ((each.identity, observed.upstream.get(each.identity, _UNKNOWN)) for each in policy.depends_on)
    return {identity: state.success_id for identity, state in states if state.success_id is not None}
