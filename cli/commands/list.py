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
    from cli.output import print_items, print_pages
    from cli.reading import reading
    from cli.selection import nothing_there
    from cli.tables import job_columns, waits

    project = settings.project
    with reading(settings) as seen:
        archived = None if everything or "archived" in phases else False
        otherwise = "No job fits." if labels or phases or project else NO_JOBS
        empty = nothing_there(seen.reader, project, otherwise)
        if settings.output == "name" and order == "name" and settings.changes is None:
            names = seen.reader.identities(project=project, labels=labels, archived=archived, phases=phases)
            print_items(
                settings,
                names,
                view=lambda name: {"job": name},
                name=lambda name: f"job/{name}",
                columns=(),
                empty=empty,
            )
            return Exit.OK
        whole = settings.output in ("json", "jsonl", "yaml")

        def pages() -> Iterator[list[JobRecord]]:
            for page in seen.pages(order, project=project, labels=labels, archived=archived, phases=phases):
                seen.fetch_last_runs(job for job in page if whole or waits(job))
                yield page

        print_pages(
            settings,
            pages(),
            view=seen.view,
            name=lambda job: f"job/{job.identity}",
            widths=[]
            if phases or whole
            else [seen.reader.longest_identity(project=project, labels=labels, archived=archived)],
            columns=job_columns(
                seen.now, seen.words, _description, source_problem=seen.source_problem, last_run=seen.last_run
            ),
            empty=empty,
        )
    return Exit.OK


def _description(job: JobRecord) -> str:
    from status.deadline import read_spec

    return read_spec(job.spec).description
