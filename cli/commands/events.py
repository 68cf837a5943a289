"""`jobsctl events`: what happened, in the order it happened."""

from __future__ import annotations

from functools import cache

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Settings


@click.command("events")
@click.argument("target", required=False, metavar="[JOB|RUN]")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=100, help="The newest so many. Default: 100.")
@click.option("--after", type=click.IntRange(0), metavar="ID", help="The ones after this event, oldest first.")
@click.option("--before", type=click.IntRange(1), metavar="ID", help="The ones before this event.")
@click.option("--warnings", is_flag=True, help="Only warnings.")
@click.pass_obj
def command(
    settings: Settings, target: str | None, limit: int, after: int | None, before: int | None, warnings: bool
) -> int:
    """List what happened to JOB (with its runs) or to RUN; without either, to all. Oldest first.

    \b
    Examples:
      jobsctl events
      jobsctl events report --warnings
      jobsctl events -n 1000 -o jsonl
    """
    from cli.output import print_items
    from cli.reading import reading
    from cli.selection import find_target
    from cli.tables import event_columns
    from state.records import JobRecord, Run
    from status.views import event_view

    if after is not None and before is not None and after >= before:
        raise UsageError("--after is not below --before: no event can fit")
    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target) if target else None
        events = seen.reader.events(
            job_id=found.id if isinstance(found, JobRecord) else None,
            run_id=found.id if isinstance(found, Run) else None,
            after=after or 0,
            before=before,
            limit=limit,
            order="desc" if after is None else "asc",
        )
        if after is None:
            events.reverse()

        @cache
        def identity_of(job_id: int | None) -> str | None:
            job = None if job_id is None else seen.reader.job_by_id(job_id)
            return job.identity if job else None

        shown = [event for event in events if not warnings or event.type == "Warning"]
        if settings.project is not None and found is None:
            shown = [event for event in shown if (identity_of(event.job_id) or "").startswith(f"{settings.project}/")]
        print_items(
            settings,
            shown,
            view=lambda event: event_view(event, identity=identity_of(event.job_id)),
            name=lambda event: f"event/{event.id}",
            columns=event_columns(lambda job_id: identity_of(job_id) or "-"),
            empty="No events." if target is None else f"No events of {target}.",
            more={"next": events[-1].id if events else after},
        )
    return Exit.OK
