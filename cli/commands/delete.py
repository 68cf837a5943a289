"""`jobsctl delete`: remove a job by removing its spec file; with `--purge` its history too."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, many_jobs, timeout_option

DELETES = "Their spec files are removed; what they did stays to be seen."
PURGES = "Spec files are removed, and runs, their output and events deleted: only a backup brings those back."


@click.command("delete")
@many_jobs()
@click.option("--purge", is_flag=True, help="Delete its runs, their output and events too.")
@timeout_option()
@click.pass_obj
def command(
    settings: Settings, jobs: tuple[str, ...], labels: tuple[str, ...], yes: bool, purge: bool, timeout: float
) -> int:
    """Remove JOB: its spec file when nothing else is in it. The history stays, as an archived job, unless --purge.

    Where a file defines several jobs, nothing is removed: the lines to delete are said instead. Several jobs are
    deleted after one question; where nobody can be asked, with --yes only. A person is also asked before --purge.

    \b
    Examples:
      jobsctl delete report
      jobsctl delete report --purge
      jobsctl delete -l team=old --yes
    """
    from cli.asking import ask
    from cli.bulk import Done, agreed, carry_out, chosen
    from cli.deleting import refuse_active, remove_spec
    from cli.output import say
    from cli.selection import identity_to_change
    from state.inbox import RequestKind

    def delete(name: str) -> Done:
        identity = identity_to_change(settings, name)
        if purge:
            # Before the file goes: the daemon would refuse the purge, and the job would be half gone.
            refuse_active(settings, identity)
        removed = remove_spec(settings, identity)
        if removed is not None:
            say(f"removed {removed}")
        asked = ask(settings, RequestKind.DELETE, identity=identity, params={"purge": purge}, timeout=timeout)
        word = "purged" if purge else "deleted"
        text = f"job/{identity} {word}" + ("" if asked.answer else " when the daemon starts")
        return Done(asked.view(), f"job/{identity}", [text], [asked.answer.message] if asked.answer else [])

    names = chosen(settings, jobs, labels)
    several = bool(labels) or len(names) > 1
    note = PURGES if purge else DELETES
    if (several or purge) and not agreed("Purge" if purge else "Delete", names, severe=several, yes=yes, note=note):
        return Exit.REFUSED
    return carry_out(settings, names, delete, several=several)
