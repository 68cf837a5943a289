"""The judge of a simulation: holds what the database says, after every step, against an independent model.

Knows the rows (`tests.simulation.rows`), what really runs (`tests.simulation.supervisor`) and the true time; asks no
decision of the reconciler.
"""

from __future__ import annotations

import hashlib

from reconciler.world import World
from tests.simulation.clock import DAY, SECOND, SimClock
from tests.simulation.daemon import Daemon
from tests.simulation.ledger import Ledger, Violation, shown
from tests.simulation.policy import limit_of
from tests.simulation.rows import JobRow, Journal, RunRow
from tests.simulation.statistics import ACTIVE, Statistics
from tests.simulation.supervisor import Supervisor

__all__ = ["Judge", "Violation"]

STEPS = {
    "pending": frozenset({"pending", "blocked", "running", "succeeded", "failed", "cancelled", "expired", "skipped"}),
    "blocked": frozenset({"blocked", "pending", "running", "failed", "cancelled", "expired", "skipped"}),
    "running": frozenset({"running", "succeeded", "failed", "cancelled", "expired"}),
}
"""From an active state to another one. Terminal states have no way out."""


class Judge:
    """Of one house."""

    def __init__(self, clock: SimClock, supervisor: Supervisor) -> None:
        self.clock = clock
        self.supervisor = supervisor
        self.boots: dict[str, int] = {}
        self.runs: dict[str, RunRow] = {}
        self.ledgers: dict[int, Ledger] = {}
        self.statistics: dict[int, Statistics] = {}
        self.taken: dict[tuple[int, int, int], str] = {}
        """The run of (job, slot, attempt), ever."""
        self._specs: dict[str, bytes] = {}
        self._touched: set[int] = set()
        self._audit_at = 0
        self._troubled_until = 0
        self._hash = hashlib.sha256()

    def active_ids(self) -> list[str]:
        """Runs that are not over, by id."""
        return sorted(run for each in self.statistics.values() for run in each.active)

    def digest(self) -> str:
        """Of every change so far: two plays of one story have the same."""
        return self._hash.hexdigest()

    # -- after every transaction

    def rows(self, journal: Journal) -> None:
        """Take in what changed, in order."""
        notes = journal.take()
        if not notes:
            return
        self._hash.update(repr(notes).encode())
        for spec in journal.take_specs():
            self._specs[hashlib.sha256(spec).hexdigest()] = spec
        for note in notes:
            if isinstance(note.row, RunRow):
                self._run(note.what, note.row)
            else:
                self._job(note.what, note.row)
        for job_id in self._touched:
            if job_id in self.ledgers:
                self.ledgers[job_id].settled()
        self._audit(journal)

    def _run(self, what: str, row: RunRow) -> None:
        self._touched.add(row.job_id)
        if what == "made":
            self._made(row)
        elif what == "changed":
            self._changed(row)
        elif row.state in ACTIVE and row.job_id in self.ledgers:
            raise Violation("no active run is deleted", f"run {row.id} was {row.state}")
        else:
            del self.runs[row.id]
            if row.job_id in self.ledgers:
                self.ledgers[row.job_id].forget(row)

    def _made(self, row: RunRow) -> None:
        if row.id in self.runs:
            raise Violation("an id is given once", row.id)
        ledger, statistics = self.ledgers[row.job_id], self.statistics[row.job_id]
        active = len(statistics.active)
        if row.scheduled_for is not None:
            key = (row.job_id, row.scheduled_for, row.attempt)
            other = self.runs.get(self.taken.get(key, ""))
            if other is not None and other.scheduled_for == row.scheduled_for:
                raise Violation("a slot at most once", f"{ledger.name} at {shown(row.scheduled_for)}: two rows")
            self.taken[key] = row.id
        if row.state == "skipped":
            ledger.skipped(row, None, active)
        elif row.state in ACTIVE:
            if active >= limit_of(ledger.spec):
                raise Violation("the overlap limit holds", f"{ledger.name}: {active} active, and another run begins")
            if row.scheduled_for is not None:
                ledger.ran(row, active)
        else:
            raise Violation("a run begins active", f"{row.id} began {row.state}")
        self.runs[row.id] = row
        statistics.made(row)

    def _changed(self, row: RunRow) -> None:
        before = self.runs[row.id]
        if before == row:
            return
        if before.state == "skipped" and (row.state, row.reason) == ("skipped", before.reason):
            self.ledgers[row.job_id].skipped(row, before, len(self.statistics[row.job_id].active))
        elif row.state not in STEPS.get(before.state, ()):
            raise Violation("terminal states are final", f"run {row.id} went from {before.state} to {row.state}")
        elif before.cancel_requested_at is not None and row.state in ("succeeded", "expired"):
            raise Violation("an accepted cancel stays", f"run {row.id} was cancelled, and is {row.state}")
        self.runs[row.id] = row
        self.statistics[row.job_id].changed(row, before)

    def _job(self, what: str, row: JobRow) -> None:
        self._touched.add(row.id)
        if what == "made":
            self.ledgers[row.id] = Ledger(row, self._specs[row.digest])
            self.statistics[row.id] = Statistics()
            self.ledgers[row.id].created()
        elif what == "changed":
            self.ledgers[row.id].moved(row, self._specs[row.digest], self.boots, self.clock.wall)
        else:
            if self.statistics[row.id].active:
                raise Violation("no active run is deleted", f"job {row.name} went with active runs")
            del self.ledgers[row.id], self.statistics[row.id]

    def _audit(self, journal: Journal) -> None:
        """Once a simulated day: are the tables what their changes say?"""
        if self.clock.elapsed < self._audit_at:
            return
        self._audit_at = self.clock.elapsed + DAY
        if {row.id: row for row in journal.all_runs()} != self.runs:
            raise Violation("rows change only where it shows", "the table `run` is not what its changes make")

    # -- when the daemon has nothing to do

    def at_rest(self, daemon: Daemon) -> None:
        """The daemon is well and waits for something to happen."""
        self._statistics(daemon)
        self._cursors(daemon)
        self._truth(daemon)
        self._memory(daemon.world)

    def troubled(self) -> None:
        """The database refused: what is due is tried again within two seconds."""
        self._troubled_until = self.clock.elapsed + 2 * SECOND

    def _statistics(self, daemon: Daemon) -> None:
        for job_id in self._touched:
            if (record := daemon.store.job(job_id)) is not None:
                self.statistics[job_id].compare(record)
        self._touched.clear()

    def _cursors(self, daemon: Daemon) -> None:
        for ledger in self.ledgers.values():
            row = ledger.row
            if row.archived_at is not None:
                if row.next_at is not None:
                    raise Violation("the next slot is right", f"{ledger.name} is archived, next {shown(row.next_at)}")
                continue
            upcoming = ledger.upcoming()
            if row.next_at != upcoming:
                raise Violation(
                    "the next slot is right", f"{ledger.name}: {shown(row.next_at)} stored, it is {shown(upcoming)}"
                )
            if upcoming is not None and upcoming <= self.clock.wall and self.clock.elapsed > self._troubled_until:
                late = (self.clock.wall - upcoming) / SECOND
                raise Violation("no cursor is behind", f"{ledger.name}: {shown(upcoming)} was {late:.1f} s ago")

    def _truth(self, daemon: Daemon) -> None:
        """The rows and what really runs."""
        running: dict[str, int] = {}
        for process in self.supervisor.running():
            row = self.runs.get(process.launch.run_id)
            if row is None or row.state not in ACTIVE:
                state = "unknown" if row is None else row.state
                raise Violation("what runs is active", f"run {process.launch.run_id} runs, its row is {state}")
            running[process.identity] = running.get(process.identity, 0) + 1
            if running[process.identity] > limit_of(self.ledgers[row.job_id].spec):
                raise Violation("the overlap limit holds", f"{process.identity} really runs {running} times")
        twice = [run_id for run_id, count in self.supervisor.starts.items() if count > 1]
        if twice:
            raise Violation("a slot at most once", f"started twice: {twice}")
        self.supervisor.starts.clear()
        known = self.supervisor.processes
        for run_id in self.active_ids():
            if run_id not in known and run_id not in daemon.world.unlaunched and daemon.runner.next_at() is None:
                raise Violation("every active run is somewhere", f"run {run_id} is active, and nobody has it")

    def _memory(self, world: World) -> None:
        """Memory follows the database, and does not grow."""
        active = self.active_ids()
        if sorted(world.live) != active:
            raise Violation("memory follows the database", f"live {sorted(world.live)}, stored {active}")
        for entry in world.jobs:
            ledger = self.ledgers.get(entry.id)
            if ledger is None:
                if entry.archived:
                    continue  # retention took the row; the entry goes at the next start
                raise Violation("memory follows the database", f"{entry.identity} is not stored")
            row = ledger.row
            memory = (
                entry.cursor_at,
                entry.anchor_at,
                entry.digest,
                entry.active,
                entry.archived,
                entry.override_suspend,
            )
            stored = (
                row.cursor_at, row.anchor_at, row.digest, len(self.statistics[entry.id].active),
                row.archived_at is not None, row.suspended_at is not None,
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
