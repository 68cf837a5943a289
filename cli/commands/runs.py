"""`jobsctl runs`: what ran, newest first."""

from __future__ import annotations

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Instant, Settings, watchable

STATES = ("pending", "blocked", "running", "succeeded", "failed", "cancelled", "expired", "skipped")
"""`state.records.RunState`, spelled out so that `--help` needs not load it; a test compares."""


@click.command("runs")
@click.argument("job", required=False)
@click.option("--status", "states", multiple=True, type=click.Choice(STATES), help="Only runs in this state.")
@click.option("--active", is_flag=True, help="Only runs that are not over.")
@click.option("--since", type=Instant(), metavar="TIME", help="Made at or after: RFC 3339, or 2h for 2 h ago.")
@click.option("--until", type=Instant(), metavar="TIME", help="Made before.")
@click.option("-l", "--label", "labels", multiple=True, metavar="SELECTOR", help="Only runs of jobs with this label.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, help="At most so many. Default: 20.")
@click.option("--before", metavar="RUN", help="Only runs older than this one: the next page.")
@click.option("--after", metavar="RUN", help="Only runs newer than this one.")
@click.option("--oldest-first", is_flag=True, help="The oldest ones, in the order they were made.")
@watchable
@click.pass_obj
def command(
    settings: Settings,
    job: str | None,
    states: tuple[str, ...],
    active: bool,
    since: int | None,
    until: int | None,
    labels: tuple[str, ...],
    limit: int,
    before: str | None,
    after: str | None,
    oldest_first: bool,
) -> int:
    """List runs of JOB, or of all jobs, newest first. Slots that did not run are there too, as `skipped`.

    \b
    Examples:
      jobsctl runs
      jobsctl runs report --status failed --since 7d
      jobsctl runs --active
      jobsctl runs -n 100 -o jsonl
    """
    from cli.output import print_items, say
    from cli.reading import reading
    from cli.selection import find_job
    from cli.tables import run_columns
    from state.records import RunState
    from status.views import run_view

    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until: no run can fit")
    if job is not None and labels:
        raise UsageError("--label chooses among jobs, and a job is named already")
    with reading(settings) as seen:
        record = find_job(settings, seen.reader, job) if job else None
        runs = seen.reader.runs(
            job_id=record.id if record else None,
            project=settings.project if record is None else None,
            labels=labels,
            states=[RunState(state) for state in states] or None,
            active=True if active else None,
            since=since,
            until=until,
            before=seen.reader.run(before).id if before else None,
            after=seen.reader.run(after).id if after else None,
            limit=limit + 1,
            order="asc" if oldest_first else "desc",
        )
        more = len(runs) > limit
        runs = runs[:limit]
        print_items(
            settings,
            runs,
            view=run_view,
            name=lambda run: f"run/{run.id}",
            columns=run_columns(seen.now),
            empty="No run fits." if _chosen(states, active, since, until, labels) else "No runs yet.",
            more={"next": runs[-1].id if more else None},
        )
    if more and settings.output in ("table", "wide"):
        say(f"There are more: --{'after' if oldest_first else 'before'} {runs[-1].id}")
    return Exit.OK


def _chosen(*filters: object) -> bool:
    return any(filters)
