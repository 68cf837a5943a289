"""The logs of all runs of a job, as one is followed: those that run now, then each further run as it starts.

Used by `status.streams.logs` and `.routes`. Driven by the job's events, whose order is that of what happened: a start
opens a run's logs, an end closes them when all of them was told. So a place in it is the id of the last event that was
taken, and how far each open log was told: `17+01m7yhz29aer7whczpkpf7957w.output:15`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from state.errors import NotFound
from state.logs import Log, streams
from state.records import ACTIVE_STATES, Event, Run, RunState
from state.runfiles import STREAMS
from status.lists.summaries import run_summary
from status.streams.known import RENAMED, STARTED, Known, Step, Target
from status.streams.pieces import end_of_line, end_of_text, piece_of
from status.streams.sse import END, message, name_of

MOST_OPEN = 50
"""Runs of a job whose logs are told at once; further ones when one of them is over."""
EVENTS_AT_ONCE = 100
_OPEN = re.compile(rf"(?P<run>[0-9a-z]{{26}})(?P<streams>(?:\.(?:{'|'.join(STREAMS)}):[0-9]{{1,18}}){{0,3}})")


@dataclass(frozen=True, slots=True, order=True)
class Open:
    """A run whose logs are told: how far each stream was. One of which nothing was told is left out."""

    run_id: str
    told: tuple[tuple[str, int], ...] = ()

    def of(self, stream: str) -> int:
        return dict(self.told).get(stream, 0)

    def at(self, stream: str, offset: int) -> Open:
        told = dict(self.told) | ({stream: offset} if offset else {})
        return Open(self.run_id, tuple(sorted(told.items())))


@dataclass(frozen=True, slots=True)
class Mark:
    """A position. `runs` are sorted: equal places are equal."""

    event: int
    """The id of the last event that was taken."""
    runs: tuple[Open, ...] = ()

    def __str__(self) -> str:
        runs = (f"+{run.run_id}" + "".join(f".{name}:{offset}" for name, offset in run.told) for run in self.runs)
        return f"{self.event}{''.join(runs)}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Raises ValueError."""
        first, *rest = text.split("+")
        found = [_OPEN.fullmatch(each) for each in rest]
        if not (first.isascii() and first.isdigit() and len(first) <= 18) or None in found or len(found) > MOST_OPEN:
            raise ValueError("no id of a stream of a job's logs")
        runs = [
            Open(each["run"], tuple(sorted((name, int(offset)) for name, _, offset in
                                           (part.partition(":") for part in each["streams"].split(".")[1:]))))
            for each in found if each is not None
        ]  # fmt: skip
        return cls(int(first), tuple(sorted(runs)))

    def open(self, run_id: str) -> Open | None:
        return next((run for run in self.runs if run.run_id == run_id), None)

    def taking(self, event: int, *, opened: Iterable[Open] = (), closed: str | None = None) -> Mark:
        """Behind that event."""
        left = [run for run in self.runs if run.run_id != closed]
        return Mark(event, tuple(sorted([*left, *opened])))

    def telling(self, run: Open) -> Mark:
        """With more of a run's logs told."""
        return replace(self, runs=tuple(run if each.run_id == run.run_id else each for each in self.runs))


@dataclass(frozen=True, slots=True)
class JobLogs:
    """Of which job, and what of its logs. `stream`, `wanted`, `end` as of one log; None: all streams there are."""

    job_id: int
    stream: str | None = None
    wanted: bytes | None = None
    end: int | None = None
    project: str | None = None

    def now(self, known: Known) -> Mark:
        """Where it is now, with nothing of what runs told."""
        newest = known.newest()
        running = known.reader.runs(job_id=self.job_id, states=[RunState.RUNNING], limit=MOST_OPEN)
        # What started since the newest event was asked for is told by its event.
        since = {event.run_id for event in known.reader.events(job_id=self.job_id, after=newest)}
        return Mark(newest, tuple(sorted(Open(run.id) for run in running if run.id not in since)))

    def target(self, known: Known, head: Mark) -> Target[Mark]:
        if self.project is not None:
            job = known.reader.job_by_id(self.job_id)
            if job is None or job.project != self.project:
                return Target(head, gone=True)
        over = self.end is not None and known.now >= self.end
        newest, mark = known.newest(), head
        events = known.events(self.job_id, after=head.event, through=newest, limit=EVENTS_AT_ONCE)
        for event in events:
            if event.reason == RENAMED:
                return Target(head, gone=True)
            match self._means(known, mark, event):
                case ("start", Run() as run) if len(mark.runs) < MOST_OPEN:
                    mark = mark.taking(event.id or 0, opened=[Open(run.id)])
                case ("start", _):
                    break
                case ("end", Run() as run):
                    mark = mark.taking(event.id or 0, closed=run.id)
                case _:
                    mark = mark.taking(event.id or 0)
        else:
            if len(events) < EVENTS_AT_ONCE:
                mark = mark.taking(max(newest, head.event))
        for each in mark.runs:
            told, known_run = each, known.run(each.run_id)
            if known_run is None:
                mark = mark.taking(mark.event, closed=each.run_id)
                continue
            for stream in self._streams(known, known_run):
                told = told.at(stream, self._size(known, known_run, stream, each.of(stream), whole=over))
            mark = mark.telling(told)
        return Target(mark, ending=_ending("end") if over and mark.event >= newest else None)

    def step(self, known: Known, position: Mark, through: Mark, lines: int | None) -> Step[Mark]:
        for each in position.runs:
            run = known.run(each.run_id)
            if run is None:
                return Step(b"", position.taking(position.event, closed=each.run_id))
            bound = through.open(each.run_id)
            for stream in self._streams(known, run):
                found = self._text(known, position, each, run, stream, bound, lines)
                if found is not None:
                    return found
        return self._boundary(known, position, through, lines)

    def _text(
        self, known: Known, position: Mark, told: Open, run: Run, stream: str, bound: Open | None, lines: int | None
    ) -> Step[Mark] | None:
        """The next piece of a log, if there is one: up to `bound`, or all of it when the run is over there."""
        start = told.of(stream)
        over = bound is None or (self.end is not None and known.now >= self.end)
        end = self._size(known, run, stream, start, whole=True) if bound is None else bound.of(stream)
        if start >= end:
            return None
        try:
            with Log(known.home.run_dir_of(run), stream) as log:
                piece = piece_of(log, start, end, all_there=over, wanted=self.wanted, lines=lines)
        except NotFound:
            return None
        if piece.end <= start:
            return None
        mark = position.telling(told.at(stream, piece.end))
        left = None if lines is None else lines - piece.lines
        data = {"run": run.id, "stream": stream, "start": start, "end": piece.end, "text": piece.text}
        text = message(name_of(str(mark), left), data) if piece.data else b""
        return Step(text, mark, piece.lines, _ending("limit") if left == 0 else None)

    def _boundary(self, known: Known, position: Mark, through: Mark, lines: int | None) -> Step[Mark]:
        """The next start or end of a run, when all that was open has been told."""
        events = known.events(self.job_id, after=position.event, through=through.event, limit=1)
        if not events:
            return Step(b"", position.taking(max(position.event, through.event)))
        event = events[0]
        match self._means(known, position, event):
            case ("start", Run() as run):
                mark, kind = position.taking(event.id or 0, opened=[Open(run.id)]), "run"
            case ("end", Run() as run) if position.open(run.id) is None:
                # Its start was never stored: it ended while nobody was there to note it. It is told all the same.
                mark, kind = position.taking((event.id or 1) - 1, opened=[Open(run.id)]), "run"
            case ("end", Run() as run):
                mark, kind = position.taking(event.id or 0, closed=run.id), "ended"
            case _:
                return Step(b"", position.taking(event.id or 0))
        return Step(message(name_of(str(mark), lines), run_summary(run), event=kind), mark)

    def _means(self, known: Known, mark: Mark, event: Event) -> tuple[str, Run | None]:
        """What an event is to the logs: the start of a run, its end, or nothing."""
        run = None if event.run_id is None else known.run(event.run_id)
        began = None if run is None else run.started_at
        if run is None or run.state is RunState.SKIPPED:
            return "nothing", None
        if self.end is not None and (event.at if began is None else began) >= self.end:
            return "nothing", None
        if event.reason == STARTED:
            return ("nothing" if mark.open(run.id) else "start"), run
        is_end = run.state not in ACTIVE_STATES and (event.at, event.reason) == (run.finished_at, run.reason)
        # What waited and was then not wanted never ran; of what could not be started people want to know.
        return ("end" if is_end and (began is not None or run.state is RunState.FAILED) else "nothing"), run

    def _streams(self, known: Known, run: Run) -> list[str]:
        there = streams(known.home.run_dir_of(run))
        return [name for name in there if self.stream in (None, name)]

    def _size(self, known: Known, run: Run, stream: str, floor: int, *, whole: bool) -> int:
        """How much of a log can be told; `whole`: its last character and line will not become longer."""
        try:
            with Log(known.home.run_dir_of(run), stream) as log:
                size = log.size if self.end is None else log.offset_until(self.end)
                if not whole:
                    size = end_of_text(log, size) if self.wanted is None else end_of_line(log, size, floor=floor)
        except NotFound:
            return floor
        return max(size, floor)


def _ending(reached: str) -> bytes:
    """The last event: which bound ended the stream."""
    return message(END, {"reached": reached}, event=END)
