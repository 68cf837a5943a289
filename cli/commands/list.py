"""`jobsctl list`: the jobs, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.exits import Exit
from cli.options import Settings, watchable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from state.records import JobRecord

PHASES = ("pending", "active", "in_progress", "blocked", "suspended", "completed", "failed", "cancelled", "archived")
"""`status.phase.Phase`, spelled out so that `--help` needs not load it; a test compares."""

ORDERS = ("name", "phase", "last", "next", "failures")
"""Of `--sort-by`."""
NO_JOBS = "No jobs yet. Put a file into the jobs folder: `jobsctl explain job` tells what stands in it."


@click.command("list")
@click.option(
    "-l", "--label", "labels", multiple=True, metavar="SELECTOR", help="As kubectl: team=ops, team!=ops, team, !team."
)
@click.option("--phase", "phases", multiple=True, type=click.Choice(PHASES), help="Only jobs in this phase.")
@click.option("-a", "--all", "everything", is_flag=True, help="Archived jobs too: those no file defines any more.")
@click.option(
    "--sort-by", "order", type=click.Choice(ORDERS), default="name", help="Order: last run newest first, next soonest."
)
@watchable
@click.pass_obj
def command(settings: Settings, labels: tuple[str, ...], phases: tuple[str, ...], everything: bool, order: str) -> int:
    """List jobs: schedule, phase, last and next run.

    \b
    Examples:
      jobsctl list
      jobsctl list --phase failed --sort-by last
      jobsctl list -l team=data -o wide
      jobsctl list -o json
    """
    from cli.output import print_pages
    from cli.reading import reading
    from cli.selection import nothing_there
    from cli.tables import job_columns, sort_jobs, waits
    from status.deadline import read_spec

    with reading(settings) as seen:
        archived = None if everything or "archived" in phases else False
        whole = settings.output in ("json", "jsonl", "yaml")

        def pages() -> Iterator[list[JobRecord]]:
            for page in seen.pages(project=settings.project, labels=labels, archived=archived, phases=phases):
                seen.fetch_last_runs(job for job in page if whole or waits(job))
                yield page

        longest = seen.reader.longest_identity(project=settings.project, labels=labels, archived=archived)
        print_pages(
            settings,
            pages() if order == "name" else [sort_jobs([job for page in pages() for job in page], order)],
            view=seen.view,
            name=lambda job: f"job/{job.identity}",
            widths=[] if phases else [longest],
            columns=job_columns(
                seen.now,
                seen.words,
                lambda job: read_spec(job.spec).description,
                source_problem=seen.source_problem,
                last_run=seen.last_run,
            ),
            empty=nothing_there(
                seen.reader, settings.project, "No job fits." if labels or phases or settings.project else NO_JOBS
            ),
        )
    return Exit.OK
