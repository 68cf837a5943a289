"""`jobsctl run`: the whole story of one run."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, watchable


@click.command("run")
@click.argument("target", metavar="RUN|JOB")
@watchable
@click.pass_obj
def command(settings: Settings, target: str) -> int:
    """Tell all that is known of RUN (its id or the beginning of it), or of the newest run of JOB, with its events.

    With --watch until that run is over.

    \b
    Examples:
      jobsctl run report
      jobsctl run 01m7yjkbshspfz7aw3dyetqhqa
      jobsctl run report -o json
    """
    from cli.output import print_one
    from cli.reading import reading
    from cli.runstory import run_lines
    from cli.selection import find_target, latest_run
    from state.records import TERMINAL_STATES, Run
    from status.views import event_view, run_view

    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target)
        run = found if isinstance(found, Run) else latest_run(seen.reader, found)
        events = seen.reader.events(run_id=run.id, limit=10_000)
        view = {**run_view(run), "events": [event_view(event, identity=run.identity) for event in events]}
        print_one(settings, view, name=f"run/{run.id}", text=run_lines(seen, run, events))
        settings.over = run.state in TERMINAL_STATES
    return Exit.OK
