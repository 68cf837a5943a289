"""Waiting for a run's end, by looking at its row: works also while the daemon is restarted.

Used by the commands with `--wait`. Ctrl-C ends the waiting, never the run.
"""

from __future__ import annotations

import time

from cli.asking import LONGEST_PAUSE
from cli.errors import TimedOut
from cli.exits import Exit
from cli.options import Settings
from cli.output import say
from cli.progress import Progress
from state.reads import Reader
from state.records import TERMINAL_STATES, Run, RunState, Trigger
from status.words.reasons import wait_words


def wait_for_end(settings: Settings, run_id: str, deadline: float | None) -> Run:
    """The run, once it is over.

    Args:
        deadline: monotonic seconds; None: as long as it takes.

    Raises:
        TimedOut: it is not over at the deadline; it goes on.
    """
    pause = 0.01
    told = None
    with Reader(settings.home.database) as reader, Progress(f"waiting for the end of run {run_id}") as tell:
        while True:
            run = reader.run(run_id)
            if run.state in TERMINAL_STATES:
                return run
            tell(f"run {run_id} is {run.state}")
            if run.state is RunState.BLOCKED and run.reason is not told:
                told = run.reason
                tell.say(f"run {run_id} is blocked: it waits for {wait_words(run.reason)}")
            if deadline is not None and settings.clock.monotonic() >= deadline:
                raise TimedOut(
                    f"run {run_id} is still {run.state}; it goes on", hint=f"`jobsctl run {run_id}` shows how it is"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)


def wait_for_last_attempt(settings: Settings, run_id: str, deadline: float | None) -> Run:
    """As `wait_for_end`; a run that is tried again is not over before its last attempt is."""
    while True:
        run = wait_for_end(settings, run_id, deadline)
        following = _next_attempt(settings, run)
        if following is None:
            return run
        say(f"run {run.id} {run.state}: {run.error}; attempt {following.attempt} follows: run {following.id}")
        run_id = following.id


def _next_attempt(settings: Settings, run: Run) -> Run | None:
    """The attempt after a run that ended; it is stored in the transaction that stores the end."""
    with Reader(settings.home.database) as reader:
        later = reader.runs(job_id=run.job_id, after=run.id, order="asc")
    return next(
        (
            other
            for other in later
            if other.trigger is Trigger.RETRY
            and other.attempt == run.attempt + 1
            and other.scheduled_for == run.scheduled_for
        ),
        None,
    )


def tell_end(run: Run) -> Exit:
    """Say how a run ended, on stderr; the exit code for it."""
    say(f"run {run.id} {run.state}" + (f": {run.error}" if run.error else ""))
    return Exit.OK if run.state is RunState.SUCCEEDED else Exit.FAILED
