"""`jobsctl suspend`: pause a job's schedule, beside its file. `jobsctl resume` ends it."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, timeout_option


@click.command("suspend")
@click.argument("job")
@click.option("--reason", metavar="TEXT", help="Why; shown wherever the job is shown.")
@timeout_option()
@click.pass_obj
def command(settings: Settings, job: str, reason: str | None, timeout: float) -> int:
    """Pause JOB: its slots are recorded as skipped until `jobsctl resume`. A run that is active goes on.

    The pause outlives restarts and edits of the file. `jobsctl trigger` still runs the job.

    \b
    Examples:
      jobsctl suspend report --reason "database moves on Friday"
    """
    from cli.pausing import change_pause
    from state.inbox import RequestKind

    change_pause(settings, RequestKind.SUSPEND, job, "suspended", reason=reason, timeout=timeout)
    return Exit.OK
