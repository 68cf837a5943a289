"""The slots of one job as readers need them: its schedule within its horizon, and when each slot starts.

Called by `status.deadline`, `status.views` and the command line (`why`). Pure. Instants are microseconds UTC. The same
rules as `reconciler.due`, which this room must not import; `specs.jitter` holds what both must agree on.
"""

from __future__ import annotations

from dataclasses import dataclass

from specs.jitter import start_of
from specs.policy import Policy
from specs.schedule import Schedule
from state.records import JobRecord


def words_of(schedule: Schedule, policy: Policy) -> str:
    """When a job runs, in words: its schedule's, or which jobs it follows when it has none."""
    if schedule.kind != "manual" or not policy.depends_on:
        return schedule.words
    *others, last = [each.identity for each in policy.depends_on]
    return f"After {', '.join(others)} and {last}" if others else f"After {last}"


@dataclass(frozen=True, slots=True)
class Timing:
    """When one job is due."""

    schedule: Schedule
    policy: Policy
    anchor: int
    identity: str

    @classmethod
    def of(cls, record: JobRecord, schedule: Schedule, policy: Policy) -> Timing:
        """Of a stored job."""
        return cls(schedule, policy, record.anchor_at, record.identity)

    def after(self, t: int) -> int | None:
        """The first slot strictly after `t`, between `start_at` and `end_at`; None when there is none."""
        policy = self.policy
        if policy.start_at is not None:
            t = max(t, policy.start_at - 1)
        slot = self.schedule.next_after(t, anchor=self.anchor)
        return None if slot is None or (policy.end_at is not None and slot > policy.end_at) else slot

    def before(self, through: int, after: int = 0) -> int | None:
        """The last slot in (after, through], between `start_at` and `end_at`."""
        policy = self.policy
        if policy.start_at is not None:
            after = max(after, policy.start_at - 1)
        if policy.end_at is not None:
            through = min(through, policy.end_at)
        return self.schedule.latest_through(through, after=after, anchor=self.anchor) if after < through else None

    def start(self, slot: int) -> int:
        """When this slot starts: its instant and its jitter. What follows a run, or the boot, has no jitter."""
        policy = self.policy
        if not (policy.spread or policy.random) or not self.schedule.slots:
            return slot
        following = self.schedule.next_after(slot, anchor=self.anchor)
        return start_of(slot, following, identity=self.identity, spread=policy.spread, random=policy.random)
