"""Handing stored runs to the runner. Called by the loop's steps, always after the commit that holds the runs.

If the process dies in between, the rows say which supervisor was to start them, and `reconciler.recovery` asks it: the
same id is never started twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.crashpoint import crashpoint
from reconciler.finishing import settle, store_ends
from reconciler.world import World, log
from runners.base import Launch
from runners.inputs import UpstreamRun
from runners.process import LaunchError, make_launch
from specs.stored import StoredJob, Unreadable
from state.errors import StateError
from state.records import Reason, Run, RunState
from state.store import RunEnd

LEAD = 4_000
"""Microseconds before its instant that a slot is decided on and stored, so that only the start is left for it. Few,
because nothing else is done meanwhile."""


def launch(world: World, runs: Iterable[Run], now: int) -> None:
    """Hand stored runs to the runner. A run whose launch cannot even be made fails with the reason.

    Args:
        now: the instant they were decided for: not before it. Further away than `LEAD` it is none that was waited for,
            the clock was set back meanwhile.

    Raises:
        StateError: the database would not take something; what nobody has now is in `unlaunched`, to be tried again.
    """
    launches: list[Launch] = []
    ends: list[RunEnd] = []
    for run in _addressed(world, list(runs)):
        try:
            launches.append(_launch_of(world, run))
        except (LaunchError, Unreadable) as error:
            ends.append(
                RunEnd(run_id=run.id, at=now, state=RunState.FAILED, reason=Reason.START_ERROR, error=str(error))
            )
    crashpoint("before-launch")
    while launches and 0 < (early := now - world.clock.now()) <= LEAD:
        world.clock.sleep(early / 1_000_000)
    try:
        world.runner.launch(launches)
    except OSError as error:
        # The world is unwell (no process, no memory): the rows are safe, the loop tries again, several times a second.
        world.unlaunched += [one.run_id for one in launches]
        if not world.refused:
            log.error("cannot hand runs to the supervisor: %s; they are stored, and it is tried again", error)
        world.refused = True
    else:
        if world.refused and launches:
            log.info("the supervisor takes runs again")
            world.refused = False
    crashpoint("after-launch")
    if ends:
        try:
            with world.store.transaction():
                ended = store_ends(world, ends, now)
        except StateError:
            world.unlaunched += [end.run_id for end in ends]
            raise
        settle(world, ended, now)


def launch_again(world: World, now: int) -> None:
    """Try the runs that could not be handed over."""
    waiting, world.unlaunched = world.unlaunched, []
    launch(world, [world.live[run_id] for run_id in waiting if run_id in world.live], now)


def _addressed(world: World, runs: list[Run]) -> list[Run]:
    """The runs, each with a row that names the supervisor it is about to go to (recovery asks only that one) and the
    spec that applies now: it may have been edited since the claim.

    Raises:
        StateError: the database would not take it; the runs are in `unlaunched`.
    """
    name, boot_id = world.runner.name, world.runner.boot_id
    renewed: list[Run] = []
    for index, run in enumerate(runs):
        if run.supervisor != name:
            entry = world.jobs[run.job_id]
            renewed.append(
                replace(
                    run,
                    supervisor=name,
                    boot_id=boot_id,
                    generation=entry.generation,
                    digest=entry.digest,
                    revision=entry.revision,
                )
            )
            runs[index] = renewed[-1]
    if renewed:
        try:
            world.store.hand_over(renewed)
        except StateError:
            # They are stored, and nobody has them: the loop tries again.
            world.unlaunched += [run.id for run in runs]
            raise
        world.live |= {run.id: run for run in renewed}
    return runs


def _launch_of(world: World, run: Run) -> Launch:
    entry = world.jobs[run.job_id]
    return make_launch(
        StoredJob.of(entry.spec),
        run_id=run.id,
        run_dir=world.home.run_path(run),
        base_dir=world.base_dir,
        attempt=run.attempt,
        scheduled_for=run.scheduled_for,
        trigger=run.trigger.value,
        environ=world.environ,
        params=run.params or {},
        upstream=tuple(_followed(world, *each) for each in (run.upstream or {}).items()),
    )


def _followed(world: World, identity: str, run_id: str) -> UpstreamRun:
    run = world.store.run(run_id)
    return UpstreamRun(identity, run_id, None if run is None else world.home.run_path(run))
