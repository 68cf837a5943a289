"""`jobsctl notify`: try a notifier, or the receiver of a callback, out."""

from __future__ import annotations

import click

from cli.errors import NotFound, UsageError
from cli.exits import Exit
from cli.options import Settings
from cli.subcommands import Subcommands

ACTIONS = {"test": "Send a test message through a notifier, or to a job's callback, now."}


@click.command("test")
@click.argument("name", metavar="[NOTIFIER]", required=False)
@click.option("--callback", "job", metavar="JOB", help="Instead: to the callback of this job, as `job.test`, signed.")
@click.pass_obj
def test(settings: Settings, name: str | None, job: str | None) -> int:
    """Send a test message to every address of NOTIFIER, and say what came of it. Exit code 1 when one did not arrive.

    It is sent by this command and not by the daemon: with the variables of this shell, by your user. Nothing of it is
    kept; rate, group and quiet hours do not count. A callback is sent once, where `callbacks` in jobsctl.yaml lets it.

    \b
    Examples:
      jobsctl notify test ops
      jobsctl notify test --callback report
    """
    if (name is None) is (job is None):
        raise UsageError("name a notifier, or a job with --callback: one of them", hint="jobsctl notify test --help")
    return _to_callback(settings, job) if job is not None else _through(settings, name or "")


def _to_callback(settings: Settings, name: str) -> int:
    from cli.callbacktest import send_test_callback
    from cli.output import Column, print_items
    from cli.reading import reading
    from cli.selection import find_job

    with reading(settings) as seen:
        result = send_test_callback(seen, find_job(settings, seen.reader, name))
    print_items(
        settings,
        [result],
        view=lambda result: {"id": result.id, "target": result.target, "seconds": result.seconds,
                             "statusCode": result.status_code, "error": result.error},
        name=lambda result: result.id,
        columns=[
            Column("TO", lambda result: result.target),
            Column("SECONDS", lambda result: f"{result.seconds:.2f}", right=True),
            Column("RESULT", lambda result: result.error or f"arrived: answered {result.status_code}"),
            Column("ID", lambda result: result.id, rank=1),
        ],
        empty="",
    )  # fmt: skip
    return Exit.FAILED if result.error else Exit.OK


def _through(settings: Settings, name: str) -> int:
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


@click.command(
    "notify", cls=Subcommands, kind="action", lines=ACTIONS, load=lambda _: test, subcommand_metavar="ACTION [NOTIFIER]"
)
def command() -> None:
    """Notifiers: who is told when something happens to a job. docs/notifications.md says how to write one, and
    docs/callbacks.md how a program is told.

    \b
    Examples:
      jobsctl notify test ops
      jobsctl deliveries --target ops
    """
