"""Printing: data on stdout as a table or as JSON, YAML, JSON lines or names; everything else on stderr.

Used by every command that shows something. rich is imported when a table is really printed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TextIO, TypeVar

import click

from cli.options import Settings
from cli.terminal import one_line, safe_json, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

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
    rank: int = 0
    """On a narrow terminal the columns of the highest rank are left out first; those of rank 0 never."""


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


def print_table(settings: Settings, records: Sequence[T], columns: Sequence[Column[T]]) -> None:
    """Without borders, as kubectl's. On a terminal that is too narrow columns are left out by their `rank`.

    What still does not fit is wrapped by the terminal; off a terminal, and with `-o wide`, nothing is left out.
    """
    rows = [[_cell(column.show(record)) for column in columns] for record in records]
    shown = list(range(len(columns)))
    if sys.stdout.isatty() and settings.output != "wide":
        room = shutil.get_terminal_size().columns
        for rank in range(max(column.rank for column in columns), 0, -1):
            if _console(settings, columns, rows, shown).width > room:
                shown = [index for index in shown if columns[index].rank != rank]
    target = _console(settings, columns, rows, shown)
    with target.capture() as captured:
        target.print(_rich_table(columns, rows, shown))
    _write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def _cell(shown: str | Cell) -> Cell:
    return shown if isinstance(shown, Cell) else Cell(shown)


def _console(
    settings: Settings, columns: Sequence[Column[T]], rows: Sequence[Sequence[Cell]], shown: Sequence[int]
) -> Console:
    """rich, as wide as the table is: no markup, no emoji, no guessing of what to highlight in other people's text."""
    from rich.cells import cell_len
    from rich.console import Console

    color = wants_color(settings)
    width = sum(2 + max(cell_len(one_line(text)) for text in _texts(columns, rows, index)) for index in shown)
    return Console(
        file=sys.stdout, markup=False, emoji=False, highlight=False, force_terminal=color,
        color_system="auto" if color else None, width=max(width - 2, 1),
    )  # fmt: skip


def _texts(columns: Sequence[Column[T]], rows: Sequence[Sequence[Cell]], index: int) -> list[str]:
    return [columns[index].heading, *(row[index].text for row in rows)]


def _rich_table(columns: Sequence[Column[T]], rows: Sequence[Sequence[Cell]], shown: Sequence[int]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index in shown:
        table.add_column(columns[index].heading, justify="right" if columns[index].right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(one_line(row[index].text), style=row[index].style) for index in shown))
    return table


def _write(text: str) -> None:
    sys.stdout.write(text)
