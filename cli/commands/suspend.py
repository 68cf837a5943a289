"""`jobsctl suspend`: pause a job's schedule, beside its file. `jobsctl resume` ends it."""

from __future__ import annotations

import click

from cli.options import Settings, many_jobs, timeout_option


@click.command("suspend")
@many_jobs()
@click.option("--reason", metavar="TEXT", help="Why; shown wherever the job is shown.")
@timeout_option()
@click.pass_obj
def command(
    settings: Settings, jobs: tuple[str, ...], labels: tuple[str, ...], yes: bool, reason: str | None, timeout: float
) -> int:
    """Pause JOB: its slots are recorded as skipped until `jobsctl resume`. A run that is active goes on.

    The pause outlives restarts and edits of the file. `jobsctl trigger` still runs the job.

    \b
    Examples:
      jobsctl suspend report --reason "database moves on Friday"
      jobsctl suspend -l team=data
    """
    from cli.pausing import change_pauses
    from state.inbox import RequestKind

    return change_pauses(
        settings, RequestKind.SUSPEND, jobs, labels, "suspended", yes=yes, reason=reason, timeout=timeout
    )
