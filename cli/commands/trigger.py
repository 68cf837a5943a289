"""`jobsctl trigger`: run a job now; with `--wait`, until it is over."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, Span, many_jobs


@click.command("trigger")
@many_jobs()
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
    settings: Settings,
    jobs: tuple[str, ...],
    labels: tuple[str, ...],
    yes: bool,
    params: tuple[str, ...],
    reason: str | None,
    wait: bool,
    timeout: float | None,
) -> int:
    """Run JOB now, beside its schedule. Prints the run's id.

    With no daemon running it is run when one starts. A run that may not start yet (its pool is full, the run before is
    active) waits: `jobsctl why JOB` says what for.

    \b
    Examples:
      jobsctl trigger report
      jobsctl trigger report --param day=2026-11-20 --param format=pdf
      jobsctl trigger report --wait --timeout 10m && echo done
      jobsctl trigger -l team=data --wait
      jobsctl logs -f $(jobsctl trigger report -o name)
    """
    from cli.bulk import agreed, carry_out, chosen
    from cli.params import read_params
    from cli.triggering import Wish, trigger

    names = chosen(settings, jobs, labels)
    several = bool(labels) or len(names) > 1
    wish = Wish(read_params(params), reason, wait, timeout, settings.clock.monotonic(), several)
    if labels and not agreed("Trigger", names, severe=False, yes=yes):
        return Exit.REFUSED
    return carry_out(settings, names, lambda name: trigger(settings, name, wish), several=several)
