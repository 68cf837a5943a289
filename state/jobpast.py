"""What the page of a job asks of its past: results by quarters of an hour, and what happened to the job itself.

Questions to an open database, handed in as `ask`; each walks the newest part of one index. Instants are microseconds,
UTC.
"""

from __future__ import annotations

from state.ids import first_id
from state.records import Event, RunState
from state.rows import SELECT_EVENT, event_of
from state.totals import Ask

QUARTER = 900_000_000
"""Every zone's day begins at a quarter of an hour of UTC."""


def results(ask: Ask, job_id: int, *, since: int) -> list[tuple[int, RunState, int]]:
    """From when (the quarter's beginning), state and how many: runs by their slot, or when they were made; a record of
    skipped slots counts all its slots at its last one."""
    sql = (
        "SELECT coalesce(scheduled_for, created_at) / ? AS quarter, state, sum(coalesce(skipped_count, 1)) FROM run "
        "WHERE job_id = ? AND id >= ? GROUP BY 1, 2"
    )
    return [
        (quarter * QUARTER, RunState(state), count)
        for quarter, state, count in ask(sql, (QUARTER, job_id, first_id(since)))
    ]


def own_events(ask: Ask, job_id: int, *, limit: int) -> list[Event]:
    """What happened to the job and not to one of its runs, newest first."""
    sql = f"{SELECT_EVENT} WHERE job_id = ? AND run_id IS NULL ORDER BY id DESC LIMIT ?"
    return [event_of(row) for row in ask(sql, (job_id, limit))]
