"""From what is asked about runs to SQL: which index is walked, and what is tried on the rows it leads to.

Used by `state.reads`. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from state.ids import first_id
from state.records import Reason, RunState, Trigger

MANY_JOBS = 500
"""Up to so many selected jobs a page of runs is put together from one short walk per job; above, from one long walk."""


def walks_of(
    jobs: list[int] | None, states: set[RunState] | None, bounds: list[tuple[str, str]]
) -> list[tuple[str, list[Any]]]:
    """Conditions and their values, one per walk down an index; together the walks find all that is asked for."""
    conditions = [f"run.id {operator} ?" for operator, _ in bounds]
    values: list[Any] = [value for _, value in bounds]
    if jobs is None and states is not None:
        return [(" AND ".join(["run.state = ?", *conditions]), [state, *values]) for state in sorted(states)]
    if states is not None:
        # The unary plus keeps SQLite from walking the index of states for one job's runs.
        conditions.append(f"+run.state IN ({', '.join('?' * len(states))})")
        values += sorted(states)
    if jobs is None:
        return [(" AND ".join(conditions) or "1", values)]
    if len(jobs) <= MANY_JOBS:
        return [(" AND ".join(["run.job_id = ?", *conditions]), [job, *values]) for job in jobs]
    conditions.append("+run.job_id IN (SELECT value FROM json_each(?))")
    return [(" AND ".join(conditions), [*values, orjson.dumps(jobs).decode()])]


def run_conditions(
    reasons: Collection[Reason] | None,
    triggers: Collection[Trigger] | None,
    attempt: int | None,
    longer_than: int | None,
    now: int | None,
) -> tuple[list[str], list[Any]]:
    """Conditions that no index serves: they are tried on what the walks come by."""
    conditions: list[str] = []
    values: list[Any] = []
    for column, words in (("reason", reasons), ("trigger", triggers)):
        if words is not None:
            conditions.append(f"run.{column} IN ({', '.join('?' * len(words))})")
            values += [word.value for word in words]
    if attempt is not None:
        conditions.append("run.attempt = ?")
        values.append(attempt)
    if longer_than is not None:
        conditions.append("coalesce(run.finished_at, ?) - run.started_at >= ?")
        values += [now, longer_than]
    return conditions, values


def id_bounds(since: int | None, until: int | None, before: str | None, after: str | None) -> list[tuple[str, str]]:
    """Conditions on a run id: (operator, id)."""
    bounds = []
    if since is not None:
        bounds.append((">=", first_id(since)))
    if until is not None:
        bounds.append(("<", first_id(until)))
    if before is not None:
        bounds.append(("<", before))
    if after is not None:
        bounds.append((">", after))
    return bounds
