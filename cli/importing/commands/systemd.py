"""`jobsctl import systemd`."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.importing.options import Choices, shared_options
from cli.options import Settings


@click.command("systemd")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@shared_options
@click.pass_obj
def command(settings: Settings, files: tuple[str, ...], choices: Choices) -> Exit:
    """Turn timers, with the services they start, into job files.

    Name .timer and .service files, and drop-ins (backup.timer.d/*.conf). The service beside a timer is found by itself.
    A service that no timer starts becomes a job that runs when triggered.

    \b
    Examples:
      jobsctl import systemd /etc/systemd/system/backup.timer --check
      jobsctl import systemd *.timer *.service --timezone Europe/Berlin --write jobs/
    """
    from cli.importing.accounts import home_of
    from cli.importing.delivering import deliver, read_sources, reading_sources, zone_of_home
    from cli.importing.systemd.beside import with_services
    from cli.importing.systemd.reader import read_systemd

    timezone = choices.timezone or zone_of_home(settings)
    with reading_sources(files):
        sources = with_services(read_sources(files))
        made = read_systemd(sources, timezone=timezone, timezone_given=choices.timezone is not None, home_of=home_of)
    return deliver(settings, choices, made)
