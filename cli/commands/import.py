"""`jobsctl import`: moving in from other systems, one subcommand each.

Light: the subcommand that is called is imported, and it imports its reader when it runs.
"""

from __future__ import annotations

from importlib import import_module

import click

from cli.subcommands import Subcommands

SYSTEMS = {
    "crontab": "A user's crontab, /etc/crontab, or a file of /etc/cron.d.",
    "systemd": "Timers, with the services they start.",
    "kubernetes": "CronJobs and Jobs, from manifests or kubectl.",
    "yacron": "A yacron configuration, with the files it includes.",
    "term-llm": "Job definitions of term-llm, JSON or YAML.",
}
"""System -> its one line; code in `cli.importing.commands.<system>`, as `command`."""


def load(system: str) -> click.Command:
    """The subcommand of one of the systems."""
    command: click.Command = import_module(f"cli.importing.commands.{system.replace('-', '_')}").command
    return command


@click.command("import", cls=Subcommands, kind="system", lines=SYSTEMS, load=load, subcommand_metavar="SYSTEM FILE...")
def command() -> None:
    """Turn another system's jobs into job files.

    The YAML goes to stdout, or with --write into a folder; what could not be carried over, and why, to stderr. --check
    proves, by computing both, that the next 1,000 instants are the same as those of the source's own rule.

    \b
    Examples:
      crontab -l | jobsctl import crontab - --check
      jobsctl import crontab /etc/crontab --system --write jobs/
      jobsctl import systemd backup.timer backup.service
    """
