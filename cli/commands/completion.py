"""`jobsctl completion`: the script that lets a shell complete commands, options and names."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(("bash", "zsh", "fish")))
@click.option("--install", is_flag=True, help="Write it where the shell looks by itself, for this user.")
@click.pass_obj
def command(settings: Settings, shell: str, install: bool) -> int:
    """Print the script for SHELL: bash, zsh or fish. With it TAB knows commands, options, jobs, runs, projects, labels
    and files.

    \b
    Examples:
      source <(jobsctl completion bash)
      jobsctl completion fish --install
      jobsctl completion zsh > "${fpath[1]}/_jobsctl"
    """
    from cli.completing import completer
    from cli.completionfiles import place_of, write_script
    from cli.main import program
    from cli.output import say

    script = completer(program, shell).source().rstrip("\n") + "\n"
    if not install:
        click.echo(script, nl=False)
        return Exit.OK
    path, next_step = place_of(shell)
    write_script(path, script)
    say(f"wrote {path}")
    say(next_step)
    return Exit.OK
