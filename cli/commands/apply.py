"""`jobsctl apply`: put spec files where the daemon reads them, and wait until it follows them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Settings, timeout_option


@click.command("apply")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.option("-f", "--filename", "files", multiple=True, metavar="PATH|-", help="The same, as kubectl has it.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the daemon.")
@click.option("--confirm-prune", is_flag=True, help="Let jobs go that the prune guard holds back, once.")
@timeout_option(30.0, "until the daemon has applied it")
@click.pass_obj
def command(
    settings: Settings,
    paths: Sequence[str],
    files: Sequence[str],
    dry_run: bool,
    no_wait: bool,
    confirm_prune: bool,
    timeout: float,
) -> int:
    """Apply files, folders or standard input (-): check, copy into the specs directory, wait for the daemon.

    A file that is in the specs directory already is not copied. Without PATH: look at the specs directory now and wait.
    Prints one line per job: created, configured, renamed, unchanged or pruned.

    \b
    Examples:
      jobsctl apply report.yaml
      jobsctl apply new-jobs/ --dry-run
      cat report.yaml | jobsctl apply -f -
      jobsctl apply
      jobsctl apply --confirm-prune
    """
    from cli.applying import apply

    if dry_run and confirm_prune:
        raise UsageError("--confirm-prune with --dry-run would confirm nothing")
    apply(settings, (*paths, *files), dry_run=dry_run, wait=not no_wait, confirm_prune=confirm_prune, timeout=timeout)
    return Exit.OK
