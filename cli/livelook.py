"""One look at what goes on, and how it is told in lines and tables. Used by `top` and its screen (`cli.livescreen`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson

from cli.options import Settings
from cli.output import Cell, Column, counted, print_lines, print_table
from cli.reading import Reading, reading
from cli.tables import STATE_STYLE
from state.records import Reason, Run, RunState
from status.live import PoolUse, Running, Snapshot, Waiting, in_order, pools_of, running_of
from status.words.runs import duration_text, waiting_words
from status.words.times import NEVER, relative, size, span, stamp

Sort = Literal["cpu", "memory", "time"]
MOST = 500
"""Runs of either kind that are looked at: each that runs costs two small files."""


@dataclass
class Looker:
    """Looks again and again, and remembers what does not change: the pool and priority of a run's job."""

    settings: Settings
    _placed: dict[tuple[int, int], tuple[str | None, int]] = field(default_factory=dict)

    def look(self) -> Snapshot:
        """What goes on now. Opens the database anew: it may be another one since, and a server's word gets old."""
        with reading(self.settings) as seen:
            return self._look(seen)

    def _look(self, seen: Reading) -> Snapshot:
        reader, project, now = seen.reader, self.settings.project, seen.now
        states = (RunState.RUNNING, RunState.PENDING)
        running = reader.runs(states=states, project=project, limit=MOST, order="asc")
        waiting = reader.runs(states=(RunState.BLOCKED,), project=project, limit=MOST, order="asc")
        return Snapshot(
            at=now,
            alive=seen.alive,
            heartbeat=seen.heartbeat,
            running=[_running(seen, run) for run in running],
            waiting=in_order([Waiting(run, *self._place(seen, run)) for run in waiting], now),
            pools=pools_of(reader.documents("Pool"), reader.occupancy()),
            truncated=MOST in (len(running), len(waiting)),
        )

    def _place(self, seen: Reading, run: Run) -> tuple[str | None, int]:
        """Pool and priority, as of the generation the run was made for."""
        key = run.job_id, run.generation
        if key not in self._placed:
            job = seen.reader.job_by_id(run.job_id)
            fields = {} if job is None else orjson.loads(job.spec)
            self._placed[key] = fields.get("pool"), fields.get("priority", 0)
        return self._placed[key]


def _running(seen: Reading, run: Run) -> Running:
    if run.state is RunState.PENDING:
        return running_of(run, (), None, seen.now)
    files = seen.files(run)
    return running_of(run, files.usage(), files.progress(), seen.now)


def in_sort(running: Sequence[Running], sort: Sort) -> list[Running]:
    """By what is asked for, the most first; what is not known last."""
    if sort == "time":
        return sorted(running, key=lambda each: (each.run.started_at is None, each.run.started_at, each.run.id))
    values = {
        each.run.id: (each.usage.cpu if sort == "cpu" else each.usage.memory) for each in running
    }  # fmt: skip

    def rank(each: Running) -> tuple[float, str]:
        value = values[each.run.id]
        return (1.0 if value is None else -float(value), each.run.id)

    return sorted(running, key=rank)


def running_columns(now: int) -> list[Column[Running]]:
    """Of the runs that run."""
    return [
        Column("JOB", lambda each: each.run.identity),
        Column("RUN", lambda each: each.run.id, rank=4),
        Column("STATE", lambda each: Cell(_state(each.run), STATE_STYLE[each.run.state]), rank=5),
        Column("FOR", lambda each: duration_text(each.run, now), right=True),
        Column("TRY", lambda each: str(each.run.attempt), right=True, rank=3),
        Column("CPU", lambda each: _percent(each.usage.cpu), right=True),
        Column("MEMORY", lambda each: size(each.usage.memory), right=True, rank=1),
        Column("PROGRESS", _progress, rank=2),
    ]


def _state(run: Run) -> str:
    return "cancelling" if run.cancel_requested_at is not None else "starting" if run.started_at is None else "running"


def _percent(cores: float | None) -> str:
    """As `top` has it: 100% is one core."""
    return NEVER if cores is None else f"{cores * 100:.0f}%"


def _progress(each: Running) -> str:
    parts = [f"{each.percent:.0f}%" if each.percent is not None else "", each.message or ""]
    return " ".join(part for part in parts if part) or NEVER


def waiting_columns(now: int) -> list[Column[Waiting]]:
    """Of the runs that wait."""
    return [
        Column("JOB", lambda each: each.run.identity),
        Column("RUN", lambda each: each.run.id, rank=4),
        Column("FOR", lambda each: span(max(now - each.run.created_at, 0) / 1_000_000), right=True, rank=1),
        Column("PRIORITY", lambda each: str(each.priority), right=True, rank=3),
        Column("WAITS FOR", lambda each: _waits_for(each, now)),
    ]


def _waits_for(each: Waiting, now: int) -> str:
    words = waiting_words(each.run, now)
    return f"{words} {each.pool}" if each.run.reason is Reason.POOL and each.pool else words


def head_lines(snapshot: Snapshot, *, load: tuple[float, float, float] | None) -> Iterator[Cell]:
    """The daemon, the sums, the pools. `load`: of this machine, where the runs are here."""
    beat = snapshot.heartbeat
    if not snapshot.alive:
        seen = f", last seen {relative(beat.at, snapshot.at)}" if beat and beat.at else ""
        yield Cell(f"{stamp(snapshot.at)}  the daemon is not running{seen}: nothing is started", "red")
    elif beat is None:
        yield Cell(f"{stamp(snapshot.at)}  the daemon is starting")
    else:
        parts = [f"daemon {beat.state}", f"pid {beat.pid}", f"started {relative(beat.started_at, snapshot.at)}"]
        if (took := beat.number("last_pass_seconds")) is not None:
            parts.append(f"last pass {_brief(took)}")
        lag, starts = beat.number("lag", "sum"), beat.number("lag", "count")
        if lag is not None and starts:
            parts.append(f"starts {_brief(lag / starts)} late on average")
        yield Cell(f"{stamp(snapshot.at)}  {', '.join(parts)}")
    used = f"CPU {_percent(snapshot.cpu)}, memory {size(snapshot.memory)}"
    machine = "" if load is None else f"; load of the machine {' '.join(f'{each:.2f}' for each in load)}"
    yield Cell(f"{len(snapshot.running)} running, {len(snapshot.waiting)} waiting; {used}{machine}")
    if snapshot.truncated:
        yield Cell(f"there are more: only the first {MOST} of either are looked at", "yellow")
    if snapshot.pools:
        full = any(each.waiting for each in snapshot.pools)
        yield Cell(f"pools: {', '.join(map(_pool, snapshot.pools))}", "yellow" if full else "")


def _brief(seconds: float) -> str:
    return "under 1ms" if seconds < 0.001 else span(seconds)


def _pool(pool: PoolUse) -> str:
    slots = "?" if pool.slots is None else pool.slots
    return f"{pool.name} {pool.running}/{slots}" + (f" ({pool.waiting} waiting)" if pool.waiting else "")


def machine_load(settings: Settings) -> tuple[float, float, float] | None:
    """The load averages, when the runs are on this machine."""
    return os.getloadavg() if settings.server is None else None


def print_snapshot(settings: Settings, snapshot: Snapshot, sort: Sort) -> None:
    """As plain lines: off a terminal, and for screen readers."""
    print_lines(settings, head_lines(snapshot, load=machine_load(settings)))
    print_lines(settings, [""])
    if snapshot.running:
        print_table(settings, in_sort(snapshot.running, sort), running_columns(snapshot.at))
    else:
        print_lines(settings, ["Nothing runs."])
    if snapshot.waiting:
        print_lines(settings, ["", Cell(f"{counted(len(snapshot.waiting), 'run')} waiting", "bold")])
        print_table(settings, snapshot.waiting, waiting_columns(snapshot.at))
