"""What goes on now: the runs that run and what they use, those that wait and for what, and how full the pools are.

Called by the command line (`top`); HTTP can serve the same. Pure: records and samples in, plain data out. CPU and
memory are the supervisor's samples: nobody's /proc is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from specs.frozen import frozen
from state.records import DocumentRecord, Reason, Run, RunState
from state.runfiles import Sample
from status.heartbeat import Heartbeat
from status.views import API_VERSION, View
from status.words.instants import SECOND, rfc3339
from status.words.reasons import wait_words

AGEING = 60 * SECOND
"""Waiting that counts as one step of priority: as the daemon hands out the slots of a pool."""
STALE = 60 * SECOND
"""A sample older than this says nothing of now: an old run is looked at each 15 s."""


@frozen
class Usage:
    """What a run uses now; None where it is not known (yet)."""

    cpu: float | None = None
    """Cores."""
    memory: int | None = None
    """Bytes, of all its processes."""


@frozen
class Running:
    """A run that runs, or is being started."""

    run: Run
    usage: Usage
    percent: float | None
    """How far it says it is, 0 to 100."""
    message: str | None
    """What it says of it."""


@frozen
class Waiting:
    """A run that waits."""

    run: Run
    pool: str | None
    priority: int


@frozen
class PoolUse:
    """One pool. `slots` is None for one that jobs name and no file defines."""

    name: str
    slots: int | None
    running: int
    waiting: int


@frozen(kw_only=True)
class Snapshot:
    """Everything at one instant."""

    at: int
    alive: bool
    heartbeat: Heartbeat | None
    running: Sequence[Running]
    waiting: Sequence[Waiting]
    """In the order in which they would be given a slot."""
    pools: Sequence[PoolUse]
    truncated: bool = False
    """Whether more runs run or wait than were looked at."""

    @property
    def cpu(self) -> float:
        """Cores that all runs use, as far as known."""
        return sum(each.usage.cpu or 0.0 for each in self.running)

    @property
    def memory(self) -> int:
        """Bytes that all runs hold, as far as known."""
        return sum(each.usage.memory or 0 for each in self.running)


def usage_of(run: Run, samples: Sequence[Sample], now: int) -> Usage:
    """From the last two looks at a run; with one only, since its start."""
    if not samples or now - samples[-1].at > STALE:
        return Usage()
    last = samples[-1]
    if len(samples) > 1:
        begin, used = samples[-2].at, last.cpu_seconds - samples[-2].cpu_seconds
    else:
        begin, used = run.started_at or last.at, last.cpu_seconds
    took = last.at - begin
    return Usage(max(used, 0.0) * SECOND / took if took > 0 else None, last.memory)


def running_of(run: Run, samples: Sequence[Sample], progress: Mapping[str, Any] | None, now: int) -> Running:
    """A run with what is known of it. `progress`: what `progress.json` says, if anything."""
    percent = (progress or {}).get("percent")
    message = (progress or {}).get("message")
    known = isinstance(percent, int | float) and not isinstance(percent, bool) and 0 <= percent <= 100
    return Running(
        run,
        usage_of(run, samples, now),
        float(percent) if known and percent is not None else None,
        message if isinstance(message, str) else None,
    )


def in_order(waiting: Iterable[Waiting], now: int) -> list[Waiting]:
    """The one that is next first: by priority and the minutes it has waited; those that wait for a time last."""

    def rank(each: Waiting) -> tuple[int, float, str]:
        due = each.run.not_before or 0
        if due > now:
            return 1, float(due), each.run.id
        return 0, -(each.priority + (now - each.run.created_at) / AGEING), each.run.id

    return sorted(waiting, key=rank)


def pools_of(
    documents: Iterable[DocumentRecord], occupancy: Iterable[tuple[str | None, RunState, Reason | None, int]]
) -> list[PoolUse]:
    """Every pool that is defined or named by an active run, by name."""
    slots: dict[str, int | None] = {each.name: int(orjson.loads(each.spec)["slots"]) for each in documents}
    running: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for name, state, reason, count in occupancy:
        if name is None:
            continue
        slots.setdefault(name, None)
        if state is not RunState.BLOCKED:
            running[name] = running.get(name, 0) + count
        elif reason is Reason.POOL:
            waiting[name] = waiting.get(name, 0) + count
    return [PoolUse(name, slots[name], running.get(name, 0), waiting.get(name, 0)) for name in sorted(slots)]


def snapshot_view(snapshot: Snapshot) -> View:
    """A snapshot. Says instants, not ages."""
    beat = snapshot.heartbeat if snapshot.alive else None
    lag, starts = (beat.number("lag", "sum"), beat.number("lag", "count")) if beat else (None, None)
    return {
        "apiVersion": API_VERSION,
        "kind": "Top",
        "time": rfc3339(snapshot.at),
        "daemon": {
            "running": snapshot.alive,
            "state": beat.state if beat else None,
            "pid": beat.pid if beat else None,
            "startedAt": rfc3339(beat.started_at) if beat else None,
            "timers": _whole(beat.number("queue", "depth") if beat else None),
            "unlaunched": _whole(beat.number("runs", "unlaunched") if beat else None),
            "lastPassSeconds": _rounded(beat.number("last_pass_seconds") if beat else None),
            "meanLagSeconds": _rounded(lag / starts if lag is not None and starts else None),
        },
        "totals": {
            "running": len(snapshot.running),
            "waiting": len(snapshot.waiting),
            "cpuCores": round(snapshot.cpu, 3),
            "memoryBytes": snapshot.memory,
        },
        "truncated": snapshot.truncated,
        "running": [_running_view(each) for each in snapshot.running],
        "waiting": [_waiting_view(each) for each in snapshot.waiting],
        "pools": [
            {"name": each.name, "slots": each.slots, "running": each.running, "waiting": each.waiting}
            for each in snapshot.pools
        ],
    }


def _running_view(each: Running) -> View:
    return {
        "job": each.run.identity,
        "run": each.run.id,
        "state": each.run.state.value,
        "attempt": each.run.attempt,
        "startedAt": rfc3339(each.run.started_at),
        "cpuCores": None if each.usage.cpu is None else round(each.usage.cpu, 3),
        "memoryBytes": each.usage.memory,
        "percent": each.percent,
        "message": each.message,
    }


def _waiting_view(each: Waiting) -> View:
    return {
        "job": each.run.identity,
        "run": each.run.id,
        "attempt": each.run.attempt,
        "createdAt": rfc3339(each.run.created_at),
        "reason": None if each.run.reason is None else each.run.reason.value,
        "message": f"waits for {wait_words(each.run.reason)}",
        "notBefore": rfc3339(each.run.not_before),
        "pool": each.pool,
        "priority": each.priority,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
