"""`jobsctl diff`: what the files say that is not applied yet."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.exits import Exit
from cli.options import Settings


@click.command("diff")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.pass_obj
def command(settings: Settings, paths: Sequence[str]) -> int:
    """Compare spec files with what is applied: created, configured, renamed (with the difference), pruned.

    Without PATH: the home's specs, and what is not in them any more. Ends with 0 when there is no difference, 1 when
    there is one, more than 1 when it cannot be told (3: a file has errors). What both leave at its default is left
    out; secrets written in clear are masked. `jobsctl plan` tells more: the next runs, clock changes, what starts anew.

    \b
    Examples:
      jobsctl diff
      jobsctl diff jobs/report.yaml
      jobsctl diff -o name
    """
    from cli.changes import changes_of, known_jobs, print_changes
    from cli.output import say
    from cli.planning.before import asked_about
    from cli.progress import Progress
    from cli.specfiles import check
    from cli.troubles import stop_at_errors

    with Progress("reading the files", typing="-" in paths):
        checked = check(settings, paths)
    stop_at_errors(settings, checked, done="nothing was compared")
    known = known_jobs(settings, asked_about(checked.jobs) if paths else None)
    changes = changes_of(checked.jobs, known, whole=not paths, project=settings.project)
    different = [change for change in changes if change.word != "unchanged"]
    print_changes(settings, different, with_text=True)
    if not different:
        say("No differences.")
    return Exit.FAILED if different else Exit.OK
