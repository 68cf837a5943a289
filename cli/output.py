"""Printing: data on stdout as a table or as JSON, YAML, JSON lines or names; everything else on stderr.

Used by every command that shows something. rich and ruamel are imported when a table or YAML is really printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from cli.options import Settings
from cli.terminal import one_line, safe_json, visible

if TYPE_CHECKING:
    from rich.console import Console

Data = Mapping[str, Any]
Style = Literal["", "green", "red", "yellow", "cyan", "dim", "bold"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, coloured only on a terminal that wants colours."""

    text: str
    style: Style = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading and what of an item it shows."""

    heading: str
    show: Callable[[Data], str | Cell]
    wide: bool = False
    """Only with `-o wide`."""
    right: bool = False
    """Numbers stand right."""


def say(message: str) -> None:
    """A line for people, on stderr: it never gets into a pipe."""
    click.echo(visible(message), err=True)


def print_items(settings: Settings, items: Sequence[Data], columns: Sequence[Column], *, name: Callable[[Data], str],
                empty: str, more: Mapping[str, Any] | None = None) -> None:  # fmt: skip
    """A list. As JSON and YAML: `{"items": [...]}` and what `more` adds. `empty` is said on stderr below a table."""
    match settings.output:
        case "json":
            _write(to_json({"items": list(items), **(more or {})}) + "\n")
        case "jsonl":
            _write("".join(to_json(item, indent=False) + "\n" for item in items))
        case "yaml":
            _write(to_yaml({"items": list(items), **(more or {})}))
        case "name":
            _write("".join(one_line(name(item)) + "\n" for item in items))
        case _ if not items:
            say(empty)
        case _:
            wide = settings.output == "wide"
            _table(settings, items, [column for column in columns if wide or not column.wide])


def print_one(settings: Settings, item: Data, *, name: str, text: Iterable[str | Cell]) -> None:
    """One thing: its lines for people, or its data."""
    match settings.output:
        case "json":
            _write(to_json(item) + "\n")
        case "jsonl":
            _write(to_json(item, indent=False) + "\n")
        case "yaml":
            _write(to_yaml(item))
        case "name":
            _write(one_line(name) + "\n")
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


def wants_color(settings: Settings) -> bool:
    """Only on a terminal that can, and when nobody said no (no-color.org: NO_COLOR set and not empty)."""
    return (
        sys.stdout.isatty()
        and not settings.no_color
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def to_json(value: Any, *, indent: bool = True) -> str:
    """JSON as UTF-8 text that is safe to show; keys in the order given."""
    import json

    return safe_json(json.dumps(value, ensure_ascii=False, indent=2 if indent else None))


def to_yaml(value: Any) -> str:
    """YAML; the emitter quotes and escapes control characters."""
    import io

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 4096
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()


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


def _table(settings: Settings, items: Sequence[Data], columns: Sequence[Column]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.right else "left", overflow="fold")
    for item in items:
        shown = [column.show(item) for column in columns]
        cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in shown]
        table.add_row(*(Text(one_line(cell.text), style=cell.style) for cell in cells))
    target = console(settings)
    with target.capture() as captured:
        target.print(table)
    _write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def _write(text: str) -> None:
    sys.stdout.write(text)
