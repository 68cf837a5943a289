"""`jobsctl cancel`: stop a run, or the active runs of a job."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, Span


@click.command("cancel")
@click.argument("target", metavar="RUN|JOB")
@click.option("--reason", metavar="TEXT", help="Why; kept with the request.")
@click.option("--wait", is_flag=True, help="Wait until it is over.")
@click.option(
    "--timeout",
    type=Span(),
    metavar="DURATION",
    help="How long to wait: for the daemon's answer (default 10s), with --wait for the end (default: no limit).",
)
@click.pass_obj
def command(settings: Settings, target: str, reason: str | None, wait: bool, timeout: float | None) -> int:
    """Stop RUN, or every active run of JOB: TERM to the whole tree, KILL after the job's grace.

    \b
    Examples:
      jobsctl cancel report
      jobsctl cancel 01m7yjkbshspfz7aw3dyetqhqa --wait
    """
    from cli.asking import ask
    from cli.errors import DaemonDown, Refused
    from cli.output import print_one, say
    from cli.reading import reading
    from cli.selection import find_target
    from cli.waiting import wait_for_end
    from state.inbox import RequestKind
    from state.records import TERMINAL_STATES, Run

    deadline = None if timeout is None else settings.clock.monotonic() + timeout
    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target)
        if isinstance(found, Run):
            if found.state in TERMINAL_STATES:
                raise Refused(f"run {found.id} is over: it {found.state}", hint=f"`jobsctl run {found.id}` tells how")
            runs = [found]
        else:
            runs = seen.reader.runs(job_id=found.id, active=True, limit=10_000)
            if not runs:
                raise Refused(f"{found.identity} has no active run", hint=f"`jobsctl runs {found.identity}` lists them")
    asked = ask(
        settings,
        RequestKind.CANCEL,
        identity=found.identity,
        run_id=found.id if isinstance(found, Run) else None,
        reason=reason,
        timeout=10.0 if timeout is None else timeout,
    )
    names = [run.id for run in runs]
    if wait and asked.answer is None:
        raise DaemonDown("no daemon is there to stop it; the request stays", hint="start it with `jobsctl daemon`")
    word = "cancelled when the daemon starts" if asked.answer is None else "cancelling"
    if wait:
        for name in names:
            run = wait_for_end(settings, name, deadline)
            say(f"run {name} {run.state}")
        word = "cancelled"
    print_one(settings, asked.view(), name="\n".join(names), text=[f"run/{name} {word}" for name in names])
    return Exit.OK
