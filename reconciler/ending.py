"""Taking in what the runner tells: runs that started, ended, or never did. Called by the loop.

Messages are kept until the database holds what they say, and only then acknowledged: a crash, a full disk or a locked
database in between makes the supervisor tell them again.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.crashpoint import crashpoint
from reconciler.ends import run_end
from reconciler.finishing import settle, store_ends
from reconciler.launching import launch
from reconciler.world import World, log
from runners.base import EndReason, Exited, NeverStarted, Started
from specs.policy import PLAIN
from state import runfiles
from state.errors import StateError
from state.records import Event, Run
from state.store import RunEnd, RunStarted

BATCH = 64
"""Messages per transaction: group commit, and starts that are due do not wait for a long backlog of ends."""


def take_messages(world: World, now: int) -> bool:
    """Store one batch of what was told. True when there is more.

    Raises:
        StateError: the database would not take it; the messages stay.
    """
    world.messages += world.runner.poll()
    batch = world.messages[:BATCH]
    if not batch:
        return False
    starts = [
        RunStarted(run_id=message.run_id, at=message.at, pid=message.pid, pid_start=message.pid_start)
        for message in batch
        if isinstance(message, Started)
    ]
    exits = [message for message in batch if isinstance(message, Exited)]
    ends = [_end_of(world, run, message) for message in exits if (run := world.live.get(message.run_id)) is not None]
    with world.store.transaction():
        started = world.store.started(starts)
        ended = store_ends(world, ends, now)
        world.store.add_events(_remarks(ended.runs, exits))
    crashpoint("ends-stored")
    del world.messages[: len(batch)]
    world.runner.acknowledge([message.run_id for message in exits])
    for run in started:
        world.live[run.id] = run
    for message in batch:
        if isinstance(message, Started):
            _stop_if_cancelled(world, message.run_id)
    settle(world, ended, now)
    never = [message for message in batch if isinstance(message, NeverStarted)]
    try:
        _start_again(world, [message.run_id for message in never], now)
    except StateError:
        world.messages[:0] = never  # nobody has these runs: they are taken up again when the database takes writes
        raise
    if started or ended.runs:
        world.changed()
    return bool(world.messages)


def grace_of(world: World, run: Run) -> float:
    """Seconds between TERM and KILL for this run."""
    entry = world.jobs.get(run.job_id)
    return entry.grace if entry is not None else 10.0


def _end_of(world: World, run: Run, message: Exited) -> RunEnd:
    run_dir = world.home.run_path(run)
    entry = world.jobs.get(run.job_id)
    codes = PLAIN.success_codes if entry is None else entry.policy.success_codes
    return run_end(
        run,
        message,
        success_codes=codes,
        progress=runfiles.read_progress(run_dir),
        result=runfiles.read_result(run_dir),
    )


def _remarks(ended: list[Run], exits: list[Exited]) -> list[Event]:
    """What the runner had to say beside the ends: which limits held, what was cut, lost or left behind."""
    details = {message.run_id: message.details for message in exits if message.details}
    return [
        Event(
            at=run.finished_at or run.created_at,
            job_id=run.job_id,
            run_id=run.id,
            type="Normal",
            reason="remarks",
            message="; ".join(f"{name}: {text}" for name, text in said.items()),
            data=dict(said),
        )
        for run in ended
        if (said := details.get(run.id))
    ]


def _stop_if_cancelled(world: World, run_id: str) -> None:
    run = world.live.get(run_id)
    if run is not None and run.cancel_requested_at is not None:
        world.runner.stop(run.id, grace=grace_of(world, run))


def _start_again(world: World, run_ids: list[str], now: int) -> None:
    """Runs an earlier daemon stored but never handed over: start them, under the same id, by our own supervisor."""
    # Whoever had them has no trace of them: no supervisor may be named until the row says so again.
    runs = [replace(world.live[run_id], supervisor=None) for run_id in run_ids if run_id in world.live]
    cancelled = [run for run in runs if run.cancel_requested_at is not None]
    wanted = [run for run in runs if run.cancel_requested_at is None]
    if cancelled:
        ends = [
            _end_of(
                world, run, Exited(run_id=run.id, at=now, reason=EndReason.CANCEL, error="cancelled before its start")
            )
            for run in cancelled
        ]
        with world.store.transaction():
            ended = store_ends(world, ends, now)
        settle(world, ended, now)
    launch(world, wanted, now)


def write_stories(world: World, limit: int) -> bool:
    """Write `run.json` beside the output of at most `limit` ended runs. True when there are more.

    Called when the loop is idle: a file per run is work a burst does not wait for. The database has it all; a full
    disk, or a death before this, costs the copy and nothing else.
    """
    for _ in range(min(limit, len(world.untold))):
        run = world.untold.popleft()
        entry = world.jobs.get(run.job_id)
        spec = entry.spec if entry is not None and entry.digest == run.digest else None
        try:
            runfiles.write_run_json(world.home.run_path(run), run, spec)
        except OSError as error:
            log.warning("%s: run %s: run.json not written: %s", run.identity, run.id, error)
    return bool(world.untold)
