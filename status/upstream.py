"""The jobs a job depends on, as they are now: whether its next run would wait for them. Reads nothing by itself.

Used by `why`, `graph`, `describe` and the page. The rule is `specs.dependency`; this puts records before it.
"""

from __future__ import annotations

from collections.abc import Callable

from specs.dependency import Answer, UpstreamState, answer_of
from specs.frozen import frozen
from specs.policy import Policy, Upstream
from state.records import Health, JobRecord


@frozen(kw_only=True)
class UpstreamFacts:
    """A job that is waited for."""

    upstream: Upstream
    record: JobRecord | None
    """None: no job of this name is known."""
    ready: bool
    """Its part is done: a run that started now would not wait for it."""
    failed: bool = False
    """Its last run did not succeed, and `on_dependency_failure` says that this job's run fails with it."""


def upstream_facts(
    record: JobRecord, policy: Policy, find: Callable[[str], JobRecord | None], now: int, *, scheduled: bool
) -> list[UpstreamFacts]:
    """Of each job that `record` depends on, in its order.

    Args:
        find: the record of an identity; None when there is none.
        scheduled: the job has slots of its own.
    """
    found = []
    for each in policy.depends_on:
        upstream = find(each.identity)
        state = UpstreamState() if upstream is None else _state_of(upstream)
        since = record.consumed.get(each.identity, -1)
        if not scheduled:
            since = max(since, record.anchor_at, record.resumed_at or 0)
        answer, _, _ = answer_of(policy, each, state, since, now)
        found.append(
            UpstreamFacts(upstream=each, record=upstream, ready=answer is Answer.READY, failed=answer is Answer.FAILED)
        )
    return found


def _state_of(upstream: JobRecord) -> UpstreamState:
    succeeded = upstream.last_end_id is not None and upstream.last_end_id == upstream.last_success_id
    return UpstreamState(
        success_id=upstream.last_success_id,
        success_at=upstream.last_success_at,
        end_id=upstream.last_end_id,
        end_at=upstream.last_success_at if succeeded else upstream.last_finished_at,
        failed=upstream.health is Health.FAILING and not upstream.active_runs,
    )
