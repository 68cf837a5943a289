"""`jobsctl describe`: all that is declared and known of a job, or the story of a run."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, watchable


@click.command("describe")
@click.argument("target", metavar="JOB|RUN")
@watchable
@click.pass_obj
def command(settings: Settings, target: str) -> int:
    """Tell all that is known of JOB: how it is, its policies in words, what it takes and what it depends on.

    Of RUN: its whole story, as `jobsctl run`.

    \b
    Examples:
      jobsctl describe report
      jobsctl describe 01m7yjkbshspfz7aw3dyetqhqa
    """
    from cli.description import description_lines
    from cli.output import print_one
    from cli.reading import reading
    from cli.runstory import run_lines
    from cli.selection import find_target
    from state.records import Run
    from status.views import event_view, run_view

    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target)
        if isinstance(found, Run):
            events = seen.reader.events(run_id=found.id, limit=10_000)
            view = {**run_view(found), "events": [event_view(event, identity=found.identity) for event in events]}
            print_one(settings, view, name=f"run/{found.id}", text=run_lines(seen, found, events))
        else:
            view = seen.view(found)
            print_one(settings, view, name=f"job/{found.identity}", text=description_lines(seen, found))
    return Exit.OK
