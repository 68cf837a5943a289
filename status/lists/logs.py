"""`/api/v1/runs/{id}/logs`: what a run wrote, as it wrote it, within bounds. Called by `status.api`, in a thread.

The answer is raw text (`text/plain`, nosniff): whatever the job printed, also control characters; a page or terminal
that shows it must escape it. Bounds: `limit` lines, 4 MiB, and 64 MiB searched; `X-Log-Truncated` says which one cut.
`filter` is a fixed text, not a pattern: a pattern can be made to take for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.responses import Response

from state.errors import NotFound as NoLog
from state.home import Home
from state.logs import Log, containing, lines_of, streams
from state.records import ACTIVE_STATES, Run
from status.server.errors import NotFound, Unprocessable
from status.server.query import Query

MOST_LINES = 100_000
MOST_BYTES = 4 << 20
MOST_SEARCHED = 64 << 20
"""Half a second of one processor."""
PARAMETERS = frozenset(("since", "start", "end", "limit", "filter", "stream", "tail", "follow"))


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What part of a log is wanted. Instants are microseconds UTC."""

    start: int | None
    end: int | None
    limit: int
    tail: int | None
    """The last so many lines, after filtering; None: the first `limit`."""
    filter: str | None
    stream: str | None

    @classmethod
    def parse(cls, raw: bytes, *, now: int) -> LogQuery:
        """
        Raises:
            BadRequest, Unprocessable: the query cannot be understood.
        """
        query = Query(raw, known=PARAMETERS)
        query.flag("follow")
        return cls.of(query, now=now)

    @classmethod
    def of(cls, query: Query, *, now: int) -> LogQuery:
        """Of parameters that are read already. Raises as `parse`."""
        start, end = query.window(now=now)
        stream = query.words("stream", ("output", "stdout", "stderr"))
        if len(stream) > 1:
            raise Unprocessable("one 'stream' at a time")
        return cls(
            start=start,
            end=end,
            limit=query.whole("limit", least=1, most=MOST_LINES) or MOST_LINES,
            tail=query.whole("tail", least=1, most=MOST_LINES),
            filter=query.text("filter"),
            stream=next(iter(stream), None),
        )


@dataclass(slots=True)
class Cut:
    """Which bound cut the answer, `false` when none did; and what is left of the bounds for its next log."""

    why: str = "false"
    room: int = MOST_BYTES
    search: int = MOST_SEARCHED


def log_response(home: Home, run: Run, wanted: LogQuery) -> Response:
    """The answer.

    Raises:
        NotFound: the run has no such log.
        Unprocessable: the run keeps two streams, and none was named.
    """
    stream = stream_of(home, run, wanted.stream)
    cut, size, body = Cut(), 0, b""
    try:
        with Log(home.run_dir_of(run), stream) as log:
            size = log.size
            body = read_log(log, wanted, cut)
    except NoLog:
        pass  # a run that has not written yet
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "x-log-stream": stream,
        "x-log-size": str(size),
        "x-log-truncated": cut.why,
        "x-run-state": run.state.value,
    }
    return Response(body, headers=headers)


def stream_of(home: Home, run: Run, named: str | None) -> str:
    """The stream that is meant: the one that is named, or the only one. While the run is active, it may be yet to come.

    Raises:
        NotFound: the run has no such log.
        Unprocessable: the run keeps two streams, and none was named.
    """
    there = streams(home.run_dir_of(run))
    if named is None and len(there) > 1:
        raise Unprocessable(f"run {run.id} keeps its streams apart: name one by 'stream'", streams=list(there))
    stream = named or (there[0] if there else "output")
    if stream not in there and run.state not in ACTIVE_STATES:
        raise NotFound(f"run {run.id} has no log of stream {stream}", run=run.id, streams=list(there))
    return stream


def read_log(log: Log, wanted: LogQuery, cut: Cut) -> bytes:
    """The wanted part of a log; `cut` is told when a bound ended it early."""
    first = 0 if wanted.start is None else log.offset_since(wanted.start)
    last = log.size if wanted.end is None else log.offset_until(wanted.end)
    if wanted.tail is not None and wanted.end is None and wanted.filter is None:
        floor = max(first, log.size - MOST_SEARCHED)
        found = log.tail_offset(wanted.tail, floor=floor)  # the index and a backward search: nothing else is read
        if found == floor > first:
            cut.why = "searched"
        first = found
    pieces = _budget(log.read(first, last), cut)
    lines = lines_of(pieces) if wanted.filter is None else containing(pieces, wanted.filter)
    if wanted.tail is not None:
        return _last(lines, min(wanted.tail, wanted.limit), cut)
    return _first(lines, wanted.limit, cut)


def _budget(pieces: Iterable[bytes], cut: Cut) -> Iterator[bytes]:
    for piece in pieces:
        if cut.search <= 0:
            cut.why = "searched"
            return
        cut.search -= len(piece)
        yield piece


def _first(lines: Iterable[bytes], limit: int, cut: Cut) -> bytes:
    kept: list[bytes] = []
    for line in lines:
        if len(kept) == limit or len(line) > cut.room:
            cut.why = "lines" if len(kept) == limit else "bytes"
            break
        kept.append(line)
        cut.room -= len(line)
    return b"".join(kept)


def _last(lines: Iterable[bytes], limit: int, cut: Cut) -> bytes:
    kept: deque[bytes] = deque()
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        while len(kept) > limit:
            size -= len(kept.popleft())
        while size > cut.room and len(kept) > 1:
            size -= len(kept.popleft())
            if cut.why != "searched":
                cut.why = "bytes"
    cut.room -= size
    return b"".join(kept)
