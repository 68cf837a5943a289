"""`jobsctl deliveries`: what was told to whom, and what came of it."""

from __future__ import annotations

from typing import Any

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Instant, Settings, watchable

KINDS = ("notification", "callback")
STATES = ("pending", "delivered", "failed", "dropped")
SHOWN = 50


@click.command("deliveries")
@click.argument("target", required=False, metavar="[JOB|RUN|DELIVERY]")
@click.option("--failed", is_flag=True, help="Only those that will not arrive: failed or dropped.")
@click.option("--pending", is_flag=True, help="Only those that wait for an attempt.")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@click.option("--target", "receiver", metavar="NAME", help="Only to this notifier, or by callbacks to this host.")
@click.option("--since", type=Instant(), metavar="TIME", help="At or after: RFC 3339, or 2h for 2 h ago.")
@click.option("--until", type=Instant(), metavar="TIME", help="Before.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=SHOWN, metavar="N",
              help=f"The newest so many. Default: {SHOWN}.")  # fmt: skip
@click.option("--before", type=click.IntRange(1), metavar="NUMBER", help="The ones before this delivery.")
@watchable
@click.pass_obj
def command(
    settings: Settings,
    target: str | None,
    failed: bool,
    pending: bool,
    kind: str | None,
    receiver: str | None,
    since: int | None,
    until: int | None,
    limit: int,
    before: int | None,
) -> int:
    """List notifications and callbacks: about JOB, about RUN, or all; newest first. A DELIVERY's id tells all about it.

    A notifier with several addresses has a delivery for each.

    \b
    Examples:
      jobsctl deliveries
      jobsctl deliveries report --failed
      jobsctl deliveries --target ops --since 1d
      jobsctl deliveries 3430f5e371ab0ea68ff402efa9
    """
    from cli.deliverylist import delivery_columns, delivery_lines, find_about, nothing_told
    from cli.output import print_items, print_one, say
    from cli.reading import reading

    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until: no delivery can fit")
    if failed and pending:
        raise UsageError("--failed and --pending exclude each other")
    with reading(settings) as seen:
        about = find_about(settings, seen, target)
        if about.delivery is not None:
            print_one(
                settings,
                about.delivery,
                name=f"delivery/{about.delivery['id']}",
                text=delivery_lines(about.delivery, settings.now()),
            )
            return Exit.OK
        given: dict[str, Any] = {
            "job": about.job,
            "run": about.run,
            "project": settings.project if about.job is None and about.run is None else None,
            "kind": kind,
            "target": receiver,
            "state": "failed,dropped" if failed else "pending" if pending else None,
            "since": since,
            "until": until,
            "before": before,
            "limit": limit,
        }
        found, following = seen.deliveries({name: value for name, value in given.items() if value is not None})
        chosen = any(value is not None for name, value in given.items() if name not in ("job", "run", "limit"))
        print_items(
            settings,
            found,
            view=lambda delivery: delivery,
            name=lambda delivery: f"delivery/{delivery['id']}",
            columns=delivery_columns(seen.now),
            empty=nothing_told(about, chosen=chosen),
            more={"next": following},
        )
        if following is not None and settings.output in ("table", "wide"):
            say(f"There are more: `--before {following}` shows older ones.")
        waits = any(each["state"] == "pending" for each in found)
        if waits and not seen.alive and settings.output in ("table", "wide"):
            say("The daemon is not running: what is pending waits for it (`jobsctl daemon`).")
    return Exit.OK
