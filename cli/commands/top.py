"""`jobsctl top`: what runs now, what it uses and what waits, drawn anew every other second."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Settings, Span
from cli.streams import rest

if TYPE_CHECKING:
    from cli.livelook import Sort

SORTS = ("cpu", "memory", "time")
SHORTEST = 0.2


@click.command("top")
@click.option("--once", is_flag=True, help="One look, and the end; so it is off a terminal, and with -o json.")
@click.option("-n", "--count", type=click.IntRange(1), metavar="N", help="N looks one after another, as plain lines.")
@click.option(
    "-d", "--interval", "--delay", "delay", type=Span(), default=2.0, metavar="DURATION",
    help="Between two looks. Default: 2s.",
)  # fmt: skip
@click.option(
    "--sort-by", "--sort", "sort", type=click.Choice(SORTS), default="cpu", help="What stands first. Default: cpu."
)
@click.option("--plain", is_flag=True, help="Plain lines, one look below the other: for screen readers.")
@click.pass_obj
def command(settings: Settings, once: bool, count: int | None, delay: float, sort: str, plain: bool) -> int:
    """Show what runs now, the CPU and memory it uses, what waits and for what, and how full the pools are.

    On a terminal the screen is drawn anew; `?` shows the keys. 100% CPU is one processor. What a run uses is what its
    supervisor measures: each second, of old runs each 15.

    \b
    Examples:
      jobsctl top
      jobsctl top --sort-by memory
      jobsctl top --once -o json
      jobsctl top --plain -d 10s
    """
    import os
    import sys

    if delay < SHORTEST:
        raise UsageError(f"--interval is at least {SHORTEST:g}s")
    if once and count is not None:
        raise UsageError("--once is -n 1: give one of them")
    lines = settings.output not in ("table", "wide")
    on_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")
    if on_terminal and not (once or count or plain or lines):
        from cli.livescreen import Screen

        Screen(settings, cast("Sort", sort)).run(delay)
        return Exit.OK
    looks = 1 if once else count if count is not None else None if plain else 1
    _print(settings, looks, delay, sort)
    return Exit.OK


def _print(settings: Settings, looks: int | None, delay: float, sort: str) -> None:
    """`looks` of them, or without end."""
    import sys

    from cli.livelook import Looker, print_snapshot
    from cli.output import print_lines, print_one
    from status.live import snapshot_view

    looker = Looker(settings)
    made = 0
    while True:
        snapshot = looker.look()
        if settings.output in ("table", "wide"):
            if made:
                print_lines(settings, [""])
            print_snapshot(settings, snapshot, cast("Sort", sort))
        else:
            names = "\n".join(f"run/{each.run.id}" for each in snapshot.running)
            print_one(settings, snapshot_view(snapshot), name=names, text=())
        sys.stdout.flush()
        made += 1
        if made == looks:
            return
        rest(delay)
