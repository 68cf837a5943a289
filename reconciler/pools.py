"""Who runs and who waits in each pool, and whose turn it is. Owned by the loop; knows no clock, no disk.

Fair: among those of the highest priority the job that was served longest ago comes first, then who waits longest. A run
that waits gains one step of priority for each minute in which its job got nothing, so a steady stream of important runs
delays the others and stops none, and a job with many runs in the queue gains nothing by them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from heapq import heapify, heappop, heappush

from reconciler.observed import PoolState

AGEING = 60_000_000
"""Microseconds of waiting that count as one step of priority."""


_Rank = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class Queued:
    """A run that waits for a slot."""

    run_id: str
    job_id: int
    priority: int
    since: int
    """When it was made, microseconds."""


@dataclass(slots=True)
class _Pool:
    slots: int = 0
    running: set[str] = field(default_factory=set)
    waiting: dict[str, Queued] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)
    served: dict[int, int] = field(default_factory=dict)
    """Job to the turn in which it was served last."""
    served_at: dict[int, int] = field(default_factory=dict)
    """Job to when that was."""
    turn: int = 0
    reserved: int = 0


class Pools:
    """All pools. One that is not defined has no slots: runs that name it wait until it is."""

    def __init__(self) -> None:
        self._pools: dict[str, _Pool] = {}
        self._of_run: dict[str, str] = {}

    def resize(self, name: str, slots: int) -> None:
        """Give a pool its size. Runs beyond a smaller one go on."""
        self._pool(name).slots = slots

    def state(self, name: str) -> PoolState:
        """What deciding on one of its jobs is told."""
        pool = self._pool(name)
        return PoolState(
            name, pool.slots - len(pool.running) - pool.reserved, len(pool.waiting), frozenset(pool.chosen)
        )

    def names(self) -> list[str]:
        return sorted(self._pools)

    def reserve(self, name: str, slots: int) -> None:
        """Slots that were given away in decisions which are not stored yet."""
        self._pool(name).reserved += slots

    def unreserve(self) -> None:
        """What was decided is stored, or is not going to be."""
        for pool in self._pools.values():
            pool.reserved = 0

    def took(self, run_id: str, name: str, job_id: int, now: int) -> None:
        """A run was handed over: it has a slot."""
        self.leave(run_id)
        pool = self._pool(name)
        pool.turn += 1
        pool.served[job_id] = pool.turn
        pool.served_at[job_id] = now
        pool.running.add(run_id)
        self._of_run[run_id] = name

    def queue(self, run: Queued, name: str) -> None:
        """A run waits for a slot; again with another priority, when its job was edited."""
        if self._of_run.get(run.run_id) != name:
            self.leave(run.run_id)
        self._pool(name).waiting[run.run_id] = run
        self._of_run[run.run_id] = name

    def leave(self, run_id: str) -> str | None:
        """A run ended, or waits for something else now. The pool it was in."""
        name = self._of_run.pop(run_id, None)
        if name is not None:
            pool = self._pools[name]
            pool.running.discard(run_id)
            pool.waiting.pop(run_id, None)
            pool.chosen.discard(run_id)
        return name

    def call(self, name: str, now: int) -> list[int]:
        """Choose runs for the slots that are free, anew each time. The jobs to decide on."""
        pool = self._pool(name)
        pool.chosen.clear()
        free = min(len(pool.waiting), pool.slots - len(pool.running))
        if free <= 0:
            return []
        # One line per job, the heads in a heap: a turn changes where that one job stands, not the thousands of others.
        lines: dict[int, list[Queued]] = {}
        for run in pool.waiting.values():
            lines.setdefault(run.job_id, []).append(run)
        heads: list[tuple[_Rank, int]] = []
        for job_id, line in lines.items():
            rank = partial(_rank, served=pool.served.get(job_id, 0), served_at=pool.served_at.get(job_id, 0), now=now)
            line.sort(key=rank, reverse=True)
            heads.append((rank(line[-1]), job_id))
        heapify(heads)
        jobs: list[int] = []
        for turn in range(pool.turn + 1, pool.turn + 1 + free):
            _, job_id = heappop(heads)
            line = lines[job_id]
            pool.chosen.add(line.pop().run_id)
            jobs.append(job_id)
            if line:
                heappush(heads, (_rank(line[-1], turn, now, now), job_id))
        return jobs

    def _pool(self, name: str) -> _Pool:
        return self._pools.setdefault(name, _Pool())


def _rank(run: Queued, served: int, served_at: int, now: int) -> _Rank:
    """Where a run stands among those that wait: the lowest is next."""
    waited = max(now - max(run.since, served_at), 0)
    return -(run.priority + waited // AGEING), served, run.since, run.run_id
