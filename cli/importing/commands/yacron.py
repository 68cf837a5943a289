"""`jobsctl import yacron`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.exits import Exit
from cli.importing.options import Choices, shared_options
from cli.options import Settings

if TYPE_CHECKING:
    from cli.importing.imported import SourceText


@click.command("yacron")
@click.argument("files", metavar="FILE|-...", nargs=-1, required=True)
@shared_options
@click.pass_obj
def command(settings: Settings, files: tuple[str, ...], choices: Choices) -> Exit:
    """Turn yacron's configuration into job files.

    Files that are included, and files of variables, are read too. yacron starts a job although its last run goes on,
    wants both of two day fields, and follows the wall clock when that is moved: the job files say so too.

    \b
    Examples:
      jobsctl import yacron /etc/yacron.d/*.yaml --check
      jobsctl import yacron yacrontab.yaml --write jobs/ --timezone Europe/Berlin
    """
    from cli.importing.delivering import deliver, read_sources, reading_sources, zone_of_home
    from cli.importing.yacron.reader import read_yacron

    local = choices.timezone or zone_of_home(settings)
    with reading_sources(files):
        made = read_yacron(read_sources(files), local=local, local_given=choices.timezone is not None, load=_load)
    return deliver(settings, choices, made)


def _load(path: str) -> SourceText | None:
    from cli.errors import CliError
    from cli.importing.delivering import read_sources

    try:
        return read_sources([path])[0] if Path(path).is_file() else None
    except (CliError, OSError, ValueError):  # no file of this name, or no file can have it
        return None
