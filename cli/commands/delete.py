"""`jobsctl delete`: remove a job by removing its spec file; with `--purge` its history too."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, timeout_option


@click.command("delete")
@click.argument("job")
@click.option("--purge", is_flag=True, help="Delete its runs, their output and events too.")
@timeout_option()
@click.pass_obj
def command(settings: Settings, job: str, purge: bool, timeout: float) -> int:
    """Remove JOB: its spec file when nothing else is in it. The history stays, as an archived job, unless --purge.

    Where a file defines several jobs, nothing is removed: the lines to delete are said instead.

    \b
    Examples:
      jobsctl delete report
      jobsctl delete report --purge
    """
    from cli.asking import ask
    from cli.deleting import remove_spec
    from cli.output import print_one, say
    from cli.selection import identity_to_change
    from state.inbox import RequestKind

    identity = identity_to_change(settings, job)
    removed = remove_spec(settings, identity)
    if removed is not None:
        say(f"removed {removed}")
    asked = ask(settings, RequestKind.DELETE, identity=identity, params={"purge": purge}, timeout=timeout)
    word = "purged" if purge else "deleted"
    text = f"job/{identity} {word}" + ("" if asked.answer else " when the daemon starts")
    print_one(settings, asked.view(), name=f"job/{identity}", text=[text])
    return Exit.OK
