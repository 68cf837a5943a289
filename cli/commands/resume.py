"""`jobsctl resume`: end the pause made by `jobsctl suspend`."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, timeout_option


@click.command("resume")
@click.argument("job")
@timeout_option()
@click.pass_obj
def command(settings: Settings, job: str, timeout: float) -> int:
    """End the pause of JOB. Nothing runs at once: its next slot does.

    A pause that the file declares (`suspend: true`) ends by editing the file.

    \b
    Examples:
      jobsctl resume report
    """
    from cli.pausing import change_pause
    from state.inbox import RequestKind

    change_pause(settings, RequestKind.RESUME, job, "resumed", timeout=timeout)
    return Exit.OK
