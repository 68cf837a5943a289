"""`jobsctl plan`: what a change of the files would do, told before it is applied: to a person, or a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import click

from cli.exits import Exit
from cli.options import Settings

MOST_ERRORS = 50
"""Lines: a broken merge can make thousands, and `validate` has them all."""


@click.command("plan")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.option("--against", metavar="REV|DIR", help="Compare with a git revision, or with another folder of specs.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "markdown"]),
    help="As -o; markdown for the comment of a pull request.",
)
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 when there are changes, 0 when there are none.")
@click.pass_obj
def command(
    settings: Settings,
    paths: Sequence[str],
    against: str | None,
    style: Literal["table", "json", "markdown"] | None,
    detailed_exitcode: bool,
) -> int:
    """Tell what applying the files would do: field by field, with the next instants before and after.

    Compares with what the daemon applied; with --against: with the specs directory at a git revision (read from git's
    objects; `main...` is where this branch left main) or with a folder. Then neither daemon nor database is needed.
    PATH: only what these files and folders define. Nothing is changed, and no secret is shown.

    Ends with 0 when the plan could be told, 3 when files have errors (the plan of the others is told all the same).

    \b
    Examples:
      jobsctl plan
      jobsctl plan jobs/reports --against main
      jobsctl plan --against origin/main --format markdown > comment.md
      jobsctl plan --against HEAD~1 -o json
    """
    import sys
    from dataclasses import replace

    from cli.output import counted, print_items, print_lines, say, wants_color
    from cli.planning.sides import plan_files, shown_path
    from cli.planning.table import MOST_JOBS, plan_lines
    from cli.planning.views import job_view, plan_view
    from cli.progress import Progress
    from cli.streams import write_error

    if style in ("table", "json"):
        settings = replace(settings, output=style)
    data = style != "markdown" and settings.output in ("json", "yaml", "jsonl")
    with Progress("comparing the files", typing="-" in paths):
        plan = plan_files(settings, paths, against, detailed=None if data else MOST_JOBS)

    def show(path: str) -> str:
        return shown_path(plan, path)

    if style == "markdown":
        from cli.planning.markdown import plan_markdown

        sys.stdout.write(plan_markdown(plan, show))
    elif settings.output in ("table", "wide"):
        print_lines(settings, plan_lines(plan, show))
        if plan.differs and against is None and not plan.errors:
            say(f"Next: jobsctl {' '.join(('apply', *paths))}")
    else:
        print_items(
            settings, plan.jobs, view=job_view, name=lambda job: f"job/{job.identity}", columns=(), empty="",
            more=plan_view(plan),
        )  # fmt: skip
    if plan.errors:
        from specs.render import render

        sys.stdout.flush()
        shown = [finding.at(show(finding.path)) for finding in plan.errors[:MOST_ERRORS]]
        write_error(render(shown, "concise", wants_color(settings, sys.stderr)))
        new = "" if plan.before.kind == "nothing" else f", {plan.new_errors} of them new"
        say(
            f"{counted(len(plan.errors), 'error')}{new}; this is the plan of the others (`jobsctl validate` tells more)"
        )
        return Exit.INVALID_SPEC
    return 2 if detailed_exitcode and plan.differs else Exit.OK
