"""`jobsctl list`: the jobs, one line each."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, watchable

PHASES = ("pending", "active", "in_progress", "blocked", "suspended", "completed", "failed", "cancelled", "archived")
"""`status.phase.Phase`, spelled out so that `--help` needs not load it; a test compares."""

ORDERS = ("name", "phase", "last", "next", "failures")
"""Of `--sort-by`."""


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
    from cli.output import print_items
    from cli.reading import reading
    from cli.tables import job_columns, sort_jobs
    from status.deadline import read_spec
    from status.phase import Phase, phase_of

    wanted = {Phase(phase) for phase in phases}
    with reading(settings) as seen:
        archived = None if everything or Phase.ARCHIVED in wanted else False
        jobs = seen.reader.jobs(project=settings.project, labels=labels, archived=archived)
        if wanted:
            jobs = [job for job in jobs if phase_of(job) in wanted]
        if settings.output in ("json", "jsonl", "yaml"):
            seen.fetch_last_runs(jobs)
        else:
            seen.fetch_last_runs(job for job in jobs if phase_of(job) is Phase.BLOCKED)
        jobs = sort_jobs(jobs, order)
        chosen = bool(labels or phases or settings.project)
        print_items(
            settings,
            jobs,
            view=seen.view,
            name=lambda job: f"job/{job.identity}",
            columns=job_columns(
                seen.now,
                seen.words,
                lambda job: read_spec(job.spec).description,
                source_problem=seen.source_problem,
                last_run=seen.last_run,
            ),
            empty="No job fits."
            if chosen
            else "No jobs yet. Put a spec into the jobs folder: `jobsctl init` shows one.",
        )
    return Exit.OK
