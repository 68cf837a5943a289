"""Printing a run's log: a window of it, its tail, matching lines, or as it grows. Used by `logs`.

Streams that a spec keeps apart go to the same streams here: the job's stderr to ours.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from typing import TextIO

from cli.errors import NotFound
from cli.output import say
from cli.reading import Reading
from cli.rundir import Growing, RunDirectory
from cli.streams import A_DAY, rest
from cli.terminal import VisibleBytes
from specs.frozen import frozen
from state.logs import Log, lines_of, matching
from state.records import TERMINAL_STATES, Run, RunState
from status.words.times import relative


@frozen(kw_only=True)
class Wanted:
    """What of a log to print. Times in microseconds."""

    since: int | None = None
    until: int | None = None
    tail: int | None = None
    """Lines."""
    pattern: str | None = None
    stream: str | None = None
    follow: bool = False


class Sink:
    """One of our streams: bytes as they are into a pipe or file, made harmless on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._visible = VisibleBytes() if stream.isatty() else None
        self._at_start_of_line = True
        self.wrote = False

    def write(self, data: bytes) -> None:
        self.wrote = self.wrote or bool(data)
        if self._visible is not None:
            self._stream.write(self._visible.feed(data))
            self._at_start_of_line = data.endswith(b"\n") if data else self._at_start_of_line
        else:
            self._stream.buffer.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """The log is over: what is left of a cut character; on a terminal the next prompt gets a line of its own."""
        if self._visible is not None:
            self._stream.write(self._visible.feed(b"", final=True))
            self._stream.write("" if self._at_start_of_line else "\n")
        self._stream.flush()


def print_log(seen: Reading, run: Run, wanted: Wanted) -> None:
    """Print `wanted` of the log of `run`.

    Raises:
        NotFound: there is no such stream, or the run never wrote anything that was kept.
        InvalidQuery: the pattern is none.
    """
    if run.state is RunState.SKIPPED:
        raise NotFound(
            f"run {run.id} never ran: its slot was skipped ({run.reason})", hint=f"`jobsctl run {run.id}` tells more"
        )
    files = seen.files(run)
    active = run.state not in TERMINAL_STATES
    if sys.stderr.isatty():
        say(_heading(seen, run))
    if active and wanted.follow:
        _wait_for_log(seen, run, files)
    there = files.streams()
    if not there and active:
        why = f"; `jobsctl why {run.identity}` tells why" if run.state is RunState.BLOCKED else ""
        say(f"run {run.id} is {run.state}; it wrote nothing yet{why}")
        return
    if not there:
        ended = f"run {run.id} of {run.identity} {run.state}{f': {run.error}' if run.error else ''}"
        raise NotFound(
            f"{ended}; there is no log of it",
            hint=f"nothing was captured, or it was pruned; `jobsctl why {run.identity}` tells more",
        )
    if wanted.stream is not None and wanted.stream not in there:
        raise NotFound(
            f"run {run.id} has no log of {wanted.stream} alone: both went into one",
            hint="without --stream it is printed; `capture: {streams: separate}` keeps them apart",
        )
    chosen = [wanted.stream] if wanted.stream else list(there)
    sinks = {name: Sink(sys.stderr if name == "stderr" and not wanted.stream else sys.stdout) for name in chosen}
    ends: dict[str, int] = {}
    for name, sink in sinks.items():
        with files.log(name) as log:
            ends[name] = _print_now(log, sink, wanted, goes_on=active and wanted.follow)
        sink.flush()
    if active and wanted.follow:
        with ExitStack() as open_ones:
            followers = {
                name: open_ones.enter_context(closing(files.growing(name, start=ends[name]))) for name in sinks
            }
            _follow(seen, run, followers, sinks, wanted)
    for sink in sinks.values():
        sink.close()
    if not (active and wanted.follow) and not any(sink.wrote for sink in sinks.values()):
        say(_nothing(run, wanted))


def _nothing(run: Run, wanted: Wanted) -> str:
    """Why nothing was printed."""
    if (wanted.pattern, wanted.since, wanted.until, wanted.tail) != (None, None, None, None):
        return "no line fits"
    return f"run {run.id} {run.state}: {run.error}; it wrote nothing" if run.error else f"run {run.id} wrote nothing"


def _heading(seen: Reading, run: Run) -> str:
    """Whose output it is, and how old: a log alone does not say that it is yesterday's."""
    when = f"ended {relative(run.finished_at, seen.now)}" if run.finished_at is not None else "not over"
    return f"run {run.id} of {run.identity}: {run.state}, {when}"


def _print_now(log: Log, sink: Sink, wanted: Wanted, *, goes_on: bool) -> int:
    """Print what is there. Where it ended: whole lines only when more is to come and lines are chosen."""
    end = log.size if wanted.until is None else log.offset_until(wanted.until)
    start = 0 if wanted.since is None else log.offset_since(wanted.since)
    pieces: Iterable[bytes]
    if wanted.tail is not None and wanted.until is None:
        start = max(start, log.tail_offset(wanted.tail))
        pieces = log.read(start, end)
    elif wanted.tail is not None:
        pieces = deque(lines_of(log.read(start, end)), maxlen=wanted.tail)
    else:
        pieces = log.read(start, end)
    if wanted.pattern is not None:
        if goes_on:
            unfinished = _Unfinished(pieces)
            pieces = matching(unfinished, wanted.pattern)
            for piece in pieces:
                sink.write(piece)
            return end - len(unfinished.rest)
        pieces = matching(pieces, wanted.pattern)
    for piece in pieces:
        sink.write(piece)
    return end


class _Unfinished:
    """Passes whole lines on and keeps the beginning of the last one, which is still being written."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.rest = b""

    def __iter__(self) -> Iterator[bytes]:
        for line in lines_of(self._pieces):
            if line.endswith(b"\n"):
                yield line
            else:
                self.rest = line


def _wait_for_log(seen: Reading, run: Run, files: RunDirectory) -> None:
    while not files.streams() and seen.reader.run(run.id).state not in TERMINAL_STATES:
        rest(seen.pause)


def _follow(seen: Reading, run: Run, followers: dict[str, Growing], sinks: dict[str, Sink], wanted: Wanted) -> None:
    rests = dict.fromkeys(followers, b"")
    over = False
    while True:
        # Asked before reading: what was written before the end is read after it.
        over = over or _is_over(seen, run, followers)
        new = False
        for name, follower in followers.items():
            data = follower.poll()
            new = new or bool(data)
            if wanted.pattern is not None:
                whole, newline, rests[name] = (rests[name] + data).rpartition(b"\n")
                data = b"".join(matching([whole + newline], wanted.pattern))
                if over and not new:
                    last, rests[name] = rests[name], b""  # another stream may want one more round
                    data += b"".join(matching([last], wanted.pattern))
            if data:
                sinks[name].write(data)
                sinks[name].flush()
        if over and not new:
            break
        if not new and not all(follower.over for follower in followers.values()):  # one may just have said so
            bells = [follower.bell for follower in followers.values() if follower.bell is not None]
            rest(A_DAY if bells else seen.pause, *bells)
    ended = seen.reader.run(run.id)
    say(f"run {ended.id} {ended.state}" + (f": {ended.error}" if ended.error else ""))


def _is_over(seen: Reading, run: Run, followers: dict[str, Growing]) -> bool:
    """Whether nothing is written any more."""
    told = [follower.over for follower in followers.values()]
    return seen.reader.run(run.id).state in TERMINAL_STATES if None in told else all(told)
