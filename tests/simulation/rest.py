"""What must hold whenever the daemon is well and has nothing to do: rows, memory and what really runs agree, nothing
is late, and what waits has something to wait for."""

from __future__ import annotations

from reconciler.world import World
from tests.simulation import deadlines
from tests.simulation.calendars import next_open
from tests.simulation.clock import SECOND
from tests.simulation.daemon import Daemon
from tests.simulation.judge import Judge
from tests.simulation.ledger import CORRECTION, Ledger, Violation, shown
from tests.simulation.policy import fields_of, limit_of
from tests.simulation.rows import RunRow
from tests.simulation.statistics import ACTIVE
from tests.simulation.supervisor import Supervisor


def check(judge: Judge, daemon: Daemon, supervisor: Supervisor) -> None:
    """Raises Violation."""
    for job_id in judge.changed:
        if (record := daemon.store.job(job_id)) is not None:
            judge.statistics[job_id].compare(record)
            if record.stalled is not None:
                raise Violation("deciding never fails", f"{record.identity}: {record.stalled}")
            if (ledger := judge.ledgers.get(job_id)) is not None:
                deadlines.check(ledger, record)
    judge.changed.clear()
    _starts(judge, supervisor)
    _truth(judge, daemon, supervisor)
    _memory(judge, daemon.world)
    for ledger in judge.ledgers.values():
        _next(judge, ledger)
    if judge.clock.elapsed > judge.troubled_until:
        for ledger in judge.ledgers.values():
            _on_time(judge, ledger)
            _waiting(judge, ledger)


def _next(judge: Judge, ledger: Ledger) -> None:
    row, upcoming = ledger.row, ledger.next_run()
    if row.next_at != upcoming and not ledger.follows_others:
        raise Violation(
            "the next slot is right", f"{ledger.name}: {shown(row.next_at)} stored, it is {shown(upcoming)}"
        )


def _on_time(judge: Judge, ledger: Ledger) -> None:
    upcoming, row = ledger.upcoming(), ledger.row
    if upcoming is not None and row.cursor_at > judge.clock.wall + CORRECTION and not ledger.times.is_once:
        raise Violation("a clock that was set back is followed", f"{ledger.name}: the cursor is {shown(row.cursor_at)}")
    if upcoming is not None and upcoming <= judge.clock.wall:
        late = (judge.clock.wall - upcoming) / SECOND
        raise Violation("no cursor is behind", f"{ledger.name}: {shown(upcoming)} was {late:.1f} s ago")


def _waiting(judge: Judge, ledger: Ledger) -> None:
    """A run that waits has a cause, and the one that is stored."""
    statistics = judge.statistics[ledger.row.id]
    line = sorted((run for run in statistics.active.values() if run.state == "blocked"), key=lambda run: run.order)
    for place, run in enumerate(line):
        if not _has_cause(judge, ledger, run, statistics.handed(), place):
            raise Violation("what waits has a cause", f"{ledger.name}: run {run.id} waits, {run.reason}")


def _has_cause(judge: Judge, ledger: Ledger, run: RunRow, handed: int, place: int) -> bool:
    match run.reason:
        case "calendar":
            return run.not_before == next_open(ledger.together, judge.clock.wall) != judge.clock.wall
        case "backoff":
            return run.not_before is not None and run.not_before > judge.clock.wall
        case "overlap":
            return handed >= limit_of(ledger.spec) or place > 0
        case "pool":
            pool = fields_of(ledger.spec).get("pool")
            return pool is not None and judge.in_pool(pool) >= judge.pools.get(pool, 0)
        case "dependency":
            return not judge.upstream_ready(ledger)
    return False


def _starts(judge: Judge, supervisor: Supervisor) -> None:
    """What was really started since the last time."""
    twice = [run_id for run_id, count in supervisor.starts.items() if count > 1]
    if twice:
        raise Violation("a slot at most once", f"started twice: {twice}")
    for run_id, beside in supervisor.begun:
        if run_id not in judge.runs and run_id not in judge.ends:
            raise Violation("what runs is stored", f"run {run_id} was started, and has no row")
        if beside > judge.limits.get(run_id, 1):
            raise Violation("the overlap limit holds", f"run {run_id} really runs beside {beside - 1} others")
    supervisor.begun.clear()


def _truth(judge: Judge, daemon: Daemon, supervisor: Supervisor) -> None:
    """The rows and what really runs."""
    for process in supervisor.running():
        row = judge.runs.get(process.launch.run_id)
        if row is None or row.state not in ACTIVE:
            state = "unknown" if row is None else row.state
            raise Violation("what runs is active", f"run {process.launch.run_id} runs, its row is {state}")
    if daemon.runner.next_at() is not None:
        return
    for run_id in judge.active_ids():
        blocked = judge.runs[run_id].state == "blocked"
        if run_id not in supervisor.processes and run_id not in daemon.world.unlaunched and not blocked:
            raise Violation("every active run is somewhere", f"run {run_id} is active, and nobody has it")


def _memory(judge: Judge, world: World) -> None:
    """Memory follows the database, and does not grow."""
    active = judge.active_ids()
    if sorted(world.live) != active:
        raise Violation("memory follows the database", f"live {sorted(world.live)}, stored {active}")
    for entry in world.jobs:
        ledger = judge.ledgers.get(entry.id)
        if ledger is None:
            if entry.archived:
                continue  # retention took the row; the entry goes at the next start
            raise Violation("memory follows the database", f"{entry.identity} is not stored")
        row, statistics = ledger.row, judge.statistics[entry.id]
        waiting = sorted(run.id for run in statistics.active.values() if run.state == "blocked")
        memory = (
            entry.cursor_at, entry.anchor_at, entry.digest, entry.archived, entry.override_suspend, entry.active,
            sorted(entry.waiting or ()), entry.completed,
        )  # fmt: skip
        stored = (
            row.cursor_at, row.anchor_at, row.digest, row.archived_at is not None, row.suspended_at is not None,
            statistics.handed(), waiting, row.completed_at is not None,
        )  # fmt: skip
        if memory != stored:
            raise Violation("memory follows the database", f"{entry.identity}: {memory}, stored {stored}")
    bounds = {
        "messages": (len(world.messages), 0),
        "untold": (len(world.untold), 2000),
        "timers": (len(world.timers), len(world.jobs)),
        "heap": (len(world.timers._heap), 64 + 3 * len(world.jobs)),
        "unlaunched": (len(world.unlaunched), len(active)),
        "missing": (len(world.missing), len(world.jobs)),
    }
    for name, (size, bound) in bounds.items():
        if size > bound:
            raise Violation("nothing grows without bound", f"{name} holds {size}, more than {bound}")
