"""`jobsctl validate`: what a pull request's check runs, and a person before a commit. Needs no home and no daemon."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal, get_args

import click

from cli.exits import Exit
from cli.options import Settings
from cli.output import counted, print_items, say, wants_color
from cli.terminal import safe_json, visible

Format = Literal["full", "concise", "json", "jsonl", "github", "gitlab", "sarif", "junit"]
FORMATS: tuple[Format, ...] = get_args(Format)
"""As `specs.render`, which is loaded only to print."""


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    help="How findings are printed. Default: full.",
)
@click.option("--strict", is_flag=True, help="Warnings end with 3 too.")
@click.option("--here", is_flag=True, help="This machine runs the jobs: check that their programs are there.")
@click.pass_obj
def command(settings: Settings, paths: Sequence[str], style: Format | None, strict: bool, here: bool) -> int:
    """Check spec files, folders of them, or `-` (standard input). Default: the home's specs.

    Findings go to stdout, the summary to stderr. Ends with 3 when there is an error; warnings alone end with 0, with 3
    under --strict. A warning is silenced by a comment on its line, as in

    \b
      schedule: every 1m # jobsctl: ignore[JOB072]

    \b
    Examples:
      jobsctl validate
      jobsctl validate jobs/report.yaml
      jobsctl validate --strict --format github jobs/
      jobsctl validate --format sarif jobs/ > findings.sarif
      jobsctl validate --here
      cat report.yaml | jobsctl validate -
    """
    from cli.progress import Progress
    from cli.specfiles import check
    from specs.diagnostic import Severity
    from specs.render import as_dict, render

    with Progress("checking the files", typing="-" in paths):
        checked = check(settings, paths, lint=True, here=here)
    if style is None and settings.output not in ("table", "wide"):
        print_items(
            settings,
            checked.findings,
            view=as_dict,
            name=lambda finding: f"{finding.path}:{finding.line}:{finding.column}",
            columns=(),
            empty="",
        )
    else:
        text = render(checked.findings, style or "full", wants_color(settings), files=checked.paths, strict=strict)
        # The forms for people care for themselves; those for programs may still be looked at, as a log of CI is.
        if style in ("json", "jsonl", "gitlab", "sarif"):
            text = safe_json(text)
        elif style in ("github", "junit"):
            text = visible(text)
        sys.stdout.write(text)
    errors = sum(finding.severity is Severity.ERROR for finding in checked.findings)
    warnings = len(checked.findings) - errors
    found = ", ".join(counted(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number)
    say(f"{counted(checked.files, 'file')}, {counted(len(checked.jobs), 'valid job')}: {found or 'no errors'}")
    if errors and style in (None, "full", "concise") and settings.output in ("table", "wide"):
        first = next(finding.code for finding in checked.findings if finding.severity is Severity.ERROR)
        say(f"`jobsctl explain {first}` tells more of {'it' if errors == 1 else 'the first'}")
    elif not (errors or checked.jobs or checked.documents):
        say("No job is defined there: `jobsctl explain job` tells what stands in a file")
    return Exit.INVALID_SPEC if errors or (strict and warnings) else Exit.OK
