"""Following events: what happened last, and then each one as it comes. Used by `events --follow`.

With `--server` the server's stream of events says when to ask (`cli.remote.streaming`): what is printed is made of the
same answers as at home.

Asks by the number of the last event that was seen, which is never given twice: it goes on through a restart of the
daemon and through pruning. Ends with the run that is followed, else with Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from cli.errors import DaemonDown, TimedOut
from cli.options import Settings
from cli.output import Data, OpenTable, to_json, to_yaml
from cli.reading import Reading
from cli.streams import A_DAY, rest
from cli.tables import event_columns
from state.errors import NotFound
from state.records import TERMINAL_STATES, Event

PAUSE = 0.25
"""Seconds between two looks: one walk down an index, 50 us; below what a person waiting for a line notices."""
AWAY = 1.0
"""Seconds until a server that did not answer is asked again."""
PAGE = 1000
WIDTHS = (24, 7, 12, 24, 0, 0)
"""Of the columns of `event_columns` from the first row on: names of jobs and reasons that come later fit, as a rule."""

Ask = Callable[[int], list[Event]]


class EventWriter:
    """Prints events as they come, each at once."""

    def __init__(self, settings: Settings, view: Callable[[Event], Data], identity_of: Callable[[int | None], str]):
        wide = settings.output == "wide"
        columns = [column for column in event_columns(identity_of) if wide or not column.wide]
        self._output = settings.output
        self._view = view
        self._table = OpenTable(settings, columns, WIDTHS[: len(columns)])

    def write(self, events: Sequence[Event]) -> None:
        """JSON is a line per event, YAML a document per event, whoever reads them: there is no end to wait for."""
        match self._output:
            case "json" | "jsonl":
                text = "".join(to_json(self._view(event), indent=False) + "\n" for event in events)
            case "yaml":
                text = "".join(f"---\n{to_yaml(self._view(event))}" for event in events)
            case "name":
                text = "".join(f"event/{event.id}\n" for event in events)
            case _:
                text = ""
                self._table.add(events)
        sys.stdout.write(text)
        sys.stdout.flush()


class Pause(Protocol):
    """What is between two looks."""

    def wait(self, seconds: float) -> None:
        """Until something may have happened, or so long."""

    def take(self) -> object:
        """It was heard. Raises CliError, StateError when nothing can be heard any more."""


class Clock:
    """At home a look costs next to nothing: one after the other."""

    def wait(self, seconds: float) -> None:
        rest(min(seconds, PAUSE))

    def take(self) -> None:
        """There is nothing to hear."""


def follow(seen: Reading, ask: Ask, writer: EventWriter, last: int, *, run_id: str | None, pause: Pause) -> int | None:
    """Print what `ask` gives, again and again.

    Args:
        ask: the events after one, oldest first; at most `PAGE`.
        last: the number of the last event that was seen.
        run_id: ends when this run is over and its last event was printed.

    Returns:
        None at the end of the run; else the last event's number, when another database took the place of this one
        (`jobsctl restore`), which an open file does not see: open it and go on.
    """
    known = _identity(seen)
    while True:
        # Asked before reading: what was written before the end is read after it.
        try:
            over = run_id is not None and _is_over(seen, run_id)
            events = ask(last)
        except (DaemonDown, TimedOut):
            rest(AWAY)  # a server that begins anew: it is asked again, from where we are
            continue
        if events:
            writer.write(events)
            last = events[-1].id or last
        if len(events) == PAGE:
            continue
        if over:
            return None
        pause.wait(A_DAY)
        pause.take()
        if (now := _identity(seen)) != known and now is not None:
            return last


def _is_over(seen: Reading, run_id: str) -> bool:
    try:
        return seen.reader.run(run_id).state in TERMINAL_STATES
    except NotFound:
        return True  # pruned, with its events


def _identity(seen: Reading) -> tuple[int, int] | None:
    """Which file the database is; None while none is there, and where it is not ours to see (`--server`)."""
    try:
        found = os.stat(seen.home.database)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino
