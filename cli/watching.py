"""`--watch`: a reader's command again and again, until Ctrl-C. Called by `cli.options.watchable`.

Tables on a terminal are drawn over themselves, on the alternate screen: one write per picture, no flicker, and the
screen is as it was afterwards, with the last picture left below the prompt. Everywhere else, and for `-o json` and its
like, only what changed is appended (`Changes`), and nothing is read while the database did not change.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, TextIO, TypeVar

import click
import orjson

from cli.errors import CliError
from cli.options import Settings
from cli.output import Cell, print_lines, say
from cli.reading import reading
from cli.streams import rest
from cli.terminal import visible
from state.errors import StateError
from status.words.times import stamp

T = TypeVar("T")
REST_SHARE = 4
"""It rests at least this many times as long as a round took: at most a fifth of one processor."""
ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?7l"
"""The other screen; no cursor; long lines are cut, not wrapped: each line of a picture stays one line."""
LEAVE = b"\x1b[?7h\x1b[?25h\x1b[?1049l"
HEADING = 2
"""Lines above the command's own."""
TERMINATED = 128 + signal.SIGTERM


class Changes:
    """What was printed already, so that only what is new or other is printed again."""

    def __init__(self) -> None:
        self.rounds = 0
        self.widths: list[int] = []
        """Of the table's columns: later rows stand below the first ones."""
        self._printed: dict[str, int] = {}

    def of(self, records: Sequence[T], name: Callable[[T], str], view: Callable[[T], Any]) -> list[T]:
        """The records that were not there the time before, or looked different. Told apart by name and view."""
        # Their hashes: the views of 10,000 jobs are 100 MB.
        now = {name(record): hash(orjson.dumps(view(record), option=orjson.OPT_NON_STR_KEYS)) for record in records}
        changed = [record for record in records if self._printed.get(name(record)) != now[name(record)]]
        self._printed = now
        return changed


class Picture(io.StringIO):
    """Takes what a command prints; to the command it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Alarm:
    """Waiting that a resize or a signal ends at once."""

    def __enter__(self) -> Alarm:
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_blocking(end, False)
        self._before = {
            number: signal.signal(number, handler)
            for number, handler in ((signal.SIGWINCH, _nothing), (signal.SIGTERM, _terminate))
        }
        self._fd_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Until then, or a signal."""
        rest(seconds, self._read)
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Only here so that the signal ends the waiting."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise click.exceptions.Exit(TERMINATED)


def watch(settings: Settings, interval: float, show: Callable[[], int]) -> int:
    """Call `show` until it says that it is over (`settings.over`) or somebody interrupts; its last exit code.

    Args:
        interval: seconds between two rounds.
        show: the command: prints through `cli.output`.
    """
    in_place = sys.stdout.isatty() and settings.output in ("table", "wide") and os.environ.get("TERM") != "dumb"
    settings.changes = None if in_place else Changes()
    with reading(settings) as seen, Alarm() as alarm:
        settings.kept = seen
        try:
            return (_draw_on if in_place else _append)(settings, interval, show, alarm)
        finally:
            settings.kept = None


def _append(settings: Settings, interval: float, show: Callable[[], int], alarm: Alarm) -> int:
    changes, kept = settings.changes, settings.kept
    assert changes is not None
    assert kept is not None
    version = kept.version()
    code = show()
    sys.stdout.flush()
    told: str | None = None
    while not settings.over:
        alarm.wait(interval)
        try:
            now = kept.version()
            if now == version:
                continue
            # What it says besides data (that there are more, that the daemon is down) was said the first time.
            changes.rounds += 1
            with contextlib.redirect_stderr(io.StringIO()):
                code = show()
            version, told = now, None
        except (CliError, StateError) as error:
            # A daemon that restarts, a database that is busy: what is watched for may still come.
            if str(error) != told:
                say(f"error: {error}; trying again")
            told = str(error)
        sys.stdout.flush()
    return code


def _draw_on(settings: Settings, interval: float, show: Callable[[], int], alarm: Alarm) -> int:
    lines: list[str] = []
    stream = sys.stdout
    try:
        with _screen(stream):
            while True:
                began = time.monotonic()
                picture = Picture()
                try:
                    with contextlib.redirect_stdout(picture), contextlib.redirect_stderr(picture):
                        _heading(settings, interval)
                        code = show()
                except (CliError, StateError) as error:
                    if not lines:
                        raise
                    picture.write(f"error: {visible(str(error))}; trying again\n")
                lines = _fitting(picture.getvalue().splitlines())
                _draw(stream, lines)
                if settings.over:
                    return code
                alarm.wait(max(interval, REST_SHARE * (time.monotonic() - began)))
    finally:
        stream.write("".join(f"{line}\n" for line in lines[HEADING:]))
        stream.flush()


def _heading(settings: Settings, interval: float) -> None:
    place = settings.server or str(settings.home.root)
    print_lines(settings, [Cell(f"{stamp(settings.now())}  every {interval:g}s  {place}  Ctrl-C ends", "dim"), ""])


def _fitting(lines: list[str]) -> list[str]:
    """What the terminal is high enough for."""
    height = max(shutil.get_terminal_size().lines, HEADING + 1)
    if len(lines) <= height:
        return lines
    return [*lines[: height - 1], f"... and {len(lines) - height + 1} more lines"]


def _draw(stream: TextIO, lines: Sequence[str]) -> None:
    """Over the picture before: from the top, each line to its end cleared, and what is below."""
    stream.write("\x1b[H" + "\n".join(f"{line}\x1b[K" for line in lines) + "\x1b[J")
    stream.flush()


@contextlib.contextmanager
def _screen(stream: TextIO) -> Iterator[None]:
    """The other screen, with typed characters not shown; given back whatever happens, also while stopped (Ctrl-Z)."""
    keyboard = _Keyboard()

    def enter() -> None:
        keyboard.silence()
        os.write(stream.fileno(), ENTER)

    def leave() -> None:
        os.write(stream.fileno(), LEAVE)
        keyboard.restore()

    def stop(number: int, _frame: FrameType | None) -> None:
        leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # until somebody continues us
        signal.signal(number, stop)
        enter()

    stream.flush()
    before = signal.signal(signal.SIGTSTP, stop)
    try:
        enter()
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)
        leave()


class _Keyboard:
    """Standard input, when it is a terminal."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None
        with contextlib.suppress(OSError, ValueError, termios.error):
            self._fd = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._fd)

    def silence(self) -> None:
        """What is typed is not shown: it would be written into the picture."""
        if self._before is not None:
            silent = [*self._before]
            silent[3] &= ~termios.ECHO
            self._set(silent)

    def restore(self) -> None:
        """As it was; what was typed meanwhile is dropped."""
        if self._before is not None:
            self._set(self._before)

    def _set(self, attributes: list[Any]) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, attributes)
