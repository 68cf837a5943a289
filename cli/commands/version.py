"""`jobsctl version`: what to write into a bug report."""

from __future__ import annotations

import platform
import sqlite3

import click

from cli.exits import Exit
from cli.options import Settings
from cli.output import print_one
from jobsctl import __version__


@click.command("version")
@click.pass_obj
def command(settings: Settings) -> int:
    """Say which jobsctl, Python and SQLite this is.

    \b
    Examples:
      jobsctl version
      jobsctl version -o json
    """
    facts = {
        "jobsctl": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
    }
    print_one(settings, facts, name=__version__, text=[f"{key} {value}" for key, value in facts.items()])
    return Exit.OK
