"""Which jobs come next: their order, as SQL. Used by `state.reads`. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

SUSPENDED = "(job.suspended_at IS NOT NULL OR job.suspends)"
"""By command, or by its file."""
_SCHEDULED = "(job.next_at IS NOT NULL OR job.scheduled)"
"""Has an instant to come, or a schedule that has none now."""


def awake(conditions: Sequence[str]) -> str:
    """SQL of the numbers of jobs that have a next start, the soonest first. Takes the values, and a limit."""
    where = " AND ".join([*conditions, "job.next_at IS NOT NULL", f"NOT {SUSPENDED}"])
    return f"SELECT job.id FROM job WHERE {where} ORDER BY job.next_at, job.project, job.name LIMIT ?"


def quiet(conditions: Sequence[str], *, scheduled: bool) -> str:
    """SQL of the numbers of jobs that start nothing by themselves now, by identity. Takes the values, and a limit.

    `scheduled`: only those with a schedule.
    """
    where = " AND ".join([*conditions, f"(job.next_at IS NULL OR {SUSPENDED})", *((_SCHEDULED,) if scheduled else ())])
    return f"SELECT job.id FROM job WHERE {where} ORDER BY job.project, job.name LIMIT ?"
