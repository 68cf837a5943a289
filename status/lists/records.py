"""`/api/v1/records/...`: the questions of `state.reads.Reader`, for `jobsctl --server`. Mounted by `status.api`.

Answers are records as they are stored (`state.recordjson`), not views: the command line makes the same tables and
views of them as it makes at home. For programs there are the routes with views. One question is one page: at most
`MOST` records, and the client asks on. An answer has the database's change counter as its `ETag`, checked before
anything is read: while nothing changed, asking again costs a 304.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobsctl import __version__
from state.home import Home
from state.inbox import daemon_alive
from state.logs import Log, streams
from state.outbox.reads import outbox_version
from state.reads import Order, Reader
from state.recordjson import VERSION, Record, to_plain
from state.records import Reason, Run, RunState, Trigger
from state.runfiles import last_series, list_outputs, read_progress, samples_of
from status.heartbeat import read_heartbeat
from status.lists.kept import OUTPUT_PARAMETERS, SERIES_PARAMETERS, output_piece, series_piece
from status.lists.logs import MOST_SEARCHED
from status.phase import Phase
from status.problems.home import home_problems
from status.server.answers import is_known, json_answer, not_modified
from status.server.errors import BadRequest, NotFound
from status.server.query import Query

MOST = 1000
MOST_AT_ONCE = 10_001
"""Of a list that has no cursor: a command shows 10,000, and wants to know whether there are more."""
MOST_IDS = 200
LARGEST_CONFIG = 1 << 20
REPEATABLE = ("label", "phase", "status", "reason", "trigger", "type", "id", "job_id")

Answer = Mapping[str, Any]


def _items(records: Iterable[Record]) -> Answer:
    return {"items": [to_plain(record) for record in records]}


def _item(record: Record | None) -> Answer:
    return {"item": None if record is None else to_plain(record)}


def _order(query: Query, usual: Order) -> Order:
    return cast(Order, next(iter(query.words("order", ("asc", "desc"))), usual))


def _limit(query: Query) -> int:
    return query.whole("limit", least=1, most=MOST) or MOST


def _us(query: Query, name: str) -> int | None:
    """Microseconds, or the number of a row or change."""
    return query.whole(name, least=0, most=10**17)


def _numbers(query: Query, name: str) -> list[int] | None:
    """Numbers with commas between, the parameter repeated; None when not given."""
    texts = [text for value in query.texts(name) for text in value.split(",")]
    if not all(text.isascii() and text.isdigit() and len(text) <= 18 for text in texts):
        raise BadRequest(f"parameter {name!r} is whole numbers", parameter=name)
    return [int(text) for text in texts] or None


def _needed(query: Query, name: str) -> str:
    value = query.text(name)
    if value is None:
        raise BadRequest(f"parameter {name!r} is needed", parameter=name)
    return value


def _needed_us(query: Query, name: str) -> int:
    _needed(query, name)
    return _us(query, name) or 0


def _job(reader: Reader, query: Query) -> Answer:
    return _item(reader.job(_needed(query, "name"), project=query.text("project")))


def _job_by_id(reader: Reader, query: Query) -> Answer:
    return _item(reader.job_by_id(_needed_us(query, "job_id")))


def _jobs(reader: Reader, query: Query) -> Answer:
    return _items(
        reader.jobs(
            project=query.text("project"), labels=query.texts("label"), archived=query.flag("archived"),
            phases=query.words("phase", [phase.value for phase in Phase]), after=query.text("after"),
            limit=_limit(query),
        )
    )  # fmt: skip


def _timetable(reader: Reader, query: Query) -> Answer:
    return _items(
        reader.timetable(
            project=query.text("project"), labels=query.texts("label"), scheduled=query.flag("scheduled") is not False,
            limit=query.whole("limit", least=1, most=MOST_AT_ONCE) or MOST,
        )
    )  # fmt: skip


def _groups(reader: Reader, query: Query) -> Answer:
    found = reader.groups(project=query.text("project"))
    return {"items": [to_plain(job) for job, _ in found], "counts": [count for _, count in found]}


def _doubtful(reader: Reader, query: Query) -> Answer:
    return _items(reader.doubtful(_needed_us(query, "now"), project=query.text("project")))


def _linked(reader: Reader, query: Query) -> Answer:
    return _items(reader.linked(query.text("job")))


def _identities(reader: Reader, query: Query) -> Answer:
    return {
        "items": reader.identities(
            project=query.text("project"), labels=query.texts("label"), archived=query.flag("archived")
        )
    }


def _run(reader: Reader, query: Query) -> Answer:
    return _item(reader.run(_needed(query, "id")))


def _runs_of_ids(reader: Reader, query: Query) -> Answer:
    ids = [each for value in query.texts("id") for each in value.split(",")]
    if len(ids) > MOST_IDS:
        raise BadRequest(f"parameter 'id' has more than {MOST_IDS} ids", parameter="id")
    return _items(reader.runs_of_ids(ids).values())


def _runs(reader: Reader, query: Query) -> Answer:
    states = query.words("status", [state.value for state in RunState])
    reasons = query.words("reason", [reason.value for reason in Reason])
    triggers = query.words("trigger", [trigger.value for trigger in Trigger])
    return _items(
        reader.runs(
            job_ids=_numbers(query, "job_id"), project=query.text("project"), labels=query.texts("label"),
            states=[RunState(state) for state in states] or None, active=query.flag("active"),
            reasons=[Reason(reason) for reason in reasons] or None,
            triggers=[Trigger(trigger) for trigger in triggers] or None,
            longer_than=_us(query, "longer_than"), now=_us(query, "now"),
            attempt=query.whole("attempt", least=1, most=10_000),
            since=_us(query, "since"), until=_us(query, "until"), before=query.text("before"),
            after=query.text("after"), limit=_limit(query), order=_order(query, "desc"),
        )
    )  # fmt: skip


def _slot(reader: Reader, query: Query) -> Answer:
    return _items(reader.slot(_needed_us(query, "job_id"), _needed_us(query, "at")))


def _events(reader: Reader, query: Query) -> Answer:
    return _items(
        reader.events(
            job_id=_us(query, "job_id"), run_id=query.text("run_id"), project=query.text("project"),
            labels=query.texts("label"), types=query.texts("type") or None, reasons=query.texts("reason") or None,
            since=_us(query, "since"), until=_us(query, "until"), after=_us(query, "after") or 0,
            before=_us(query, "before"), limit=_limit(query), order=_order(query, "asc"),
        )
    )  # fmt: skip


def _source(reader: Reader, query: Query) -> Answer:
    return _item(reader.source())


def _documents(reader: Reader, query: Query) -> Answer:
    return _items(reader.documents(query.text("kind")))


def _silences(reader: Reader, query: Query) -> Answer:
    return _items(reader.silences(after=_needed_us(query, "after")))


def _occupancy(reader: Reader, query: Query) -> Answer:
    return {"items": reader.occupancy()}


def _changes(reader: Reader, query: Query) -> Answer:
    """Nothing but the tag: for a client that waits for a change."""
    return {}


_PAGE = {"limit", "order", "after", "before"}
QUESTIONS: dict[str, tuple[Callable[[Reader, Query], Answer], frozenset[str]]] = {
    "job": (_job, frozenset(("name", "project"))),
    "job_by_id": (_job_by_id, frozenset(("job_id",))),
    "jobs": (_jobs, frozenset(("project", "label", "archived", "phase", "after", "limit"))),
    "timetable": (_timetable, frozenset(("project", "label", "scheduled", "limit"))),
    "groups": (_groups, frozenset(("project",))),
    "doubtful": (_doubtful, frozenset(("now", "project"))),
    "linked": (_linked, frozenset(("job",))),
    "identities": (_identities, frozenset(("project", "label", "archived"))),
    "run": (_run, frozenset(("id",))),
    "runs_of_ids": (_runs_of_ids, frozenset(("id",))),
    "runs": (
        _runs,
        frozenset({"job_id", "project", "label", "status", "active", "reason", "trigger", "longer_than", "now",
                   "attempt", "since", "until"} | _PAGE),
    ),
    "slot": (_slot, frozenset(("job_id", "at"))),
    "events": (
        _events,
        frozenset({"job_id", "run_id", "project", "label", "type", "reason", "since", "until"} | _PAGE),
    ),
    "source": (_source, frozenset()),
    "documents": (_documents, frozenset(("kind",))),
    "silences": (_silences, frozenset(("after",))),
    "occupancy": (_occupancy, frozenset()),
    "changes": (_changes, frozenset()),
}  # fmt: skip
"""By the name of the reader's method, or nearly: what answers, and the parameters it takes."""


def question_of(name: str, raw: bytes) -> Callable[[Reader], Answer]:
    """What answers `/api/v1/records/<name>?<raw>`.

    Raises:
        NotFound: no such question.
        BadRequest: its parameters cannot be understood.
    """
    if name not in QUESTIONS:
        raise NotFound(f"there is no question {name[:100]}", path=f"/api/v1/records/{name[:100]}")
    answer, known = QUESTIONS[name]
    query = Query(raw, known=known, repeatable=REPEATABLE)
    return lambda reader: answer(reader, query)


def house_answer(home: Home) -> Answer:
    """What a command line at home learns from files: the daemon's life, the settings, the disk. Reads them anew."""
    beat = read_heartbeat(home)
    try:
        with home.config.open("rb") as file:
            config: str | None = file.read(LARGEST_CONFIG).decode("utf-8", "replace")
    except OSError:
        config = None
    return {
        "version": __version__,
        "records": VERSION,
        "root": str(home.root),
        "alive": daemon_alive(home),
        "heartbeat": None if beat is None else dict(beat.raw),
        "config": config,
        "readOnly": bool(os.statvfs(home.state).f_flag & os.ST_RDONLY),
    }


def files_answer(home: Home, run: Run) -> Answer:
    """What is in a run's directory: which streams it has, what it left, how far it says it is, what it uses now."""
    directory = home.run_dir_of(run)
    return {
        "directory": str(directory),
        "there": directory.is_dir(),
        "streams": streams(directory),
        "progress": read_progress(directory),
        "usage": [[each.at, each.cpu_seconds, each.memory] for each in samples_of(last_series(directory, 2))],
        "outputs": [{"path": file.path, "size": file.size, "modified_at": file.modified_at}
                    for file in list_outputs(directory)],
    }  # fmt: skip


LOG_PARAMETERS = frozenset(("stream", "start", "end"))
BOUND_PARAMETERS = frozenset(("stream", "since", "until", "tail"))


def log_piece(home: Home, run: Run, query: Query) -> Response:
    """About a MiB of a log at most, byte for byte, from `start`; `X-Log-Next` says where to go on."""
    start = _us(query, "start") or 0
    with Log(home.run_dir_of(run), query.text("stream") or "output") as log:
        body, position = log.piece(start, _us(query, "end"))
        headers = {"x-log-next": str(position), "x-log-size": str(log.size), "content-type": "text/plain"}
        return Response(body, headers=headers)


def log_bounds(home: Home, run: Run, query: Query) -> Answer:
    """Offsets in a log: its size, and where a time or its last lines begin."""
    with Log(home.run_dir_of(run), query.text("stream") or "output") as log:
        since, until, tail = (_us(query, name) for name in ("since", "until", "tail"))
        return {
            "size": log.size,
            "since": None if since is None else log.offset_since(since),
            "until": None if until is None else log.offset_until(until),
            "tail": None if tail is None else log.tail_offset(tail, floor=log.size - MOST_SEARCHED),
        }


class RecordRoutes:
    """The endpoints.

    Args:
        read: asks the database, in a thread; raises what `status.api` raises for it.
        nonce: told apart from the process before: its change counter begins anew.
    """

    def __init__(self, home: Home, read: Callable[[Callable[[Reader], Response]], Awaitable[Response]], nonce: str):
        self._home = home
        self._read = read
        self._nonce = nonce

    def routes(self) -> list[Route]:
        """Before `/api/v1/records/{question}` those of its names that are no question to the database."""
        return [
            Route("/api/v1/records/house", self.house),
            Route("/api/v1/records/problems", self.problems),
            Route("/api/v1/records/files/{id}", self.files),
            Route("/api/v1/records/output/{id}", self.output),
            Route("/api/v1/records/series/{id}", self.series),
            Route("/api/v1/records/log/{id}", self.log),
            Route("/api/v1/records/log/{id}/bounds", self.bounds),
            Route("/api/v1/records/{question}", self.question),
        ]

    async def house(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        return await self._read(lambda _: _response(house_answer(self._home), request))

    async def problems(self, request: Request) -> Response:
        now = _needed_us(Query(request.scope["query_string"], known=("now",)), "now")
        return await self._read(
            lambda _: _response({"items": [asdict(each) for each in home_problems(self._home, now)]}, request)
        )

    async def question(self, request: Request) -> Response:
        name = request.path_params["question"]
        ask = question_of(name, request.scope["query_string"])

        def answer(reader: Reader) -> Response:
            # Asked first: what is committed meanwhile is in the answer, and makes the next tag another one.
            told = f"-{outbox_version(self._home.outbox)}" if name == "changes" else ""
            etag = f'W/"{self._nonce}-{reader.data_version()}{told}"'
            if is_known(request, etag):
                return not_modified(etag)
            return _response(ask(reader), request, etag)

        return await self._read(answer)

    async def files(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        run_id = request.path_params["id"]
        return await self._read(lambda reader: _response(files_answer(self._home, reader.run(run_id)), request))

    async def output(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=OUTPUT_PARAMETERS)
        run_id = request.path_params["id"]
        return await self._read(lambda reader: output_piece(self._home.run_dir_of(reader.run(run_id)), query))

    async def series(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=SERIES_PARAMETERS)
        run_id = request.path_params["id"]
        return await self._read(lambda reader: series_piece(self._home.run_dir_of(reader.run(run_id)), query))

    async def log(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=LOG_PARAMETERS)
        run_id = request.path_params["id"]
        return await self._read(lambda reader: log_piece(self._home, reader.run(run_id), query))

    async def bounds(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=BOUND_PARAMETERS)
        run_id = request.path_params["id"]
        return await self._read(lambda reader: _response(log_bounds(self._home, reader.run(run_id), query), request))


def _response(answer: Answer, request: Request, etag: str | None = None) -> Response:
    return json_answer(
        request, orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE), etag=etag
    )
