"""Which jobs a list shows, and in which order, as SQL. Used by `state.reads_jobs`. Pure text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from state.census import PHASE
from state.timetable import SUSPENDED

ORDERS: Mapping[str, str] = {
    "phase": PHASE,
    "last": "job.last_started_at IS NULL, job.last_started_at DESC",
    "next": f"job.next_at IS NULL OR job.archived_at IS NOT NULL OR {SUSPENDED}, "
    f"CASE WHEN job.archived_at IS NULL AND NOT {SUSPENDED} THEN job.next_at END",
    "failures": "job.consecutive_failures DESC",
}
"""What never ran, or starts nothing by itself, comes last. As `cli.tables.sort_jobs`; a test compares."""
CALLED = """
SELECT job.id FROM json_each(?) AS named CROSS JOIN job ON
job.project = substr(named.value, 1, instr(named.value, '/') - 1)
AND job.name = substr(named.value, instr(named.value, '/') + 1)
"""
"""The numbers of jobs, archived ones too, by a JSON list of identities."""


def in_order(order: str, conditions: Sequence[str]) -> str:
    """SQL of the numbers of jobs in one of `ORDERS`, equal ones by identity. Takes the values of `conditions`."""
    where = " AND ".join(conditions) or "1"
    return f"SELECT job.id FROM job WHERE {where} ORDER BY {ORDERS[order]}, job.project, job.name"


def of_phases(phases: Sequence[str]) -> str:
    """The condition that a job is in one of these phases. Takes them as values."""
    return f"{PHASE} IN ({', '.join('?' * len(phases))})"
