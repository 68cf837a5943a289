"""`jobsctl token`: who may read over HTTP. Works on the file that `http.tokens` names; the daemon reads it again."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings
from cli.subcommands import Subcommands

ACTIONS = {
    "create": "Make a token, and print it this once.",
    "list": "List the tokens: names and what they are for.",
    "revoke": "Take a token away: who has it reads no more.",
}


@click.command("create")
@click.argument("name", metavar="NAME")
@click.option("-p", "--project", metavar="PROJECT", help="It reads this project alone. Default: everything.")
@click.pass_obj
def create(settings: Settings, name: str, project: str | None) -> int:
    """Make a token called NAME, and print it: it is told this once, the file keeps its hash.

    A token for one project reads that project's jobs, runs, logs and files; others' are not there for it, and what is
    of no project (/metrics, --server) is refused.

    \b
    Examples:
      jobsctl token create grafana > grafana.token
      jobsctl token create ci -p data
    """
    from cli.output import print_one, say
    from cli.tokenfile import add_token

    text, path = add_token(settings, name, project)
    print_one(settings, {"name": name, "project": project, "token": text}, name=text, text=[text])
    say(f"Token {name} reads {'everything' if project is None else f'project {project}'}; its hash is in {path}.")
    return Exit.OK


@click.command("list")
@click.pass_obj
def list_tokens(settings: Settings) -> int:
    """List the tokens: names, and what they are for. What a token is cannot be told again.

    \b
    Examples:
      jobsctl token list
      jobsctl token list -o json
    """
    from cli.output import Column, print_items
    from cli.tokenfile import tokens_of

    print_items(
        settings,
        tokens_of(settings),
        view=lambda token: {"name": token.name, "project": token.project, "sha256": token.digest.hex()},
        name=lambda token: token.name,
        columns=[
            Column("NAME", lambda token: token.name),
            Column("READS", lambda token: "everything" if token.project is None else f"project {token.project}"),
            Column("SHA256", lambda token: token.digest.hex(), wide=True),
        ],
        empty="No tokens: nobody can read over HTTP. `jobsctl token create NAME` makes one.",
    )
    return Exit.OK


@click.command("revoke")
@click.argument("name", metavar="NAME")
@click.pass_obj
def revoke(settings: Settings, name: str) -> int:
    """Take the token called NAME away. Who has it reads no more, from the next request on.

    \b
    Examples:
      jobsctl token revoke grafana
    """
    from cli.output import say
    from cli.tokenfile import remove_token

    path = remove_token(settings, name)
    say(f"Token {name} is no more in {path}.")
    return Exit.OK


@click.command(
    "token",
    cls=Subcommands,
    kind="action",
    lines=ACTIONS,
    load={"create": create, "list": list_tokens, "revoke": revoke}.__getitem__,
    subcommand_metavar="ACTION [NAME]",
)
def command() -> None:
    """Tokens that readers need over HTTP, once `http.tokens` in jobsctl.yaml names their file.

    A running daemon takes a change of the file with the next request; `http.tokens` itself when it starts.

    \b
    Examples:
      jobsctl token create grafana > grafana.token
      jobsctl --server http://jobs.example:8787 --token-file grafana.token status
      jobsctl token revoke grafana
    """
