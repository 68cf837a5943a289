"""How all jobs are, without reading all of them: groups of jobs alike, and those that need a look, as SQL. Pure text.

Used by `state.reads` for `jobsctl status`, which must answer at once also where there are 10,000 jobs.
"""

from __future__ import annotations

from collections.abc import Sequence

from state.timetable import SUSPENDED

_ALIKE = (
    "min(job.active_runs, 2)",
    "job.last_run_state",
    SUSPENDED,
    "job.health",
    "job.completed_at IS NULL",
    "job.succeeded + job.failed + job.cancelled + job.expired > 0",
)
"""All that `status.phase.phase_of` looks at in a job that is not archived; a test compares."""
PHASE = (
    "(CASE WHEN job.archived_at IS NOT NULL THEN 'archived' "
    "WHEN job.active_runs = 1 AND job.last_run_state = 'blocked' THEN 'blocked' "
    "WHEN job.active_runs > 0 THEN 'in_progress' "
    f"WHEN {SUSPENDED} THEN 'suspended' "
    "WHEN job.health = 'failing' THEN 'failed' "
    "WHEN job.completed_at IS NOT NULL AND job.last_run_state = 'cancelled' THEN 'cancelled' "
    "WHEN job.completed_at IS NOT NULL THEN 'completed' "
    "WHEN job.succeeded + job.failed + job.cancelled + job.expired > 0 THEN 'active' ELSE 'pending' END)"
)
"""As `status.phase.phase_of`, which has the words for it; a test compares."""
_IN_TIME = (
    "job.next_at IS NOT NULL AND job.next_at > ? AND "
    "max(job.applied_at, coalesce(job.last_success_at, 0), coalesce(job.resumed_at, 0)) >= job.cursor_at"
)
"""Every slot up to the next one, which is to come, has been followed by a success: nothing can be overdue."""


def groups(conditions: Sequence[str]) -> str:
    """SQL of one job's number, and how many are alike, for each phase and more. Takes the values of `conditions`."""
    return f"SELECT min(job.id), count(*) FROM job WHERE {_all(conditions)} GROUP BY {', '.join(_ALIKE)}"


def doubtful(conditions: Sequence[str]) -> str:
    """SQL of the numbers of jobs that fail, stall, have a wrong file, or may be overdue. Takes the values of
    `conditions`, and now (microseconds)."""
    wrong = "job.health = 'failing' OR job.stalled IS NOT NULL OR job.problem <> '[]'"
    return f"SELECT job.id FROM job WHERE {_all(conditions)} AND ({wrong} OR (job.scheduled AND NOT ({_IN_TIME})))"


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "1"
