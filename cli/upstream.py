"""The jobs a job depends on, as they are now: whether its next run would wait for them. Reads nothing by itself.

Used by `why`, `graph` and `describe`. The rule itself is `reconciler.depend`; this only puts stored records before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from specs.policy import Policy, Upstream
from state.records import Health, JobRecord

if TYPE_CHECKING:
    from specs.dependency import UpstreamState


@dataclass(frozen=True, slots=True, kw_only=True)
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
    if not policy.depends_on:  # nearly every job: what deciding takes 10 ms to load
        return []
    from reconciler.depend import asked
    from reconciler.observed import Observed
    from specs.dependency import Answer

    found = []
    for each in policy.depends_on:
        upstream = find(each.identity)
        observed = Observed(
            cursor_at=record.cursor_at,
            anchor_at=record.anchor_at,
            active=0,
            upstream={} if upstream is None else {each.identity: _state_of(upstream)},
            consumed=record.consumed,
            fresh_since=max(record.anchor_at, record.resumed_at or 0),
        )
        alone = policy if len(policy.depends_on) == 1 else replace(policy, depends_on=(each,))
        answer = asked(alone, observed, now, scheduled=scheduled).answer
        found.append(
            UpstreamFacts(upstream=each, record=upstream, ready=answer is Answer.READY, failed=answer is Answer.FAILED)
        )
    return found


def _state_of(upstream: JobRecord) -> UpstreamState:
    from specs.dependency import UpstreamState

    succeeded = upstream.last_end_id is not None and upstream.last_end_id == upstream.last_success_id
    return UpstreamState(
        success_id=upstream.last_success_id,
        success_at=upstream.last_success_at,
        end_id=upstream.last_end_id,
        end_at=upstream.last_success_at if succeeded else upstream.last_finished_at,
        failed=upstream.health is Health.FAILING and not upstream.active_runs,
    )
