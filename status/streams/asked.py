"""What a request for the log of a run, or for the logs of a job, as they grow means. Used by `status.streams.routes`.

In threads: reads the database and the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request

from state.errors import NotFound as NoLog
from state.logs import Log, streams
from state.records import ACTIVE_STATES, Run, RunState
from status.lists.events import event_key
from status.lists.logs import MOST_LINES, MOST_SEARCHED, PARAMETERS, LogQuery, stream_of
from status.server.errors import BadRequest, Unprocessable
from status.server.query import Query
from status.streams.joblogs import JobLogs, Mark, Open
from status.streams.known import OF_RUNS, STARTED, Followed, Known
from status.streams.pieces import start_of_last
from status.streams.runlog import RunLog
from status.streams.sse import END, FOLLOW, name_of, refuse

T = TypeVar("T")
OF_A_JOB = PARAMETERS | {"format"}
MOST_RUNS = 100
"""Among so many runs of a job, the newest, those are looked for that had begun at an instant and were not over."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What to follow, from where, and where it is now."""

    followed: Followed[Any]
    position: Any
    head: Any
    lines: int | None
    """At most so many; None: all."""

    @property
    def id(self) -> str:
        """Told first: whence to come back, should the connection break before anything was sent."""
        return name_of(str(self.position), self.lines)


def run_log(known: Known, request: Request, run: Run, *, now: int, own: str | None) -> Beginning | None:
    """Of one run; None when the client has had the last event already.

    Raises:
        BadRequest, Unprocessable, NotFound: the query cannot be understood; the run has no such log.
        StateError: the database cannot be read.
    """
    query = Query(request.scope["query_string"], known=PARAMETERS)
    query.flag(FOLLOW)
    wanted = LogQuery.of(query, now=now)
    has_end = query.text("limit") is not None or wanted.end is not None
    place = RunLog(
        run.id, known.home.run_dir_of(run), stream_of(known.home, run, wanted.stream), _text(wanted), wanted.end, own
    )
    if _has_all(request) and (has_end or run.state not in ACTIVE_STATES):
        return None
    head = place.target(known, 0).head
    came_back, lines = _came_back(request, event_key, query)
    if lines == 0:
        return None
    if came_back is None:
        try:
            with Log(place.directory, place.stream) as log:
                came_back = _start(log, wanted, head)
        except NoLog:
            came_back = 0  # nothing was written yet
    return Beginning(place, min(came_back, head), head, lines)


def job_logs(known: Known, request: Request, job_id: int, *, now: int, own: str | None) -> Beginning | None:
    """Of all runs of a job; None when the client has had the last event already.

    Begins with what the runs that run now wrote, all of it or its last lines (`tail`: of the newest run when none
    runs), or with what runs wrote since an instant, and goes on with each further run. Raises as `run_log`.
    """
    query = Query(request.scope["query_string"], known=OF_A_JOB)
    query.flag(FOLLOW)
    refuse(query, ("format",))
    wanted = LogQuery.of(query, now=now)
    if wanted.tail is not None and wanted.start is not None:
        raise Unprocessable("a stream of several runs begins at an instant or with its last lines: give one of them")
    if _has_all(request) and (query.text("limit") is not None or wanted.end is not None):
        return None
    logs = JobLogs(job_id, wanted.stream, _text(wanted), wanted.end, own)
    begin = logs.now(known)
    came_back, lines = _came_back(request, Mark.parse, query)
    if lines == 0:
        return None
    if came_back is not None:
        position = _checked(known, job_id, came_back, begin)
    elif wanted.start is not None:
        position = _since(known, logs, wanted.start, begin)
    elif wanted.tail is not None:
        position = _last(known, logs, wanted, begin)
    else:
        position = begin
    return Beginning(logs, position, logs.target(known, begin).head, lines)


def last_event_id(request: Request) -> str | None:
    """Where a client that comes back was; None for a newcomer, also for one that begins anew after the end."""
    given = request.headers.get("last-event-id", "")
    return None if given in ("", END) else given


def position_of(given: str, parse: Callable[[str], T]) -> T:
    """Raises BadRequest for what was never sent."""
    try:
        return parse(given)
    except ValueError:
        raise BadRequest(f"Last-Event-ID {given[:100]!r} is none that was sent", header="Last-Event-ID") from None


def _has_all(request: Request) -> bool:
    return request.headers.get("last-event-id") == END


def _came_back(request: Request, parse: Callable[[str], T], query: Query) -> tuple[T | None, int | None]:
    """Where a client was, and how many lines it is still to get. Raises BadRequest."""
    limit = query.whole("limit", least=1, most=MOST_LINES)
    given = last_event_id(request)
    if given is None:
        return None, limit
    place, _, left = given.partition("/")
    if limit is None:
        return position_of(given, parse), None
    lines = position_of(left, event_key) if left else limit
    if lines > limit:
        raise BadRequest(f"Last-Event-ID {given[:100]!r} is none that was sent", header="Last-Event-ID")
    return position_of(place, parse), lines


def _text(wanted: LogQuery) -> bytes | None:
    return None if wanted.filter is None else wanted.filter.encode("utf-8", "surrogateescape")


def _start(log: Log, wanted: LogQuery, size: int) -> int:
    """Where in a log one begins that has nothing of it."""
    start = 0 if wanted.start is None else log.offset_since(wanted.start)
    if wanted.tail is None:
        return start
    floor = max(start, size - MOST_SEARCHED)
    text = _text(wanted)
    if text is not None or wanted.end is not None:
        return start_of_last(log, text or b"", wanted.tail, floor=floor, end=size)
    return log.tail_offset(wanted.tail, floor=floor)


def _checked(known: Known, job_id: int, mark: Mark, now: Mark) -> Mark:
    """A place that was sent to this client, or to another one of this job. Raises BadRequest."""
    runs = known.reader.runs_of_ids(run.run_id for run in mark.runs)
    if any(run.job_id != job_id for run in runs.values()):
        raise BadRequest("Last-Event-ID is of another job", header="Last-Event-ID")
    if mark.event > now.event:
        return now  # of another database, before it was restored from a backup
    return Mark(mark.event, tuple(run for run in mark.runs if run.run_id in runs))


def _since(known: Known, logs: JobLogs, start: int, now: Mark) -> Mark:
    """The runs that had begun at `start` and were not over, from there on; all others are told when their start is."""
    first = known.reader.events(job_id=logs.job_id, reasons=OF_RUNS, since=start, limit=1)
    event = now.event if not first else (first[0].id or 1) - 1
    mark = Mark(min(event, now.event))
    for run in known.reader.runs(job_id=logs.job_id, limit=MOST_RUNS):
        began, ended = run.started_at, run.finished_at
        if began is not None and began < start and (ended is None or ended >= start):
            mark = _opened(known, logs, mark, run, lambda log: log.offset_since(start))
    return mark


def _last(known: Known, logs: JobLogs, wanted: LogQuery, now: Mark) -> Mark:
    """The last lines of the runs that run, else of the newest that ran."""
    runs = list(known.reader.runs_of_ids(run.run_id for run in now.runs).values())
    mark = Mark(now.event)
    if not runs:
        states = [RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED]
        ran = known.reader.runs(job_id=logs.job_id, states=states, limit=MOST_RUNS)
        runs = [run for run in ran if run.started_at is not None][:1]
        for run in runs:
            # Its end is taken again, so that it is told to be over; other events before it say nothing new.
            ends = known.reader.events(run_id=run.id, reasons=OF_RUNS - {STARTED}, limit=1, order="desc")
            mark = Mark(min(mark.event, (ends[0].id or 1) - 1) if ends else mark.event)
    for run in runs:
        mark = _opened(known, logs, mark, run, lambda log: _start(log, wanted, _size(log, wanted)))
    return mark


def _size(log: Log, wanted: LogQuery) -> int:
    return log.size if wanted.end is None else log.offset_until(wanted.end)


def _opened(known: Known, logs: JobLogs, mark: Mark, run: Run, start: Callable[[Log], int]) -> Mark:
    told = Open(run.id)
    directory = known.home.run_dir_of(run)
    for stream in streams(directory):
        if logs.stream in (None, stream):
            with Log(directory, stream) as log:
                told = told.at(stream, start(log))
    return mark.taking(mark.event, opened=[told])
