"""`jobsctl silence`: notify nobody of a job for a while; list silences, and end them."""

from __future__ import annotations

import click

from cli.errors import UsageError
from cli.options import Settings, Span, many_jobs, timeout_option


@click.command("silence")
@many_jobs()
@click.option("--for", "length", type=Span(), metavar="DURATION", help="How long, from now: 30m, 2h, 3d.")
@click.option("--reason", metavar="TEXT", help="Why; shown wherever the silence is shown.")
@click.option("-a", "--all", "everything", is_flag=True, help="All jobs, also those to come.")
@click.option("--end", "ending", is_flag=True, help="End the silence of JOB before its time.")
@click.option("--list", "listing", is_flag=True, help="List the silences that hold; with --server too.")
@timeout_option()
@click.pass_obj
def command(
    settings: Settings,
    jobs: tuple[str, ...],
    labels: tuple[str, ...],
    yes: bool,
    length: float | None,
    reason: str | None,
    everything: bool,
    ending: bool,
    listing: bool,
    timeout: float,
) -> int:
    """Notify nobody of JOB for a while. It runs as ever, and callbacks are sent.

    At the end of the time it is told what is still so: that a job fails, or that it has recovered from what was told
    before. What else happened meanwhile is not told.

    \b
    Examples:
      jobsctl silence report --for 2h --reason "database moves"
      jobsctl silence -l team=data --for 30m
      jobsctl silence --all --for 1h --reason "the network is rewired"
      jobsctl silence --list
      jobsctl silence report --end
    """
    from cli.silencing import end_silences, list_silences, silence_jobs

    if listing:
        if jobs or labels or everything or ending or length is not None or reason:
            raise UsageError("--list stands alone: it shows all silences that hold")
        return list_silences(settings)
    if settings.server is not None:
        raise UsageError(
            "with --server silences can be listed, not made or ended",
            hint="call it on the daemon's machine, or add --list",
        )
    if everything and (jobs or labels):
        raise UsageError("--all means every job: leave it out, or the names and labels")
    if ending:
        if length is not None or reason:
            raise UsageError("--end ends a silence: it takes neither --for nor --reason")
        return end_silences(settings, jobs, labels, everything=everything, yes=yes, timeout=timeout)
    if length is None:
        raise UsageError(
            "for how long? Give it with --for", hint="like `jobsctl silence report --for 2h --reason TEXT`"
        )
    return silence_jobs(
        settings, jobs, labels, everything=everything, yes=yes, seconds=length, reason=reason, timeout=timeout
    )
