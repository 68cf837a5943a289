"""What ran in a stretch of time, in numbers and spans: what a timeline of all jobs is drawn from. Used by the page.

Questions to an open database, handed in as `ask`. Each walks the runs made in the stretch, by id, and no history before
it. Instants are microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from state.ids import first_id
from state.records import RunState
from state.totals import Ask

BAD = (RunState.FAILED, RunState.EXPIRED)
_BAD = ", ".join(f"'{state}'" for state in BAD)
_OF_PROJECT = "run.job_id IN (SELECT id FROM job WHERE project = ?)"


@dataclass(frozen=True, slots=True)
class Ran:
    """How often one job ran in the stretch."""

    job_id: int
    identity: str
    runs: int
    """Without records of skipped slots."""
    bad: int
    """Of these: failed and expired ones."""
    last_bad: str | None
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class Span:
    """One run, or record of skipped slots, in time."""

    job_id: int
    state: RunState
    begin: int
    end: int | None
    """None: it is not over."""


def tally(ask: Ask, *, since: int, width: int, project: str | None = None) -> list[tuple[int, RunState, int]]:
    """How many runs were made in each stretch of `width` µs from `since` on: number of the stretch, state, count."""
    where, values = _made_since(since, project)
    sql = f"SELECT (run.created_at - ?) / ? AS place, run.state, count(*) FROM run WHERE {where} GROUP BY 1, 2"
    return [(place, RunState(state), count) for place, state, count in ask(sql, (since, width, *values))]


def ran(ask: Ask, *, since: int, project: str | None = None) -> list[Ran]:
    """The jobs that ran, in no order."""
    where, values = _made_since(since, project)
    sql = (
        "SELECT job.id, job.project || '/' || job.name, found.runs, found.bad, found.last_bad FROM ("
        f"SELECT run.job_id, sum(run.state <> 'skipped') AS runs, sum(run.state IN ({_BAD})) AS bad, "
        f"max(CASE WHEN run.state IN ({_BAD}) THEN run.id END) AS last_bad FROM run WHERE {where} GROUP BY run.job_id"
        ") AS found CROSS JOIN job ON job.id = found.job_id WHERE job.archived_at IS NULL"
    )
    return [Ran(*row) for row in ask(sql, values)]


def spans(ask: Ask, *, jobs: Collection[int], since: int, most: int) -> list[Span]:
    """The runs of these jobs, oldest first; of each job the newest `most` at most."""
    found = []
    for job in jobs:
        sql = (
            "SELECT job_id, state, coalesce(skipped_first, started_at, created_at), "
            "CASE WHEN state = 'skipped' THEN coalesce(scheduled_for, created_at) ELSE finished_at END "
            "FROM run WHERE job_id = ? AND id >= ? ORDER BY id DESC LIMIT ?"
        )
        rows = ask(sql, (job, first_id(since), most))
        found += [Span(job_id, RunState(state), begin, end) for job_id, state, begin, end in reversed(rows)]
    return found


def recent_ends(ask: Ask, *, jobs: Collection[int], most: int) -> dict[int, list[RunState]]:
    """How the last runs of these jobs ended, oldest first; of each job `most` at most."""
    sql = (
        "SELECT run.state FROM run WHERE run.job_id = ? AND run.state IN "
        "('succeeded', 'failed', 'expired', 'cancelled') ORDER BY run.id DESC LIMIT ?"
    )
    return {job: [RunState(state) for (state,) in reversed(ask(sql, (job, most)))] for job in jobs}


def _made_since(since: int, project: str | None) -> tuple[str, tuple[object, ...]]:
    if project is None:
        return "run.id >= ?", (first_id(since),)
    return f"run.id >= ? AND {_OF_PROJECT}", (first_id(since), project)
