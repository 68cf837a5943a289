"""What is oldest: the run that waits longest, the one that runs longest, the first that is stored. Used by metrics.

Questions to an open database, handed in as `ask`; each reads as much as is active, and no history.
"""

from __future__ import annotations

from state.ids import time_of
from state.records import Reason
from state.totals import Ask


def oldest_waiting(ask: Ask) -> dict[Reason, int]:
    """When the oldest blocked run was made (µs), by what it waits for."""
    rows = ask(
        "SELECT reason, min(created_at) FROM run WHERE state = 'blocked' AND reason IS NOT NULL GROUP BY reason", ()
    )
    return {Reason(reason): at for reason, at in rows}


def running_since(ask: Ask) -> list[tuple[str, str, int]]:
    """Project, name and the start (µs) of the oldest run that runs, of each job that is not archived."""
    rows = ask(
        "SELECT job.project, job.name, min(run.started_at) FROM run CROSS JOIN job ON job.id = run.job_id "
        "WHERE run.state = 'running' AND run.started_at IS NOT NULL AND job.archived_at IS NULL "
        "GROUP BY run.job_id ORDER BY 1, 2",
        (),
    )
    return [(project, name, at) for project, name, at in rows]


def oldest_run(ask: Ask) -> int | None:
    """When the oldest stored run was made (µs); None when there is none."""
    first = ask("SELECT min(id) FROM run", ())[0][0]
    return None if first is None else time_of(first)
