"""`jobsctl import crontab`."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.importing.options import Choices, shared_options
from cli.options import Settings


@click.command("crontab")
@click.argument("file", metavar="FILE|-")
@click.option("--system", is_flag=True, help="Lines name a user, as in /etc/crontab and /etc/cron.d.")
@click.option("--user", metavar="NAME", help="Whose crontab it is: the jobs run as this user.")
@shared_options
@click.pass_obj
def command(settings: Settings, file: str, system: bool, user: str | None, choices: Choices) -> Exit:
    """Turn a crontab into job files, read as Debian's cron reads it.

    A comment above a line becomes its description, MAILTO a Notifier. Cron starts a job although its last run goes on,
    and gives it a bare environment: the job files say so too. What cronie and others write differently is understood,
    and told.

    \b
    Examples:
      crontab -l | jobsctl import crontab - --timezone Europe/Berlin --check
      jobsctl import crontab /etc/crontab --system --write jobs/
      jobsctl import crontab /var/spool/cron/crontabs/www-data --user www-data
    """
    from cli.errors import UsageError
    from cli.importing.accounts import home_of
    from cli.importing.crontab.reader import read_crontab
    from cli.importing.delivering import deliver, read_sources, reading_sources, zone_of_home

    if system and user is not None:
        raise UsageError("--system and --user exclude each other: with --system each line names its user")
    timezone = choices.timezone or zone_of_home(settings)
    with reading_sources([file]):
        made = read_crontab(
            read_sources([file])[0],
            system=system,
            user=user,
            timezone=timezone,
            timezone_given=choices.timezone is not None,
            home_of=home_of,
        )
    return deliver(settings, choices, made)
