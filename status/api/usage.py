"""`.../metrics`: what a run used while it ran, and what the runs of a job took. The series: `status.series`.

Not `/metrics`, which is for Prometheus. Each series has a status of its own: one that cannot be told hides no other.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state.home import Home
from state.reads import Reader
from state.records import TERMINAL_STATES, Run, RunState
from state.runfiles import MAX_SAMPLES, Sample, last_series, samples_of
from status.api.database import Database
from status.api.finding import find_run, job_of_path
from status.api.house import House
from status.series import JOB_SERIES, RUN_SERIES, Series, series_of_job, series_of_run, series_view, usage_of_runs
from status.server.answers import json_answer, json_bytes
from status.server.errors import BadRequest
from status.server.query import Query
from status.views import API_VERSION, View

WINDOW = frozenset(("names", "since", "start", "end", "points"))
DEFAULT_POINTS, MOST_POINTS = 300, 5000
DEFAULT_RUNS, MOST_RUNS = 50, 1000
MOST_MEASURED = 100
"""Runs whose samples are read for one answer."""
OF_EACH = 5000
"""Samples that are read of each of several runs: those of a day."""
MOST_NAMES = 16


class UsageRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database) -> None:
        self._house = house
        self._database = database

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/runs/{id}/metrics", self.of_run),
            Route("/api/v1/jobs/{job}/metrics", self.of_job),
            Route("/api/v1/jobs/{project}/{job}/metrics", self.of_job),
        ]

    async def of_run(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=WINDOW)
        names, most = _names(query), _points(query)
        start, end = query.window(now=self._house.now())

        def read(reader: Reader) -> Response:
            run = find_run(reader, request)
            series = series_of_run(run, _samples(self._house.home, run), names, since=start, until=end)
            return json_answer(request, json_bytes(_answer(series, most, job=run.identity, run=run.id)))

        return await self._database.ask(read)

    async def of_job(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=WINDOW | {"limit"})
        names, most = _names(query) or tuple(JOB_SERIES), _points(query)
        limit = query.whole("limit", least=1, most=MOST_RUNS) or DEFAULT_RUNS
        start, end = query.window(now=self._house.now())
        entry = job_of_path(self._house, request)

        def read(reader: Reader) -> Response:
            states = [state for state in TERMINAL_STATES if state is not RunState.SKIPPED]
            runs = reader.runs(job_id=entry.job_id, states=states, since=start, until=end, limit=limit)
            measured: list[tuple[Run, Sequence[Sample]]] = []
            if set(names) & set(RUN_SERIES):
                # Also those that began before the window, and those that still run.
                states.append(RunState.RUNNING)
                around = reader.runs(job_id=entry.job_id, states=states, until=end, limit=min(limit, MOST_MEASURED))
                measured = [
                    (run, _samples(self._house.home, run, most=OF_EACH)) for run in around if _overlaps(run, start)
                ]
            series = [_series(name, runs, measured, start, end) for name in names]
            return json_answer(request, json_bytes(_answer(series, most, job=entry.identity, run=None)))

        return await self._database.ask(read)


def _series(
    name: str, runs: Sequence[Run], measured: Sequence[tuple[Run, Sequence[Sample]]], start: int | None, end: int | None
) -> Series:
    if name in RUN_SERIES:
        return usage_of_runs(measured, name, since=start, until=end)
    if name in JOB_SERIES:
        return series_of_job(runs, [name])[0]
    return Series(name, None, error=f"no such series; a job has {', '.join((*JOB_SERIES, *RUN_SERIES))}")


def _overlaps(run: Run, start: int | None) -> bool:
    return start is None or run.finished_at is None or run.finished_at >= start


def _samples(home: Home, run: Run, *, most: int = MAX_SAMPLES) -> list[Sample]:
    return samples_of(last_series(home.run_dir_of(run), most=most))


def _names(query: Query) -> tuple[str, ...]:
    """Names with commas between; () when not given. An unknown one is told in its series. Raises BadRequest."""
    found = tuple(dict.fromkeys(name for name in (query.text("names") or "").split(",") if name))
    if len(found) > MOST_NAMES:
        raise BadRequest(f"parameter 'names' has more than {MOST_NAMES} names", parameter="names")
    return found


def _points(query: Query) -> int:
    return query.whole("points", least=2, most=MOST_POINTS) or DEFAULT_POINTS


def _answer(series: Sequence[Series], most: int, *, job: str, run: str | None) -> View:
    views = [series_view(each, most=most) for each in series]
    return {"apiVersion": API_VERSION, "kind": "Metrics", "job": job, "run": run, "items": views}
