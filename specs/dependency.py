"""Whether one job that another depends on has done its part. Pure: stored facts and a policy in, an answer out.

Asked by `reconciler.depend`, which decides by it, and by `status.upstream`, which tells of it: one rule for both.
"""

from __future__ import annotations

from enum import Enum

from specs.frozen import frozen
from specs.policy import Policy, Upstream
from specs.timing import CLOCK_CORRECTION


class Answer(Enum):
    """Of one dependency, or the worst of all of them."""

    READY = 1
    WAIT = 2
    FAILED = 3


@frozen(kw_only=True)
class UpstreamState:
    """What is known of a job that another one depends on. Instants are microseconds UTC."""

    success_id: str | None = None
    success_at: int | None = None
    end_id: str | None = None
    """The last run that succeeded, failed or expired."""
    end_at: int | None = None
    failed: bool = False
    """That run did not succeed, and no further attempt is coming."""


def answer_of(
    policy: Policy, dependency: Upstream, state: UpstreamState, since: int, now: int
) -> tuple[Answer, str | None, int | None]:
    """The answer; when it is READY by a run, that run's id and end, else None twice.

    Args:
        policy: of the job that depends: `on_dependency_failure`.
        since: the end of the last run that was followed, -1 for none. What is not later counts by `max_age` only.
    """
    if state.success_at is not None:
        young = dependency.max_age is not None and now - state.success_at <= dependency.max_age
        if young or is_after(state.success_at, since, now):
            return Answer.READY, state.success_id, state.success_at
    if state.failed and state.end_at is not None and is_after(state.end_at, since, now):
        if policy.on_dependency_failure == "run":
            return Answer.READY, state.end_id, state.end_at
        if policy.on_dependency_failure == "fail":
            return Answer.FAILED, state.end_id, state.end_at
    return Answer.WAIT, None, None


def is_after(at: int, since: int, now: int) -> bool:
    """Whether an end comes after the last one that was followed. Where that one is hours ahead, the clock was set back:
    then what has ended in the new time does."""
    return at > since or (since > now + CLOCK_CORRECTION and at <= now)
