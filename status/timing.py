"""What readers say of when a job runs. Called by `status.deadline`, `status.views` and the command line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from state.records import JobRecord

if TYPE_CHECKING:  # 150 ms that commands which compile no schedule need not pay
    from specs.policy import Policy
    from specs.schedule import Schedule
    from specs.timing import Timing


def words_of(schedule: Schedule, policy: Policy) -> str:
    """When a job runs, in words: its schedule's, or which jobs it follows when it has none."""
    if schedule.kind != "manual" or not policy.depends_on:
        return schedule.words
    *others, last = [each.identity for each in policy.depends_on]
    return f"After {', '.join(others)} and {last}" if others else f"After {last}"


def timing_of(record: JobRecord, schedule: Schedule, policy: Policy) -> Timing:
    """The slots of a stored job."""
    from specs.timing import Timing

    return Timing(schedule, record.anchor_at, policy, record.identity)
