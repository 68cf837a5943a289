"""`jobsctl cancel`: stop runs: one, the active ones of jobs, or all."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, Span, many_jobs

CANCELS = "Their programs are ended: TERM to the whole tree, KILL after the job's grace."


@click.command("cancel")
@many_jobs("RUN|JOB")
@click.option("-a", "--all", "everything", is_flag=True, help="Every active run, of -p PROJECT if given.")
@click.option("--reason", metavar="TEXT", help="Why; kept with the request.")
@click.option("--wait", is_flag=True, help="Wait until it is over.")
@click.option(
    "--timeout",
    type=Span(),
    metavar="DURATION",
    help="How long to wait: for the daemon's answer (default 10s), with --wait for the end (default: no limit).",
)
@click.pass_obj
def command(
    settings: Settings,
    jobs: tuple[str, ...],
    labels: tuple[str, ...],
    yes: bool,
    everything: bool,
    reason: str | None,
    wait: bool,
    timeout: float | None,
) -> int:
    """Stop RUN, or every active run of JOB: TERM to the whole tree, KILL after the job's grace.

    \b
    Examples:
      jobsctl cancel report
      jobsctl cancel 01m7yjkbshspfz7aw3dyetqhqa --wait
      jobsctl cancel -l team=data
      jobsctl cancel --all --yes
    """
    from cli.bulk import agreed, carry_out, chosen
    from cli.cancelling import Wish, active_jobs, cancel, cancel_active
    from cli.errors import UsageError
    from cli.output import say

    wish = Wish(reason, wait, timeout, settings.clock.monotonic())
    if everything and (jobs or labels):
        raise UsageError("--all stops everything: name no runs or labels beside it")
    if not (everything or labels):
        names = chosen(settings, jobs, labels)
        return carry_out(settings, names, lambda name: cancel(settings, name, wish), several=len(names) > 1)
    names = active_jobs(settings, labels)
    if not names:
        say("There are no active runs.")
    elif not agreed("Cancel the active runs of", names, severe=everything, yes=yes, note=CANCELS):
        return Exit.REFUSED
    return carry_out(settings, names, lambda name: cancel_active(settings, name, wish), several=True)
