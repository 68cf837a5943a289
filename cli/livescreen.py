"""The screen of `top`: drawn anew in place, with a few keys. rich draws it; this reads keys and minds the signals.

The terminal is given back as it was in every way of ending: `q`, Ctrl-C, SIGTERM, SIGHUP, an exception; and while the
program is stopped with Ctrl-Z. What an end does is raised out of the wait or the work, so it ends at once.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.livelook import Looker, Sort, head_lines, in_sort, machine_load, running_columns, waiting_columns
from cli.options import Settings
from cli.output import Cell, Column, counted, wants_color
from cli.terminal import one_line
from status.live import Snapshot

T = TypeVar("T")

KEYS = "q quit   c CPU   m memory   t time   p pause   ? keys"
HELP = (
    "q, Ctrl-C   quit",
    "c           the most CPU first",
    "m           the most memory first",
    "t           the longest first",
    "p, space    pause, go on",
    "?           this, and back",
    "",
    "CPU: 100% is one processor. Runs are looked at each second, old ones each 15.",
    "`jobsctl logs -f JOB` follows what one writes, `jobsctl cancel RUN` stops one.",
)
WORDS = 16
"""Columns on the screen below which words say too little."""
AROUND_QUEUE = 3
"""Lines around the rows of what waits: a blank one, how many there are, the headings."""
SORTS: dict[str, Sort] = {"c": "cpu", "m": "memory", "t": "time"}


class Ended(BaseException):
    """Raised out of whatever goes on when a signal asks the program to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Screen:
    """What is shown: a snapshot, and how it is sorted."""

    def __init__(self, settings: Settings, sort: Sort) -> None:
        self._settings = settings
        self._sort = sort
        self._paused = self._help = self._over = False
        self._snapshot: Snapshot | None = None
        self._console = Console(
            no_color=not wants_color(settings), highlight=False, markup=False, emoji=False, soft_wrap=False
        )

    def run(self, delay: float) -> None:
        """Show and go on until `q`. Raises KeyboardInterrupt; dies of SIGTERM and SIGHUP, the terminal given back."""
        looker = Looker(self._settings)
        # Before the screen is taken: what is wrong with the home is told as ever.
        self._snapshot = looker.look()
        try:
            with _terminal(self._console) as terminal:
                monotonic = self._settings.clock.monotonic
                due = monotonic() + delay
                while not self._over:
                    terminal.draw(self._drawing())
                    for key in terminal.keys(max(due - monotonic(), 0.0)):
                        self._press(key)
                    if monotonic() >= due:
                        due = monotonic() + delay
                        if not self._paused:
                            self._snapshot = looker.look()
        except Ended as end:
            # As if nobody had minded the signal: whoever waits for us sees what ended us.
            signal.signal(end.number, signal.SIG_DFL)
            os.kill(os.getpid(), end.number)

    def _press(self, key: str) -> None:
        match key.lower():
            case "q":
                self._over = True
            case "p" | " ":
                self._paused = not self._paused
            case "?" | "h":
                self._help = not self._help
            case "c" | "m" | "t" as word:
                self._sort = SORTS[word]

    def _drawing(self) -> RenderableType:
        """The screen, as tall as the terminal: what does not fit is counted."""
        assert self._snapshot is not None
        snapshot, height = self._snapshot, self._console.height
        lines: list[RenderableType] = [_text(cell) for cell in head_lines(snapshot, load=machine_load(self._settings))]
        if self._help:
            return Group(*lines, Text(), *(Text(line, no_wrap=True, overflow="ellipsis") for line in HELP))
        room = height - len(lines) - 3  # a blank line, the headings, the keys
        queue = _share(room - AROUND_QUEUE, len(snapshot.running), len(snapshot.waiting))
        room -= queue + AROUND_QUEUE if queue else 0
        lines.append(Text())
        running = in_sort(snapshot.running, self._sort)
        if running:
            lines += self._table(running, running_columns(snapshot.at), room)
        else:
            lines.append(Text("Nothing runs."))
        if queue:
            lines.append(Text())
            lines.append(_text(Cell(f"{counted(len(snapshot.waiting), 'run')} waiting", "bold")))
            lines += self._table(snapshot.waiting, waiting_columns(snapshot.at), queue)
        state = "PAUSED   " if self._paused else ""
        lines.append(_text(Cell(f"{state}by {self._sort}   {KEYS}", "dim")))
        return Group(*lines)

    def _table(self, records: Sequence[T], columns: Sequence[Column[T]], room: int) -> list[RenderableType]:
        """Rows that fit; columns are left out by their rank on a narrow terminal."""
        shown = records if len(records) <= room else records[: max(room - 1, 0)]
        cells = {
            column.heading: [_text(column.show(record)) for record in shown] for column in columns
        }  # fmt: skip
        widths = {
            column.heading: max([len(column.heading), *(text.cell_len for text in cells[column.heading])])
            for column in columns
        }
        # The last column is for words, of any length: it is cut before another one is left out.
        whole, widths[columns[-1].heading] = widths[columns[-1].heading], min(widths[columns[-1].heading], WORDS)
        kept = list(columns)
        for rank in range(max(column.rank for column in columns), 0, -1):
            if sum(widths[column.heading] + 2 for column in kept) - 2 > self._console.width:
                kept = [column for column in kept if column.rank != rank]
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
        left = self._console.width - sum(widths[column.heading] + 2 for column in kept[:-1])
        for column in kept:
            width = min(whole, left) if column is columns[-1] else widths[column.heading]
            table.add_column(
                column.heading, justify="right" if column.right else "left", no_wrap=True, overflow="ellipsis",
                width=max(width, 1),
            )  # fmt: skip
        for row in range(len(shown)):
            table.add_row(*(cells[column.heading][row] for column in kept))
        more = len(records) - len(shown)
        return [table, _text(Cell(f"and {more} more", "dim"))] if more else [table]


def _share(room: int, running: int, waiting: int) -> int:
    """Rows for what waits: what the running leave, and a third at least. None where both do not fit."""
    return min(waiting, max(room // 3, room - max(running, 1))) if room >= 2 else 0


def _text(shown: str | Cell) -> Text:
    cell = shown if isinstance(shown, Cell) else Cell(shown)
    return Text(one_line(cell.text), style=cell.style, no_wrap=True, overflow="ellipsis")


class _Terminal:
    """The alternate screen, keys without waiting for a line, and signals. Made by `_terminal`."""

    def __init__(self, console: Console, wake: int) -> None:
        self._console = console
        self._wake = wake
        self._input = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._before: list[Any] | None = None
        self._live: Live | None = None

    def enter(self) -> None:
        """Take the screen."""
        if self._input is not None:
            self._before = termios.tcgetattr(self._input)
            tty.setcbreak(self._input, termios.TCSANOW)
        self._live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False,
            vertical_overflow="crop",
        )  # fmt: skip
        self._live.start()

    def leave(self) -> None:
        """Give it back as it was. The terminal may be gone (SIGHUP): then nothing is to be given back."""
        live, self._live = self._live, None
        with suppress(OSError):
            if live is not None:
                live.stop()
        before, self._before = self._before, None
        if self._input is not None and before is not None:
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._input, termios.TCSANOW, before)

    def draw(self, drawing: RenderableType) -> None:
        if self._live is not None:
            self._live.update(drawing, refresh=True)

    def keys(self, seconds: float) -> Iterator[str]:
        """What is pressed within this time; ends early when something is, or a signal came."""
        watched = [self._wake, *(() if self._input is None else (self._input,))]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._wake in ready:
            numbers = set(os.read(self._wake, 64))
            if signal.SIGTSTP in numbers:
                self._stop()
            elif signal.SIGCONT in numbers:  # after a SIGSTOP, which nobody can mind: the shell had the terminal
                self.leave()
                self.enter()
        if self._input is not None and self._input in ready:
            typed = os.read(self._input, 64)
            if not typed:
                self._input = None  # the terminal hung up
                yield "q"
            if not typed.startswith(b"\x1b"):  # an arrow, say
                yield from typed.decode(errors="ignore")

    def _stop(self) -> None:
        """Ctrl-Z: stop as any program does, with the terminal as it was; go on with `fg`."""
        self.leave()
        minded = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, minded)
        with suppress(BlockingIOError):
            os.read(self._wake, 64)  # the SIGCONT of `fg`
        self.enter()


@contextmanager
def _terminal(console: Console) -> Iterator[_Terminal]:
    """The terminal taken, and given back."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Ended(number)

    def woken(number: int, frame: FrameType | None) -> None:
        """The number is in the pipe: see `signal.set_wakeup_fd`."""

    minded: dict[int, Callable[[int, FrameType | None], None]] = {
        signal.SIGTERM: end, signal.SIGHUP: end, signal.SIGTSTP: woken, signal.SIGCONT: woken, signal.SIGWINCH: woken,
    }  # fmt: skip
    read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    wakeup = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    # What whoever started us told us not to mind (`nohup`) stays so.
    before = {
        number: signal.signal(number, handler)
        for number, handler in minded.items()
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    terminal = _Terminal(console, read_end)
    try:
        terminal.enter()
        yield terminal
    finally:
        terminal.leave()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(read_end)
        os.close(write_end)
