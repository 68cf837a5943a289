"""`jobsctl import`: moving in from other systems, one subcommand each.

Light: the subcommand that is called is imported, and it imports its reader when it runs.
"""

from __future__ import annotations

from importlib import import_module

import click

from cli.main import help_asked, no_such, prepared

SYSTEMS = {
    "crontab": "A user's crontab, /etc/crontab, or a file of /etc/cron.d.",
    "systemd": "Timers, with the services they start.",
    "kubernetes": "CronJobs and Jobs, from manifests or kubectl.",
    "yacron": "A yacron configuration, with the files it includes.",
    "term-llm": "Job definitions of term-llm, JSON or YAML.",
}
"""System -> its one line; code in `cli.importing.commands.<system>`, as `command`."""


class SystemGroup(click.Group):
    """Knows the systems by name and one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SYSTEMS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in SYSTEMS:
            return None
        command: click.Command = import_module(f"cli.importing.commands.{name.replace('-', '_')}").command
        return prepared(command, f"import_{name}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, help_asked(ctx, args))
        except click.NoSuchCommand as error:
            raise no_such("system", error.command_name, SYSTEMS, "jobsctl import --help") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Systems"):
            formatter.write_dl(list(SYSTEMS.items()))


@click.command("import", cls=SystemGroup, subcommand_metavar="SYSTEM FILE...")
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
