"""`jobsctl backup`: save history and schedules into one file, while the daemon works."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, refuse_empty


@click.command("backup")
@click.argument("file", type=click.Path())
@click.option("--runs", "with_runs", is_flag=True, help="Output, results and files of the runs too.")
@click.option("--verify", is_flag=True, help="Make none: check the one that is there, whole.")
@click.pass_obj
def command(settings: Settings, file: str, with_runs: bool, verify: bool) -> int:
    """Save the state into FILE (.tar.gz), or into a folder under a name with the time in it. Verified before it counts.

    The database has all runs, schedules, pauses and events. Specs and jobsctl.yaml are not in it: they are in git; the
    backup says at which revision they were. Keep it closed to others: it may tell what jobs print.

    \b
    Examples:
      jobsctl backup /backups/
      jobsctl backup --runs /backups/jobsctl.tar.gz
      jobsctl backup --verify /backups/jobsctl.tar.gz
    """
    from pathlib import Path

    import jobsctl
    from cli.backups import backup_name, backup_view, size_words
    from cli.errors import NotFound, UsageError
    from cli.output import print_one
    from cli.progress import Progress
    from state.archive import unpack
    from state.backup import make_backup

    refuse_empty([file])
    target = Path(file)
    if verify:
        if with_runs:
            raise UsageError("--runs is for making a backup, --verify for checking one")
        if not target.is_file():
            raise NotFound(f"{file}: no such file", hint="name a file made by `jobsctl backup`")
        with Progress("checking the backup"):
            manifest = unpack(target, None)
        text = f"{target} is whole: {size_words(manifest)}"
    else:
        home = settings.existing_home()
        now = settings.now()
        if target.is_dir():
            target /= backup_name(now)
        if not target.parent.is_dir():
            raise NotFound(f"{target.parent}: no such folder", hint="make it first; it should be closed to others")
        if target.exists() and not target.is_file():
            raise UsageError(f"{target} is not a regular file")
        with Progress() as tell:
            manifest = make_backup(home, target, now=now, version=jobsctl.__version__, with_runs=with_runs, tell=tell)
        text = f"{target}: {size_words(manifest)}"
    print_one(settings, backup_view(target, manifest), name=str(target), text=[text])
    return Exit.OK
