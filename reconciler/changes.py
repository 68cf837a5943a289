"""What plans change: collected, stored in one transaction, then told to memory and to the runner.

Called by `reconciler.act` (what is due) and `reconciler.asking` (what people ask for). Dumb on purpose: every choice
was made in `reconciler.decide`.

If the process dies before the commit, nothing happened and everything is decided again. If it dies after the commit,
the rows say what was decided: `reconciler.recovery` asks for the runs that may have been handed over, and blocked
ones wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.crashpoint import crashpoint
from reconciler.ends import REPLACED_BY
from reconciler.finishing import Ended, call_pools, join_queue, settle, store_ends
from reconciler.launching import launch
from reconciler.plan import EndRun, FailRun, KeepWaiting, Plan, ReleaseRun, SkipSlots, StartRun, StopRun, WaitRun
from reconciler.table import Entry
from reconciler.world import World
from specs.timing import Timing
from state.ids import new_id
from state.records import Reason, Run, RunState, Trigger
from state.store import Advance, RunEnd, Skip, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asked for a run, and with what."""

    by: str
    request_id: str
    params: Mapping[str, str] | None = None


@dataclass(slots=True)
class Changes:
    """Of one transaction. Not for a second one."""

    world: World
    now: int
    started: list[Run] = field(default_factory=list)
    """New runs, and released ones, for the runner."""
    _new: list[Run] = field(default_factory=list)
    _blocked: list[Run] = field(default_factory=list)
    _released: list[Run] = field(default_factory=list)
    _waits: list[Wait] = field(default_factory=list)
    _ends: list[RunEnd] = field(default_factory=list)
    _skips: list[Skip] = field(default_factory=list)
    _moves: list[Advance] = field(default_factory=list)
    _stops: list[str] = field(default_factory=list)
    _plans: list[tuple[Entry, Plan]] = field(default_factory=list)
    _ended: Ended = field(default_factory=Ended)

    def add(self, entry: Entry, plan: Plan, *, asked: Asked | None = None) -> None:
        """One job's plan. `asked`: the new run of it is somebody's wish."""
        self._plans.append((entry, plan))
        for action in plan.actions:
            match action:
                case StartRun(slot, trigger):
                    run = self._run(entry, slot, trigger, asked, RunState.PENDING, upstream=action.upstream)
                    self._new.append(run)
                    self.started.append(run)
                case SkipSlots():
                    self._skips.append(self._skip(entry, action))
                case WaitRun(slot, trigger, reason, not_before, message):
                    run = self._run(entry, slot, trigger, asked, RunState.BLOCKED, upstream=action.upstream)
                    self._blocked.append(replace(run, reason=reason, not_before=not_before))
                    if reason in (Reason.POOL, Reason.DEPENDENCY):
                        self._waits.append(Wait(run_id=run.id, at=self.now, reason=reason, message=message))
                case FailRun(slot, trigger, reason, message):
                    run = self._run(entry, slot, trigger, asked, RunState.BLOCKED)
                    self._blocked.append(replace(run, reason=reason))
                    self._end(run.id, RunState.FAILED, reason, message)
                case ReleaseRun(run_id, upstream):
                    waiting = self.world.live[run_id]
                    run = self._handed(entry, replace(waiting, reason=None, not_before=None, upstream=upstream))
                    self._released.append(run)
                    self.started.append(run)
                case KeepWaiting(run_id, reason, not_before, message):
                    wait = Wait(run_id=run_id, at=self.now, reason=reason, not_before=not_before, message=message)
                    self._waits.append(wait)
                case EndRun(run_id, state, reason, message):
                    self._end(run_id, state, reason, message)
                case StopRun(run_id):
                    self._stops.append(run_id)
        if (move := self._move(entry, plan)) is not None:
            self._moves.append(move)

    @property
    def is_empty(self) -> bool:
        """Nothing is to be stored."""
        return not (
            self._new or self._blocked or self._released or self._waits or self._ends or self._skips or self._moves
            or self._stops
        )  # fmt: skip

    @property
    def new_run_id(self) -> str | None:
        """The run that somebody asked for."""
        made = self._new or self._blocked
        return made[0].id if made else None

    @property
    def waits_for(self) -> str | None:
        """Why that run waits, in words; None when it starts."""
        waits = (action.message for _, plan in self._plans for action in plan.actions if isinstance(action, WaitRun))
        return next(waits, None)

    def store(self) -> None:
        """Store all of it. Inside the caller's transaction; `apply` after its commit.

        Raises:
            SlotTaken: a slot has its run already; nothing is stored.
            StateError: the database would not take it.
        """
        store = self.world.store
        store.insert_runs(self._new + self._blocked)
        if self._released:
            store.release(self._released, self.now)
        if self._waits:
            store.wait(self._waits)
        for run_id in self._stops:
            store.request_cancel(run_id, REPLACED_BY, self.now)
        if self._ends:
            self._ended = store_ends(self.world, self._ends, self.now)
        if self._skips:
            store.skip(self._skips)
        if self._moves:
            store.advance(self._moves)

    def commit(self) -> None:
        """Store in a transaction of its own. Raises as `store`; then nothing has happened."""
        if not self.is_empty:
            with self.world.store.transaction():
                self.store()
        crashpoint("slots-claimed")

    def apply(self) -> None:
        """Memory follows the commit; then the runner is told."""
        world, now = self.world, self.now
        for entry, plan in self._plans:
            _remember(world, entry, plan)
        for run in self._blocked:
            world.live[run.id] = run
            world.jobs[run.job_id].block(run)
        for run in self.started:
            entry = world.jobs[run.job_id]
            world.live[run.id] = run
            entry.unblock(run.id)
            entry.active += 1
            if entry.policy.pool is not None:
                world.pools.took(run.id, entry.policy.pool, entry.id, now)
        stored_at = max(now, world.clock.now())
        for run in self._new:
            if run.trigger is Trigger.SCHEDULE and run.scheduled_for is not None:
                entry = world.jobs[run.job_id]
                timing = Timing(entry.schedule, entry.anchor_at, entry.policy, entry.identity)
                world.lag.observe(max(0, stored_at - timing.start(run.scheduled_for)) / 1_000_000)
        for wait in self._waits:
            self._keep_waiting(wait)
        settle(world, self._ended, now)
        call_pools(world, (entry.policy.pool for entry, _ in self._plans), now)
        launch(world, self.started, now)
        for run_id in self._stops:
            self._stop(run_id)

    def _keep_waiting(self, wait: Wait) -> None:
        run = self.world.live.get(wait.run_id)
        if run is not None:
            run = self.world.live[run.id] = replace(run, reason=wait.reason, not_before=wait.not_before)
            self.world.jobs[run.job_id].block(run)
            join_queue(self.world, run)

    def _stop(self, run_id: str) -> None:
        run = self.world.live.get(run_id)
        if run is not None:
            self.world.live[run_id] = replace(
                run, cancel_requested_at=run.cancel_requested_at or self.now, cancel_requested_by=REPLACED_BY
            )
            self.world.runner.stop(run_id, grace=self.world.jobs[run.job_id].grace)

    def _run(
        self,
        entry: Entry,
        slot: int | None,
        trigger: Trigger,
        asked: Asked | None,
        state: RunState,
        *,
        upstream: Mapping[str, str] | None = None,
    ) -> Run:
        handed = state is RunState.PENDING
        return Run(
            id=new_id(self.now),
            job_id=entry.id,
            project=entry.project,
            job=entry.name,
            generation=entry.generation,
            digest=entry.digest,
            revision=entry.revision,
            trigger=trigger,
            scheduled_for=slot,
            state=state,
            created_at=self.now,
            requested_by=None if asked is None else asked.by,
            request_id=None if asked is None else asked.request_id,
            supervisor=self.world.runner.name if handed else None,
            boot_id=self.world.runner.boot_id if handed else None,
            params=None if asked is None else asked.params,
            upstream=upstream,
        )

    def _handed(self, entry: Entry, run: Run) -> Run:
        """Addressed to the runner's present supervisor, under the spec that applies now."""
        return replace(
            run,
            state=RunState.PENDING,
            generation=entry.generation,
            digest=entry.digest,
            revision=entry.revision,
            supervisor=self.world.runner.name,
            boot_id=self.world.runner.boot_id,
        )

    def _end(self, run_id: str, state: RunState, reason: Reason, message: str) -> None:
        self._ends.append(RunEnd(run_id=run_id, at=self.now, state=state, reason=reason, error=message))

    def _skip(self, entry: Entry, action: SkipSlots) -> Skip:
        return Skip(
            job_id=entry.id,
            generation=entry.generation,
            digest=entry.digest,
            revision=entry.revision,
            first=action.first,
            last=action.last,
            count=action.count,
            reason=action.reason,
            at=self.now,
            error=action.message,
        )

    def _move(self, entry: Entry, plan: Plan) -> Advance | None:
        completed_at = self.now if plan.completed and not entry.completed else None
        changed = (plan.cursor_at, plan.boot_id, completed_at, plan.repeat_done, plan.consumed)
        if plan.next_at == entry.next_at and all(value is None for value in changed):
            return None
        return Advance(
            job_id=entry.id,
            cursor_at=plan.cursor_at,
            next_at=plan.next_at,
            boot_id=plan.boot_id,
            completed_at=completed_at,
            repeat_done=plan.repeat_done,
            consumed=plan.consumed,
        )


def _remember(world: World, entry: Entry, plan: Plan) -> None:
    entry.cursor_at = entry.cursor_at if plan.cursor_at is None else plan.cursor_at
    entry.next_at = plan.next_at
    entry.boot_id = plan.boot_id or entry.boot_id
    entry.completed = entry.completed or plan.completed
    entry.repeat_done = entry.repeat_done if plan.repeat_done is None else plan.repeat_done
    if plan.consumed:
        entry.consumed = {**(entry.consumed or {}), **plan.consumed}
    world.timers.set(entry.id, plan.wake_at)
