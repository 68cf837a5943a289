"""`jobsctl runs`: what ran, newest first."""

from __future__ import annotations

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Instant, Settings, Span, watchable

STATES = ("pending", "blocked", "running", "succeeded", "failed", "cancelled", "expired", "skipped")
"""`state.records.RunState`, spelled out so that `--help` needs not load it; a test compares."""


TRIGGERS = ("schedule", "manual", "retry", "dependency", "catch_up", "boot", "api")
"""`state.records.Trigger`, likewise."""
ORDERS = ("started", "duration", "cpu", "memory", "output", "job", "state")
"""Of `--sort-by`."""


@click.command("runs")
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option(
    "--state", "--status", "states", multiple=True, type=click.Choice(STATES), help="Only runs in this state."
)
@click.option("--active", is_flag=True, help="Only runs that run, or wait.")
@click.option("--reason", "reasons", multiple=True, metavar="REASON", help="Only with this reason: timeout, oom, ...")
@click.option("--trigger", "triggers", multiple=True, type=click.Choice(TRIGGERS), help="Only runs with this trigger.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Only the N-th attempts of their slots.")
@click.option("--longer-than", type=Span(), metavar="DURATION", help="Only runs that took, or are taking, this long.")
@click.option("--since", type=Instant(), metavar="TIME", help="Made at or after: RFC 3339, or 2h for 2 h ago.")
@click.option("--until", type=Instant(), metavar="TIME", help="Made before.")
@click.option("-l", "--label", "labels", multiple=True, metavar="SELECTOR", help="Only runs of jobs with this label.")
@click.option(
    "-n", "--limit", type=click.IntRange(1, 10_000), metavar="N", default=20, help="At most so many. Default: 20."
)
@click.option("--before", metavar="RUN", help="Only runs older than this one: the next page.")
@click.option("--after", metavar="RUN", help="Only runs newer than this one.")
@click.option("--oldest-first", is_flag=True, help="The oldest ones, in the order they were made.")
@click.option("--sort-by", "order", type=click.Choice(ORDERS), help="Order of those shown; numbers largest first.")
@click.option("--all", "everything", is_flag=True, help="All there are, as a stream: with -o jsonl or -o name.")
@watchable
@click.pass_obj
def command(
    settings: Settings,
    jobs: tuple[str, ...],
    states: tuple[str, ...],
    active: bool,
    reasons: tuple[str, ...],
    triggers: tuple[str, ...],
    attempt: int | None,
    longer_than: float | None,
    since: int | None,
    until: int | None,
    labels: tuple[str, ...],
    limit: int,
    before: str | None,
    after: str | None,
    oldest_first: bool,
    order: str | None,
    everything: bool,
) -> int:
    """List runs of JOBs, or of all jobs, newest first. Slots that did not run are there too, as `skipped`.

    Options that choose must all hold; one given twice means either. With --watch, runs that are new or changed.

    \b
    Examples:
      jobsctl runs
      jobsctl runs report --state failed --since 7d
      jobsctl runs --active --longer-than 1h
      jobsctl runs --reason timeout --reason oom --sort-by duration
      jobsctl runs --all --since 30d -o jsonl | wc -l
    """
    from cli.output import print_items, say
    from cli.reading import reading
    from cli.runlisting import Page, read_reasons, sort_runs, stream
    from cli.selection import find_job, nothing_there
    from cli.tables import run_columns
    from state.records import RunState, Trigger
    from status.views import run_view

    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until: no run can fit")
    if jobs and labels:
        raise UsageError("--label chooses among jobs, and a job is named already")
    if everything:
        _check_stream(settings)
    with reading(settings) as seen:
        records = [find_job(settings, seen.reader, job) for job in jobs]
        page = Page(
            job_ids=[record.id for record in records if record.id is not None] if jobs else None,
            project=settings.project if not jobs else None,
            labels=labels,
            states=[RunState(state) for state in states] or None,
            active=True if active else None,
            reasons=read_reasons(reasons) or None,
            triggers=[Trigger(trigger) for trigger in triggers] or None,
            attempt=attempt,
            longer_than=None if longer_than is None else round(longer_than * 1_000_000),
            since=since,
            until=until,
            before=seen.reader.run(before).id if before else None,
            after=seen.reader.run(after).id if after else None,
            order="asc" if oldest_first else "desc",
        )
        if everything:
            stream(settings, seen, page)
            return Exit.OK
        runs, last = page.read(seen, limit)
        print_items(
            settings,
            runs if order is None else sort_runs(runs, order, seen.now),
            view=run_view,
            name=lambda run: f"run/{run.id}",
            columns=run_columns(seen.now),
            empty=nothing_there(seen.reader, page.project, "No run fits." if page.chooses else "No runs yet."),
            more={"next": last},
        )
    if last is not None and settings.output in ("table", "wide"):
        option, kind = ("--after", "newer") if oldest_first else ("--before", "older")
        say(f"There are more: `{option} {last}` shows {kind} ones.")
        if order is not None:
            say(f"Only these {limit} were sorted: `-n 10000` looks at more of them.")
    return Exit.OK


def _check_stream(settings: Settings) -> None:
    """Refuse what makes no sense with all runs."""
    given = click.get_current_context().get_parameter_source
    if settings.output not in ("jsonl", "name"):
        raise UsageError("--all is a stream without end in sight", hint="add -o jsonl, or -o name for the ids")
    for name, option in (("limit", "--limit"), ("order", "--sort-by"), ("watch", "--watch")):
        if given(name) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"--all lists all runs in the order they were made: it has no {option}")
