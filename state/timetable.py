"""Which jobs come next: their order, as SQL. Used by `state.reads`. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

SUSPENDED = "(job.suspended_at IS NOT NULL OR instr(spec.canonical, CAST('\"suspend\":false' AS BLOB)) = 0)"
"""By command, or by its file. Canonical JSON has no blanks, so the bytes are the field; parsing costs twenty times as
much."""
_SCHEDULED = "(job.next_at IS NOT NULL OR json_extract(CAST(spec.canonical AS TEXT), '$.schedule') IS NOT NULL)"
"""Has an instant to come, or a schedule that has none now."""


def awake(conditions: Sequence[str]) -> str:
    """SQL of the numbers of jobs that have a next start, the soonest first. Takes the values, and a limit.

    The jobs are sorted before a spec is looked at, and specs only as far as the limit needs: 4 ms for 10,000 jobs, not
    90. The inner LIMIT keeps SQLite from turning that around.
    """
    where = " AND ".join([*conditions, "job.next_at IS NOT NULL"])
    return (
        "SELECT job.id FROM (SELECT job.id, job.suspended_at FROM job "
        f"WHERE {where} ORDER BY job.next_at, job.project, job.name LIMIT -1) AS job "
        f"CROSS JOIN spec ON spec.job_id = job.id WHERE NOT {SUSPENDED} LIMIT ?"
    )


def quiet(conditions: Sequence[str], *, scheduled: bool) -> str:
    """SQL of the numbers of jobs that start nothing by themselves now, by identity. Takes the values, and a limit.

    `scheduled`: only those with a schedule.
    """
    where = " AND ".join([*conditions, f"(job.next_at IS NULL OR {SUSPENDED})", *((_SCHEDULED,) if scheduled else ())])
    return (
        f"SELECT job.id FROM job CROSS JOIN spec ON spec.job_id = job.id WHERE {where} "
        "ORDER BY job.project, job.name LIMIT ?"
    )
