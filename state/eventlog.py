"""Which events are asked for, as SQL. Used by `state.reads`. Pure text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson


def event_conditions(
    *,
    job_id: int | None,
    run_id: str | None,
    after: int,
    before: int | None,
    types: Collection[str] | None,
    reasons: Collection[str] | None,
    since: int | None,
    until: int | None,
    jobs: tuple[Sequence[str], Sequence[Any]] | None,
) -> tuple[str, list[Any]]:
    """The condition and its values.

    Args:
        types, reasons: any of them; None: all.
        since, until: µs, the first inclusive, the second not.
        jobs: conditions on rows of `job` and their values: only events of such jobs.
    """
    where, bound = ["id > ?"], [after]
    given: list[tuple[str, Any]] = [
        ("job_id = ?", job_id),
        ("run_id = ?", run_id),
        ("id < ?", before),
        # The unary plus keeps SQLite on the walk by id, which ends at the limit, and off the index of events by time.
        ("+at >= ?", since),
        ("+at < ?", until),
        ("type IN (SELECT value FROM json_each(?))", _list(types)),
        ("reason IN (SELECT value FROM json_each(?))", _list(reasons)),
    ]
    for condition, value in given:
        if value is not None:
            where.append(condition)
            bound.append(value)
    if jobs is not None:
        conditions, values = jobs
        where.append(f"+job_id IN (SELECT job.id FROM job WHERE {' AND '.join(conditions)})")
        bound += values
    return " AND ".join(where), bound


def _list(words: Collection[str] | None) -> str | None:
    return None if words is None else orjson.dumps([*words]).decode()
