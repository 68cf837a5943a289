"""`jobsctl logs`: what a run wrote, byte for byte; on a terminal with control characters written out."""

from __future__ import annotations

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Instant, Settings


@click.command("logs")
@click.argument("target", metavar="JOB|RUN")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run is over.")
@click.option(
    "--since", type=Instant(), metavar="TIME", help="What was written since: RFC 3339, or 10m for 10 min ago."
)
@click.option("--until", type=Instant(), metavar="TIME", help="What was written until then.")
@click.option("-n", "--tail", type=click.IntRange(0), metavar="N", help="The last N lines only, before --grep.")
@click.option("--grep", metavar="PATTERN", help="Only lines in which this regular expression is found.")
@click.option(
    "--stream",
    type=click.Choice(["stdout", "stderr"]),
    help="Only this one, where the spec keeps streams apart. Default: each goes to its own.",
)
@click.pass_obj
def command(
    settings: Settings,
    target: str,
    follow: bool,
    since: int | None,
    until: int | None,
    tail: int | None,
    grep: str | None,
    stream: str | None,
) -> int:
    """Print the output of RUN, or of the newest run of JOB that was started; with --follow, of its newest.

    Into a pipe or file the bytes are exactly what the job wrote. Times are as exact as the log was sampled.

    \b
    Examples:
      jobsctl logs report
      jobsctl logs -f report
      jobsctl logs report --since 10m --grep ERROR
      jobsctl logs 01m7yjkbshspfz7aw3dyetqhqa --stream stderr > errors.txt
    """
    from cli.logprint import Wanted, print_log
    from cli.output import say
    from cli.reading import reading
    from cli.selection import find_target, latest_run, latest_tried
    from state.records import Run

    if follow and until is not None:
        raise UsageError("--follow goes on to the end of the run, so it has no --until")
    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until: nothing was written then")
    if settings.output != "table":
        say("note: logs are printed as the job wrote them; -o changes nothing")
    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target)
        newest = latest_run if follow else latest_tried
        run = found if isinstance(found, Run) else newest(seen.reader, found)
        wanted = Wanted(since=since, until=until, tail=tail, pattern=grep, stream=stream, follow=follow)
        print_log(seen, run, wanted)
    return Exit.OK
