"""Rules broken on purpose: does the simulation find each, and how fast? `python -m tests.simulation.mutations`.

Each mutation replaces a function of the product in memory for the time of a search, as a mistake in that place would.
docs/testing.md holds the table that this prints.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click import echo

from reconciler import act, asking, decide, depend, ending, ends, finishing, launching, loop, records, retrying
from reconciler.changes import Changes
from reconciler.crashpoint import crashpoint
from reconciler.observed import Observed
from reconciler.plan import Plan, SkipSlots
from reconciler.world import World
from runners.base import Exited
from specs.policy import Policy
from state import store_runs
from state.records import Run
from state.store import Store
from state.store_runs import RunStore
from status import deadline
from tests.simulation.clock import DAY
from tests.simulation.shrinking import shrink
from tests.simulation.story import play
from tests.simulation.telling import tell

EPISODE = 30.0
MOST_SEEDS = 400


@dataclass(frozen=True, slots=True)
class Mutation:
    """One rule broken."""

    words: str
    patched: Callable[[], Any]
    """Makes the context manager that breaks it."""


@dataclass(frozen=True, slots=True)
class Found:
    """How a mutation was found."""

    seed: int
    rule: str
    days: float
    """Simulated, of all seeds from the first."""
    seconds: float
    """Of the processor."""


def search(mutation: Mutation, *, first: int = 0, seeds: int = MOST_SEEDS) -> Found | None:
    """The first seed that finds it; None when none of them does."""
    began, days = time.process_time(), 0.0
    with mutation.patched():
        for seed in range(first, first + seeds):
            outcome = play(tell(seed, EPISODE))
            days += outcome.time / DAY
            if outcome.violation is not None:
                return Found(seed, outcome.violation.rule, days, time.process_time() - began)
    return None


def shortest(mutation: Mutation, seed: int, seconds: float) -> list[str]:
    """The minimal story of a seed that finds the mutation, for people."""
    with mutation.patched():
        story = tell(seed, EPISODE)
        return shrink(story, play(story), seconds=seconds)[0].lines()


# -- the mutations


def _decided(change: Callable[[Plan], Plan]) -> Any:
    """Every plan is changed before it is carried out."""
    real = decide.decide
    return patch.object(act, "decide", lambda *given: change(real(*given)))


def _two_transactions() -> Any:
    def commit(self: Changes) -> None:
        moves, self._moves = self._moves, []
        with self.world.store.transaction():
            self.store()
        crashpoint("slots-claimed")
        with self.world.store.transaction():
            self.world.store.advance(moves)

    return patch.object(Changes, "commit", commit)


@contextmanager
def _slots_not_unique() -> Iterator[None]:
    real = Store.open.__func__  # type: ignore[attr-defined]

    def opened(cls: type[Store], path: Path, *, now: int) -> Store:
        store: Store = real(cls, path, now=now)
        store._connection.execute("DROP INDEX IF EXISTS run_slot")
        return store

    with patch.object(Store, "open", classmethod(opened)):
        yield


def _observed(change: Callable[[Observed], Observed]) -> Any:
    real = act.observe

    def observe(*given: Any) -> Observed:
        return change(real(*given))

    return patch.multiple(act, observe=observe), patch.multiple(asking, observe=observe)


@contextmanager
def _overlap_unchecked() -> Iterator[None]:
    here, there = _observed(lambda seen: replace(seen, active=0))
    with here, there:
        yield


@contextmanager
def _pool_unchecked() -> Iterator[None]:
    here, there = _observed(lambda seen: replace(seen, pool=None))
    with here, there:
        yield


class _Undying(dict[str, Run]):
    def __delitem__(self, key: str) -> None:
        pass


@contextmanager
def _ends_unguarded() -> Iterator[None]:
    known: dict[int, _Undying] = {}

    def active(self: RunStore) -> dict[str, Run]:
        runs = known.setdefault(id(self), _Undying())
        if self._known is None:
            runs.clear()
            self._known = runs
            runs.update({run.id: run for run in self.active_runs()})
        return runs

    unguarded = store_runs._END.split(" AND state IN")[0]
    with patch.object(RunStore, "_active", active), patch.object(store_runs, "_END", unguarded):
        yield


def _skips_forgotten() -> Any:
    return _decided(
        lambda plan: replace(plan, actions=tuple(one for one in plan.actions if not isinstance(one, SkipSlots)))
    )


def _cancel_overwritten() -> Any:
    real = ends.outcome

    def outcome(run: Run, *given: Any) -> Any:
        return real(replace(run, cancel_requested_at=None), *given)

    return patch.object(ends, "outcome", outcome)


def _everything_caught_up() -> Any:
    real = decide.decide

    def decide_all(schedule: Any, observed: Any, now: int, policy: Policy, *given: Any) -> Plan:
        return real(schedule, observed, now, replace(policy, missed="all", max_missed=1000), *given)

    return patch.object(act, "decide", decide_all)


def _acknowledged_too_early() -> Any:
    real = ending.take_messages

    def take_messages(world: World, now: int) -> bool:
        world.messages += world.runner.poll()
        world.runner.acknowledge([each.run_id for each in world.messages if isinstance(each, Exited)])
        return real(world, now)

    return patch.object(ending, "take_messages", take_messages)


def _launched_too_early() -> Any:
    real = Changes.commit

    def commit(self: Changes) -> None:
        launching.launch(self.world, self.started, self.now)
        real(self)

    return patch.object(Changes, "commit", commit)


def _used_successes() -> Any:
    return patch.object(depend, "_is_after", lambda at, since, now: True)


def _attempt_forgotten() -> Any:
    real = retrying.next_attempt_at
    return patch.object(
        finishing, "next_attempt_at", lambda policy, run: None if run.state == "expired" else real(policy, run)
    )


def _jumps_unnoticed() -> Any:
    return patch.object(loop.Loop, "_notice_clock", lambda self: None)


def _edits_fire() -> Any:
    real = decide.first_cursor
    return patch.object(records, "first_cursor", lambda schedule, now: real(schedule, now) - DAY)


def _deadline_without_delays() -> Any:
    return patch.object(deadline, "_longest_delay", lambda retry, attempt: 0)


MUTATIONS = (
    Mutation("the slot is claimed in one transaction, the cursor moves in another", _two_transactions),
    Mutation("the database lets a slot have two runs", _slots_not_unique),
    Mutation("nobody asks whether a run of the job is active", _overlap_unchecked),
    Mutation("an end that is stored is stored again", _ends_unguarded),
    Mutation("the cursor moves past slots that nothing accounts for", _skips_forgotten),
    Mutation("a late success overwrites a cancel", _cancel_overwritten),
    Mutation("every missed slot is caught up", _everything_caught_up),
    Mutation("an end is acknowledged before it is stored", _acknowledged_too_early),
    Mutation("a run is handed over before its row is stored", _launched_too_early),
    Mutation("nobody asks whether the pool has room", _pool_unchecked),
    Mutation("one success of an upstream job starts a chain twice", _used_successes),
    Mutation("a run that expired is not tried again", _attempt_forgotten),
    Mutation("a clock that is set goes unnoticed", _jumps_unnoticed),
    Mutation("an edited schedule looks back one day", _edits_fire),
    Mutation("the deadline forgets the delays between attempts", _deadline_without_delays),
)


def main() -> int:
    assert sqlite3.sqlite_version_info >= (3, 34)
    missed = 0
    echo("| broken rule | found as | seed | simulated days | seconds |\n|---|---|---|---|---|")
    for mutation in MUTATIONS:
        found = search(mutation)
        if found is None:
            missed += 1
            echo(f"| {mutation.words} | **not found** in {MOST_SEEDS} seeds | | | |")
            continue
        echo(f"| {mutation.words} | {found.rule} | {found.seed} | {found.days:.0f} | {found.seconds:.1f} |")
        if "--stories" in sys.argv:
            echo("\n".join(f"    {line}" for line in shortest(mutation, found.seed, 60)))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
