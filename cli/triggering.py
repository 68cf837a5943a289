"""Asking for a run of a job now, and waiting for its end. Used by `trigger`."""

from __future__ import annotations

from dataclasses import dataclass

from cli.asking import ask
from cli.bulk import Done
from cli.errors import DaemonDown
from cli.options import Settings
from cli.output import say
from cli.params import check_params
from cli.selection import job_to_change
from cli.waiting import tell_end, wait_for_last_attempt
from specs.model import Job
from state.inbox import RequestKind
from status.views import run_view


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of each job."""

    params: dict[str, str]
    reason: str | None
    wait: bool
    timeout: float | None
    """Seconds: for the daemon's answer, with `wait` for the end. None: 10 for the answer, no limit for the end."""
    since: float
    """Monotonic seconds: when the waiting began."""
    several: bool
    """Which run is of which job must be said."""


def trigger(settings: Settings, job: str, wish: Wish) -> Done:
    """Ask for the run. With `wait`, the answer's `finish` waits for its last attempt.

    Raises:
        cli.errors.UsageError: the job does not take these params.
        DaemonDown: nobody is there to wait for.
    """
    identity, spec = job_to_change(settings, job)
    check_params(identity, wish.params, Job.from_canonical(spec).params)
    asked = ask(
        settings,
        RequestKind.TRIGGER,
        identity=identity,
        reason=wish.reason,
        params={"params": wish.params} if wish.params else None,
        timeout=10.0 if wish.timeout is None else wish.timeout,
    )
    run_id = asked.answer.run_id if asked.answer else None
    if run_id is None:
        if wish.wait:
            raise DaemonDown(
                f"nobody can run {identity} now; the request stays", hint="start the daemon with `jobsctl daemon`"
            )
        return Done(asked.view(), "", [f"job/{identity} runs when the daemon starts"])
    text = f"{run_id}  {identity}" if wish.several else run_id
    if not wish.wait:
        # "run <id> created; it waits for ...": whoever started it wants to know that it did not.
        assert asked.answer is not None
        waits = asked.answer.message.partition("; ")[2]
        next_step = f"`jobsctl why {run_id}` tells more" if waits else f"`jobsctl logs -f {run_id}` follows it"
        note = f"{identity}: {waits}; {next_step}" if waits else next_step
        return Done(asked.view(), run_id, [text], [note] if waits or not wish.several else [])
    return Done(asked.view(), run_id, [text], finish=lambda: _wait(settings, run_id, text, wish))


def _wait(settings: Settings, run_id: str, text: str, wish: Wish) -> Done:
    deadline = None if wish.timeout is None else wish.since + wish.timeout
    if settings.output in ("table", "wide"):
        say(f"run {run_id}: waiting for its end (Ctrl-C stops waiting, not the run)")
    run = wait_for_last_attempt(settings, run_id, deadline)
    return Done(run_view(run), run.id, [text.replace(run_id, run.id)], exit=tell_end(run))
