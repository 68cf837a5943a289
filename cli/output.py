"""Printing: data on stdout as a table or as JSON, YAML, JSON lines or names; everything else on stderr.

Used by every command that shows something. Loads nothing heavy before it is needed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Generic, Literal, TextIO, TypeVar

import click

from cli.options import Settings
from cli.streams import write_error
from cli.terminal import one_line, safe_json, visible
from specs.frozen import frozen
from status.words.counting import counted as counted

GAP = 2
"""Spaces between two columns."""

Data = Mapping[str, Any]
T = TypeVar("T")
Style = Literal["", "green", "red", "yellow", "cyan", "dim", "bold"]


@frozen
class Cell:
    """One cell, coloured only on a terminal that wants colours."""

    text: str
    style: Style = ""


CUT = 16
"""Columns on the screen that are left of prose at least."""
_MORE = "..."


@frozen
class Column(Generic[T]):
    """A column of a table: its heading and what of a record it shows."""

    heading: str
    show: Callable[[T], str | Cell]
    wide: bool = False
    """Only with `-o wide`."""
    right: bool = False
    """Numbers stand right."""
    rank: int = 0
    """On a narrow terminal the columns of the highest rank are left out first, those of rank 0 never."""
    cut: bool = False
    """Prose: on a terminal its end is cut before other columns are left out, down to CUT."""


def say(message: str) -> None:
    """A line for people, on stderr: it never gets into a pipe."""
    write_error(f"{visible(message)}\n")


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
    changes = settings.changes
    if changes is not None:
        records = changes.of(records, name, view)
    match settings.output:
        case "json" if changes is not None:
            _write("".join(to_json(view(record)) + "\n" for record in records))
        case "yaml" if changes is not None:
            _write("".join("---\n" + to_yaml(view(record)) for record in records))
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


def print_pages(
    settings: Settings,
    pages: Iterable[Sequence[T]],
    *,
    view: Callable[[T], Data],
    name: Callable[[T], str],
    columns: Sequence[Column[T]],
    empty: str,
    widths: Sequence[int] = (),
) -> None:
    """A long list while it is read: as `print_items`, but a page is shown before the next one is asked for.

    JSON and YAML are one document, and wait for the last page.

    Args:
        widths: what the first columns need on later pages, where that is known.
    """
    if settings.changes is not None or settings.output in ("json", "yaml"):
        records = [record for page in pages for record in page]
        print_items(settings, records, view=view, name=name, columns=columns, empty=empty)
        return
    wide = settings.output == "wide"
    table = OpenTable(settings, [column for column in columns if wide or not column.wide], widths)
    shown = False
    for page in pages:
        if page and settings.output in ("table", "wide"):
            table.add(page)
        elif page:
            print_items(settings, page, view=view, name=name, columns=columns, empty=empty)
        sys.stdout.flush()
        shown = shown or bool(page)
    if not shown:
        print_items(settings, [], view=view, name=name, columns=columns, empty=empty)


def print_one(settings: Settings, item: Data, *, name: str, text: Iterable[str | Cell]) -> None:
    """One thing: its lines for people, or its data. `name` may be several lines, or none."""
    changes = settings.changes
    if changes is not None:
        if not changes.of([item], lambda _: "", lambda one: one):
            return
        if changes.rounds and settings.output in ("table", "wide", "yaml"):
            _write("---\n")
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
        _write(_styled(Cell(visible(cell.text), cell.style), color) + "\n")


_ANSI: Mapping[str, dict[str, Any]] = {
    "green": {"fg": "green"}, "red": {"fg": "red"}, "yellow": {"fg": "yellow"}, "cyan": {"fg": "cyan"},
    "dim": {"dim": True}, "bold": {"bold": True},
}  # fmt: skip


def wants_color(settings: Settings, stream: TextIO | None = None) -> bool:
    """On a terminal that can, or where FORCE_COLOR asks for it, unless somebody said no: --no-color, NO_COLOR.

    Both variables count when set and not empty (no-color.org, force-color.org): a log of CI is no terminal, and shows
    colours.

    Args:
        stream: where the text goes; default stdout. stderr may be a terminal when stdout is not.
    """
    if settings.no_color or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def to_json(value: Any, *, indent: bool = True) -> str:
    """JSON as UTF-8 text that is safe to show; keys in the order given."""
    import json

    import orjson

    if indent:
        try:  # the same text as json's, in a fifth of its time: 10,000 jobs are 30 MB
            return safe_json(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
        except TypeError:  # a lone surrogate, or a number beyond 64 bits: json takes them
            pass
    return safe_json(json.dumps(value, ensure_ascii=False, indent=2 if indent else None))


def to_yaml(value: Data) -> str:
    """YAML, as in status files."""
    from status.words.yaml import dump_yaml

    return dump_yaml(value)


def print_table(settings: Settings, records: Sequence[T], columns: Sequence[Column[T]]) -> None:
    """Without borders, as kubectl's. On a narrow terminal prose is cut, and columns are left out by their `rank`.

    What still does not fit is wrapped by the terminal; off a terminal, and with `-o wide`, nothing is left out.
    rich's own table takes 4 s for 10,000 rows, and folds words within narrow columns: this is plain padding.
    """
    changes = settings.changes
    headed = settings.headers and not (changes and changes.rounds)
    cells = [_Cells.of(column, records, headed=headed) for column in columns]
    widths: Sequence[int] = [max(len(column.heading), each.width) for column, each in zip(columns, cells, strict=True)]
    if changes is not None:
        changes.widths = widths = [max(pair) for pair in zip_longest(widths, changes.widths, fillvalue=0)]
    shown, widths = _fitting(settings, columns, widths)
    _print_rows(cells, columns, shown, widths, settings)


@frozen
class _Cells:
    """What a column shows of some records, fit for a terminal; `headed`: below its heading."""

    texts: list[str]
    styles: list[Style]
    plain: bool
    """All are ASCII: as wide as they are long."""

    @classmethod
    def of(cls, column: Column[T], records: Iterable[T], *, headed: bool) -> _Cells:
        cells: list[str | Cell] = [Cell(column.heading, "bold")] if headed else []
        cells += [column.show(record) for record in records]
        texts = [cell.text if isinstance(cell, Cell) else cell for cell in cells]
        styles: list[Style] = [cell.style if isinstance(cell, Cell) else "" for cell in cells]
        whole = "".join(texts)  # one look at ten thousand cells
        return cls(texts if whole.isprintable() else [*map(one_line, texts)], styles, whole.isascii())

    @property
    def width(self) -> int:
        return max(map(len if self.plain else _width, self.texts), default=0)

    def padded(self, width: int, *, right: bool, color: bool) -> list[str]:
        if color or not self.plain or self.width > width:
            pairs = zip(self.texts, self.styles, strict=True)
            return [_padded(Cell(text, style), width, right=right, color=color) for text, style in pairs]
        return [text.rjust(width) if right else text.ljust(width) for text in self.texts]


def _print_rows(
    cells: Sequence[_Cells], columns: Sequence[Column[T]], shown: Iterable[int], widths: Sequence[int],
    settings: Settings,
) -> None:  # fmt: skip
    color = wants_color(settings)
    parts = [cells[index].padded(widths[index], right=columns[index].right, color=color) for index in shown]
    between = " " * GAP
    _write("".join([f"{between.join(row).rstrip()}\n" for row in zip(*parts, strict=True)]))


def _fitting(
    settings: Settings, columns: Sequence[Column[T]], widths: Sequence[int]
) -> tuple[list[int], Sequence[int]]:
    """The places of the columns that a terminal has room for, and how wide all are then."""
    shown = list(range(len(columns)))
    if not sys.stdout.isatty() or settings.output == "wide":
        return shown, widths
    import shutil  # 2 ms, for its archives

    room = shutil.get_terminal_size().columns
    fitted = [min(width, CUT) if column.cut else width for column, width in zip(columns, widths, strict=True)]
    for rank in range(max(column.rank for column in columns), 0, -1):
        if sum(fitted[index] + GAP for index in shown) - GAP > room:
            shown = [index for index in shown if columns[index].rank != rank]
    # A wide column may have taken narrow ones with it, for which there is room now.
    for index in sorted(set(range(len(columns))) - set(shown), key=lambda index: columns[index].rank):
        if sum(fitted[other] + GAP for other in shown) + fitted[index] <= room:
            shown = sorted([*shown, index])
    for index in shown:
        left = room - sum(fitted[other] + GAP for other in shown) + GAP
        fitted[index] = min(widths[index], fitted[index] + max(0, left))
    return shown, fitted


class OpenTable(Generic[T]):
    """A table whose rows come one after another: a column grows with what is in it, and never gets narrower.

    Which columns a narrow terminal has room for is decided with the first rows.

    Args:
        widths: what the first columns take from the beginning, so that the first rows line up with later ones.
    """

    def __init__(self, settings: Settings, columns: Sequence[Column[T]], widths: Sequence[int]) -> None:
        self._settings = settings
        self._columns = columns
        self._widths = [*widths, *(0 for _ in columns[len(widths) :])]
        self._shown: list[int] = []
        self._headings = settings.headers

    def add(self, records: Sequence[T]) -> None:
        """Print these rows, before the first of them the headings."""
        if not records:
            return
        cells = [_Cells.of(column, records, headed=self._headings) for column in self._columns]
        self._headings = False
        self._widths = [max(width, each.width) for width, each in zip(self._widths, cells, strict=True)]
        self._shown = self._shown or _fitting(self._settings, self._columns, self._widths)[0]
        _print_rows(cells, self._columns, self._shown, self._widths, self._settings)


def _width(text: str) -> int:
    """Columns on the screen: a Chinese character takes two, a combining one none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _padded(cell: Cell, width: int, *, right: bool, color: bool) -> str:
    if _width(cell.text) > width:
        from rich.cells import set_cell_size

        cell = Cell(f"{set_cell_size(cell.text, width - len(_MORE)).rstrip()}{_MORE}", cell.style)
    space = " " * (width - _width(cell.text))
    text = _styled(cell, color)
    return space + text if right else text + space


def _styled(cell: Cell, color: bool) -> str:
    return click.style(cell.text, **_ANSI[cell.style]) if color and cell.style else cell.text


def _write(text: str) -> None:
    sys.stdout.write(text)
