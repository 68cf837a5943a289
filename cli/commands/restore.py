"""`jobsctl restore`: put a backup in the place of the state."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings


@click.command("restore")
@click.argument("file", type=click.Path())
@click.option("--force", is_flag=True, help="Also where there is a state already; that one is kept aside.")
@click.pass_obj
def command(settings: Settings, file: str, force: bool) -> int:
    """Put the backup FILE in the place of the state of the home. The daemon must be stopped.

    All of it is checked before anything is touched, and the old state is kept beside the new one. Slots between the
    backup and now are missed slots: each job's `missed` decides, by default one run for the latest.

    \b
    Examples:
      jobsctl restore /backups/jobsctl.tar.gz --force
      jobsctl --home /srv/new restore /backups/jobsctl.tar.gz
    """
    from pathlib import Path

    from cli.backups import backup_view, restore, restored_lines
    from cli.errors import NotFound
    from cli.output import print_one, say

    home = settings.home
    if not Path(file).is_file():
        raise NotFound(f"{file}: no such file", hint="name a file made by `jobsctl backup`")
    manifest, aside = restore(settings, Path(file), force=force)
    view = {
        **backup_view(Path(file), manifest),
        "home": str(home.root),
        "before": None if aside is None else str(aside),
    }
    print_one(settings, view, name=str(home.state), text=[f"{home.state} restored from {file}"])
    if settings.output in ("table", "wide"):
        for line in restored_lines(home, manifest, aside, settings.now()):
            say(line)
    return Exit.OK
