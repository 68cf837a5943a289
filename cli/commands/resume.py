"""`jobsctl resume`: end the pause made by `jobsctl suspend`."""

from __future__ import annotations

import click

from cli.options import Settings, many_jobs, timeout_option


@click.command("resume")
@many_jobs()
@timeout_option()
@click.pass_obj
def command(settings: Settings, jobs: tuple[str, ...], labels: tuple[str, ...], yes: bool, timeout: float) -> int:
    """End the pause of JOB. Nothing runs at once: its next slot does.

    A pause that the file declares (`suspend: true`) ends by editing the file.

    \b
    Examples:
      jobsctl resume report
      jobsctl resume -l team=data
    """
    from cli.pausing import change_pauses
    from state.inbox import RequestKind

    return change_pauses(settings, RequestKind.RESUME, jobs, labels, "resumed", yes=yes, timeout=timeout)
