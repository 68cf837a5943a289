"""`jobsctl trigger`: run a job now; with `--wait`, until it is over."""

from __future__ import annotations

import click

from cli.errors import DaemonDown
from cli.exits import Exit
from cli.options import Settings, Span


@click.command("trigger")
@click.argument("job")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="An input that the job's `params` declare; repeatable.",
)
@click.option("--reason", metavar="TEXT", help="Why; kept with the request.")
@click.option(
    "--wait", is_flag=True, help="Wait until the run, or its last attempt, is over; end with 1 when it did not succeed."
)
@click.option(
    "--timeout",
    type=Span(),
    metavar="DURATION",
    help="How long to wait: for the daemon's answer (default 10s), with --wait for the end (default: no limit).",
)
@click.pass_obj
def command(
    settings: Settings, job: str, params: tuple[str, ...], reason: str | None, wait: bool, timeout: float | None
) -> int:
    """Run JOB now, beside its schedule. Prints the run's id.

    With no daemon running it is run when one starts. A run that may not start yet (its pool is full, the run before is
    active) waits: `jobsctl why JOB` says what for.

    \b
    Examples:
      jobsctl trigger report
      jobsctl trigger report --param day=2026-11-20 --param format=pdf
      jobsctl trigger report --wait --timeout 10m && echo done
      jobsctl logs -f $(jobsctl trigger report -o name)
    """
    from cli.asking import ask
    from cli.output import print_one, say
    from cli.params import check_params, read_params
    from cli.selection import job_to_change
    from cli.waiting import tell_end, wait_for_last_attempt
    from specs.model import Job
    from state.inbox import RequestKind
    from status.views import run_view

    deadline = None if timeout is None else settings.clock.monotonic() + timeout
    given = read_params(params)
    identity, spec = job_to_change(settings, job)
    check_params(identity, given, Job.from_canonical(spec).params)
    asked = ask(
        settings,
        RequestKind.TRIGGER,
        identity=identity,
        reason=reason,
        params={"params": given} if given else None,
        timeout=10.0 if timeout is None else timeout,
    )
    run_id = asked.answer.run_id if asked.answer else None
    if run_id is None:
        if wait:
            raise DaemonDown(
                f"nobody can run {identity} now; the request stays", hint="start the daemon with `jobsctl daemon`"
            )
        if settings.output != "name":
            print_one(settings, asked.view(), name="", text=[f"job/{identity} runs when the daemon starts"])
        return Exit.OK
    if not wait:
        print_one(settings, asked.view(), name=run_id, text=[run_id])
        return Exit.OK
    if settings.output in ("table", "wide"):
        say(f"run {run_id}: waiting for its end (Ctrl-C stops waiting, not the run)")
    run = wait_for_last_attempt(settings, run_id, deadline)
    print_one(settings, run_view(run), name=run.id, text=[run.id])
    return tell_end(run)
