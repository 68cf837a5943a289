"""Asking for the end of runs, and waiting for it. Used by `cancel`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cli.asking import ask
from cli.bulk import Done
from cli.errors import DaemonDown, Refused
from cli.options import Settings
from cli.reading import reading
from cli.selection import find_target
from cli.waiting import wait_for_end
from state.inbox import RequestKind
from state.reads_jobs import MAX_LIMIT
from state.records import TERMINAL_STATES, Run


class NothingActive(Refused):
    """Raised when a job has no run that could be cancelled."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of each run."""

    reason: str | None
    wait: bool
    timeout: float | None
    """Seconds: for the daemon's answer, with `wait` for the end. None: 10 for the answer, no limit for the end."""
    since: float
    """Monotonic seconds: when the waiting began."""


def active_jobs(settings: Settings, labels: tuple[str, ...]) -> list[str]:
    """Identities of the jobs that have active runs, of the project and with the labels asked for."""
    with reading(settings) as seen:
        runs = seen.reader.runs(active=True, project=settings.project, labels=labels, limit=MAX_LIMIT)
    return sorted({run.identity for run in runs})


def cancel(settings: Settings, target: str, wish: Wish) -> Done:
    """Ask for the end of a run, or of all active ones of a job. With `wait`, the answer's `finish` waits for it.

    Raises:
        Refused: it is over already.
        NothingActive: nothing of the job is active.
        DaemonDown: nobody is there to wait for.
    """
    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target)
        if isinstance(found, Run):
            if found.state in TERMINAL_STATES:
                raise Refused(f"run {found.id} is over: it {found.state}", hint=f"`jobsctl run {found.id}` tells how")
            runs = [found]
        else:
            runs = seen.reader.runs(job_id=found.id, active=True, limit=MAX_LIMIT)
            if not runs:
                hint = f"`jobsctl runs {found.identity}` lists them"
                raise NothingActive(f"{found.identity} has no active run", hint=hint)
    asked = ask(
        settings,
        RequestKind.CANCEL,
        identity=found.identity,
        run_id=found.id if isinstance(found, Run) else None,
        reason=wish.reason,
        timeout=10.0 if wish.timeout is None else wish.timeout,
    )
    names = [run.id for run in runs]
    if wish.wait and asked.answer is None:
        raise DaemonDown("no daemon is there to stop it; the request stays", hint="start it with `jobsctl daemon`")
    word = "cancelled when the daemon starts" if asked.answer is None else "cancelling"
    finish = (lambda: _wait(settings, names, asked.view(), wish)) if wish.wait else None
    return Done(asked.view(), "\n".join(names), [f"run/{name} {word}" for name in names], finish=finish)


def cancel_active(settings: Settings, identity: str, wish: Wish) -> Done:
    """As `cancel`, for a job that had active runs a moment ago: that they ended by themselves is no failure."""
    try:
        return cancel(settings, identity, wish)
    except NothingActive as error:
        view = {"request": None, "outcome": "done", "message": str(error), "job": identity, "run": None}
        return Done(view, "", [f"job/{identity} has no active run any more"])


def _wait(settings: Settings, names: list[str], view: dict[str, Any], wish: Wish) -> Done:
    deadline = None if wish.timeout is None else wish.since + wish.timeout
    runs = [wait_for_end(settings, name, deadline) for name in names]
    return Done(view, "\n".join(names), [f"run/{run.id} {run.state}" for run in runs])
