"""`jobsctl graph`: which jobs follow which, and what is waited for."""

from __future__ import annotations

import sys
from typing import cast

import click

from cli.exits import Exit
from cli.options import Output, Settings

FORMS = ("text", "table", "wide", "dot", "json", "yaml", "jsonl", "name")


@click.command("graph")
@click.argument("job", required=False)
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(FORMS),
    help="How to print: a tree (text, as table and wide), DOT for graphviz, or data. Default: text.",
)
@click.pass_obj
def command(settings: Settings, job: str | None, form: str | None) -> int:
    """Show the dependencies (`depends_on`) of all jobs; with JOB, what it follows and what follows it.

    `*` marks JOB. A job that several lead to is drawn under the first of them, with the others named. In DOT a dashed
    arrow is a dependency that is waited for.

    \b
    Examples:
      jobsctl graph
      jobsctl graph report
      jobsctl graph -o dot | dot -Tsvg > jobs.svg
      jobsctl graph -o json | jq '.edges[] | select(.ready | not)'
    """
    from cli.graph import dot_lines, text_lines
    from cli.output import print_lines, print_one, say
    from cli.reading import reading
    from cli.selection import find_job
    from status.graph import graph_of, view

    with reading(settings) as seen:
        chosen = None if job is None else find_job(settings, seen.reader, job).identity
        graph = graph_of(seen.reader.linked(chosen), seen.now, default_timezone=seen.timezone)
        if chosen is not None:
            graph = graph.around(chosen)
        elif settings.project is not None:
            graph = graph.of_project(settings.project)
        if form == "dot":
            print_lines(settings, dot_lines(graph, seen.now))
            return Exit.OK
        if form is not None:
            settings.output = cast(Output, "table" if form == "text" else form)
        if not graph.edges and settings.output in ("table", "wide"):
            say(f"{chosen} depends on nothing, and nothing on it." if chosen else "No job depends on another one.")
            return Exit.OK
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        lines = text_lines(graph, seen.now, chosen=chosen, utf8=utf8)
        data = view(graph) if settings.output in ("json", "yaml", "jsonl") else {}
        print_one(settings, data, name="\n".join(f"job/{identity}" for identity in graph.jobs), text=lines)
    return Exit.OK
