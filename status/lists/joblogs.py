"""`/api/v1/jobs/{job}/logs`: what the runs of a job wrote, one run after another. Called by `status.api`, in a thread.

The bounds are those of one log (`status.lists.logs`) for all together, and so many runs, the newest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from state.errors import NotFound as NoLog
from state.home import Home
from state.logs import Log, lines_of, streams
from state.reads import Reader
from state.records import Run, RunState
from status.lists.logs import PARAMETERS as OF_A_RUN
from status.lists.logs import Cut, LogQuery, read_log
from status.views import View
from status.words.instants import rfc3339

MOST_RUNS = 100
PARAMETERS = OF_A_RUN | {"format"}
FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class Written:
    """What one run wrote to one stream, the wanted part."""

    run: Run
    stream: str
    data: bytes

    def lines(self) -> Iterator[bytes]:
        """Each with the run it is of before it, and a newline behind it."""
        head = f"{self.run.id} ".encode()
        for line in lines_of([self.data]):
            yield head + (line if line.endswith(b"\n") else line + b"\n")

    def view(self) -> View:
        """Bytes that are no UTF-8 are told as U+FFFD."""
        return {
            "run": self.run.id,
            "state": self.run.state.value,
            "startedAt": rfc3339(self.run.started_at),
            "stream": self.stream,
            "text": self.data.decode("utf-8", "replace"),
        }


def read_job_log(home: Home, reader: Reader, job_id: int, wanted: LogQuery, cut: Cut) -> list[Written]:
    """The wanted part, the oldest run first; `cut` is told when a bound ended it early.

    With `wanted.tail` the last lines of all, else the first of the runs that are looked through.
    """
    runs = _runs(reader, job_id, wanted, cut)
    last = wanted.tail is not None
    rest = min(wanted.tail or wanted.limit, wanted.limit)
    found: list[Written] = []
    for run, stream in _streams(home, runs if last else runs[::-1], wanted.stream, backwards=last):
        if cut.room <= 0:
            cut.why = "bytes"
        if rest <= 0 or cut.why in ("bytes", "searched"):
            break
        try:
            with Log(home.run_dir_of(run), stream) as log:
                data = read_log(log, replace(wanted, limit=rest, tail=rest if last else None), cut)
        except NoLog:
            continue  # pruned since it was listed
        if data:
            found.append(Written(run, stream, data))
            rest -= data.count(b"\n") + (not data.endswith(b"\n"))
    return found[::-1] if last else found


def _runs(reader: Reader, job_id: int, wanted: LogQuery, cut: Cut) -> list[Run]:
    """Those that may have written in the window, the newest first."""
    states = [state for state in RunState if state is not RunState.SKIPPED]
    runs = reader.runs(job_id=job_id, states=states, until=wanted.end, limit=MOST_RUNS + 1)
    start = wanted.start
    runs = [run for run in runs if start is None or run.finished_at is None or run.finished_at >= start]
    if len(runs) > MOST_RUNS:
        cut.why = "runs"
    return runs[:MOST_RUNS]


def _streams(home: Home, runs: list[Run], named: str | None, *, backwards: bool) -> Iterator[tuple[Run, str]]:
    for run in runs:
        there = [stream for stream in streams(home.run_dir_of(run)) if named in (None, stream)]
        for stream in reversed(there) if backwards else there:
            yield run, stream
