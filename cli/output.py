"""Printing: data on stdout as a table or as JSON, YAML, JSON lines or names; everything else on stderr.

Used by every command that shows something. rich is imported when a table is really printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TextIO, TypeVar

import click

from cli.options import Settings
from cli.terminal import one_line, safe_json, visible

if TYPE_CHECKING:
    from rich.console import Console

Data = Mapping[str, Any]
T = TypeVar("T")
Style = Literal["", "green", "red", "yellow", "cyan", "dim", "bold"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, coloured only on a terminal that wants colours."""

    text: str
    style: Style = ""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column of a table: its heading and what of a record it shows."""

    heading: str
    show: Callable[[T], str | Cell]
    wide: bool = False
    """Only with `-o wide`."""
    right: bool = False
    """Numbers stand right."""


def counted(number: int, word: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def say(message: str) -> None:
    """A line for people, on stderr: it never gets into a pipe."""
    click.echo(visible(message), err=True)


def print_items(
    settings: Settings,
    records: Sequence[T],
    *,
    view: Callable[[T], Data],
    name: Callable[[T], str],
    columns: Sequence[Column[T]],
    empty: str,
    more: Data | None = None,
) -> None:
    """A list: a table of `columns`, or what `view` makes of each record.

    Args:
        name: what `-o name` prints of a record.
        empty: said on stderr in place of a table without rows.
        more: keys beside `items` in JSON and YAML, such as the cursor of the next page.
    """
    match settings.output:
        case "json":
            _write(to_json({"items": [view(record) for record in records], **(more or {})}) + "\n")
        case "jsonl":
            _write("".join(to_json(view(record), indent=False) + "\n" for record in records))
        case "yaml":
            _write(to_yaml({"items": [view(record) for record in records], **(more or {})}))
        case "name":
            _write("".join(one_line(name(record)) + "\n" for record in records))
        case _ if not records:
            say(empty)
        case _:
            wide = settings.output == "wide"
            print_table(settings, records, [column for column in columns if wide or not column.wide])


def print_one(settings: Settings, item: Data, *, name: str, text: Iterable[str | Cell]) -> None:
    """One thing: its lines for people, or its data. `name` may be several lines, or none."""
    match settings.output:
        case "json":
            _write(to_json(item) + "\n")
        case "jsonl":
            _write(to_json(item, indent=False) + "\n")
        case "yaml":
            _write(to_yaml(item))
        case "name":
            _write("".join(f"{visible(line)}\n" for line in name.splitlines()))
        case _:
            print_lines(settings, text)


def print_lines(settings: Settings, lines: Iterable[str | Cell]) -> None:
    """Lines for people, on stdout."""
    color = wants_color(settings)
    for line in lines:
        cell = line if isinstance(line, Cell) else Cell(line)
        text = visible(cell.text)
        styles = _ANSI.get(cell.style)
        _write((click.style(text, **styles) if color and styles else text) + "\n")


_ANSI: Mapping[str, dict[str, Any]] = {
    "green": {"fg": "green"}, "red": {"fg": "red"}, "yellow": {"fg": "yellow"}, "cyan": {"fg": "cyan"},
    "dim": {"dim": True}, "bold": {"bold": True},
}  # fmt: skip


def wants_color(settings: Settings, stream: TextIO | None = None) -> bool:
    """Only on a terminal that can, and when nobody said no (no-color.org: NO_COLOR set and not empty).

    Args:
        stream: where the text goes; default stdout. stderr may be a terminal when stdout is not.
    """
    return (
        (stream or sys.stdout).isatty()
        and not settings.no_color
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def to_json(value: Any, *, indent: bool = True) -> str:
    """JSON as UTF-8 text that is safe to show; keys in the order given."""
    import json

    return safe_json(json.dumps(value, ensure_ascii=False, indent=2 if indent else None))


def to_yaml(value: Data) -> str:
    """YAML, as in status files."""
    from status.yaml import dump_yaml

    return dump_yaml(value)


def console(settings: Settings) -> Console:
    """rich, set up once: no markup, no emoji, no guessing of what to highlight in other people's text.

    Off a terminal lines are never cut: whoever reads the pipe wants the whole of them.
    """
    from rich.console import Console

    return Console(
        file=sys.stdout, markup=False, emoji=False, highlight=False, soft_wrap=False,
        no_color=not wants_color(settings), force_terminal=sys.stdout.isatty(),
        width=None if sys.stdout.isatty() else 10_000,
    )  # fmt: skip


def print_table(settings: Settings, records: Sequence[T], columns: Sequence[Column[T]]) -> None:
    """Without borders, as kubectl's; lines too long for the terminal are folded within their column."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.right else "left", overflow="fold")
    for record in records:
        shown = [column.show(record) for column in columns]
        cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in shown]
        table.add_row(*(Text(one_line(cell.text), style=cell.style) for cell in cells))
    target = console(settings)
    with target.capture() as captured:
        target.print(table)
    _write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def _write(text: str) -> None:
    sys.stdout.write(text)
