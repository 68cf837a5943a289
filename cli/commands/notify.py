"""`jobsctl notify`: try a notifier out."""

from __future__ import annotations

import click

from cli.errors import NotFound
from cli.exits import Exit
from cli.main import help_asked, no_such, prepared
from cli.options import Settings

ACTIONS = {"test": "Send a test message through a notifier, now."}


@click.command("test")
@click.argument("name", metavar="NOTIFIER")
@click.pass_obj
def test(settings: Settings, name: str) -> int:
    """Send a test message to every address of NOTIFIER, and say what came of it. Exit code 1 when one did not arrive.

    It is sent by this command and not by the daemon: with the variables of this shell, by your user. Nothing of it is
    kept; rate, group and quiet hours do not count.

    \b
    Examples:
      jobsctl notify test ops
    """
    from cli.notifytest import send_test
    from cli.output import Column, print_items
    from cli.reading import reading

    with reading(settings) as seen:
        documents = {document.name: document for document in seen.reader.documents("Notifier")}
        if name not in documents:
            known = ", ".join(documents) or "none"
            raise NotFound(
                f"no Notifier {name} is applied (there is: {known})",
                hint="write one into the specs directory; `jobsctl explain notifier` says how",
            )
        results = send_test(seen, documents[name])
    print_items(
        settings,
        results,
        view=lambda result: {"address": result.place, "service": result.service, "seconds": result.seconds,
                             "error": result.error},
        name=lambda result: f"{name}/{result.place}",
        columns=[
            Column("ADDRESS", lambda result: f"#{result.place} {result.service}"),
            Column("SECONDS", lambda result: f"{result.seconds:.2f}", right=True),
            Column("RESULT", lambda result: result.error or "sent"),
        ],
        empty="It has no addresses.",
    )  # fmt: skip
    return Exit.FAILED if any(result.error for result in results) else Exit.OK


class ActionGroup(click.Group):
    """The actions, each with what all commands have."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ACTIONS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return prepared(test, "notify_test") if name == "test" else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, help_asked(ctx, args))
        except click.NoSuchCommand as error:
            raise no_such("action", error.command_name, ACTIONS, "jobsctl notify --help") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Actions"):
            formatter.write_dl(list(ACTIONS.items()))


@click.command("notify", cls=ActionGroup, subcommand_metavar="ACTION [NOTIFIER]")
def command() -> None:
    """Notifiers: who is told when something happens to a job. docs/notifications.md says how to write one.

    \b
    Examples:
      jobsctl notify test ops
      jobsctl deliveries --to ops
    """
