"""The house in numbers: what `state.reads.Reader` answers to `totals` and `counters`.

Loaded only when that is asked: the command line, which never does, would pay 5 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from state.records import ACTIVE_STATES, RunState
from state.rows import COUNTED_STATES

Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""SQL and its values in, rows out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A number that only grows, kept over restarts and pruning: what metrics show."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The house in numbers."""

    jobs: int
    """Not archived."""
    archived: int
    suspended: int
    """By the command; a declared suspend is in the spec."""
    failing: int
    problems: int
    """Jobs whose file is wrong now."""
    active_runs: int
    runs: dict[RunState, int]
    """Active ones now, ended ones ever (skipped counts slots)."""
    seq: int


def totals(ask: Ask) -> Totals:
    """As `Reader.totals`."""
    sums = ", ".join(f"coalesce(sum({state}), 0)" for state in COUNTED_STATES)
    live = "archived_at IS NULL"
    row = ask(
        f"SELECT count(*) FILTER (WHERE {live}), count(*) FILTER (WHERE NOT {live}), "
        f"count(*) FILTER (WHERE {live} AND suspended_at IS NOT NULL), "
        f"count(*) FILTER (WHERE {live} AND health = 'failing'), "
        f"count(*) FILTER (WHERE {live} AND problem <> '[]'), coalesce(sum(active_runs), 0), {sums}, "
        "(SELECT value FROM meta WHERE key = 'seq') FROM job",
        (),
    )[0]
    *ended, seq = row[6:]
    runs = dict(zip(COUNTED_STATES, ended, strict=True))
    for state in ACTIVE_STATES:
        runs[state] = ask("SELECT count(*) FROM run WHERE state = ?", (state,))[0][0]
    return Totals(
        jobs=row[0], archived=row[1], suspended=row[2], failing=row[3], problems=row[4], active_runs=row[5],
        runs=runs, seq=int(seq),
    )  # fmt: skip


def counters(ask: Ask, name: str | None) -> list[Counter]:
    """As `Reader.counters`."""
    where, values = ("WHERE name = ?", (name,)) if name else ("", ())
    rows = ask(f"SELECT name, labels, value FROM counter {where} ORDER BY name, labels", values)
    return [Counter(name=row[0], labels=orjson.loads(row[1]), value=row[2]) for row in rows]
