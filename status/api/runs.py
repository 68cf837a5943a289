"""`/api/v1/runs`, `/api/v1/running`, a job's runs: lists of runs, and one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state.ids import is_prefix
from state.reads import Reader
from state.records import RunState
from status.api.database import Database
from status.api.finding import find_job, find_run, job_of_path
from status.api.house import House
from status.lists.summaries import run_summary
from status.server.access import project_of
from status.server.answers import json_answer, json_bytes, page_bytes
from status.server.errors import Unprocessable
from status.server.query import PAGE, Query
from status.views import duration, run_view

TAKEN = PAGE | {"summary"}
FILTERS = frozenset(("status", "active", "job", "label", "project", "since", "until"))
OF_ONE_JOB = FILTERS - {"job", "label", "project"}
DEFAULT_LIMIT = 100
MOST = 1000


class RunRoutes:
    """The endpoints."""

    def __init__(self, house: House, database: Database) -> None:
        self._house = house
        self._database = database

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/runs", self.runs),
            Route("/api/v1/running", self.running),
            Route("/api/v1/runs/{id}", self.run),
            Route("/api/v1/jobs/{job}/runs", self.job_runs),
            Route("/api/v1/jobs/{project}/{job}/runs", self.job_runs),
        ]

    async def runs(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=TAKEN | FILTERS, repeatable=("status", "label"))
        job, project = query.text("job"), query.project(project_of(request))
        if job is None:
            return await self._page(request, query, project=project)
        entry = find_job(self._house, request, f"{project}/{job}" if project is not None and "/" not in job else job)
        if project is not None and entry.project != project:
            raise Unprocessable(f"job {entry.identity} is not in project {project}")
        return await self._page(request, query, job_id=entry.job_id)

    async def running(self, request: Request) -> Response:
        query = Query(request.scope["query_string"], known=TAKEN | {"project", "label"}, repeatable=("label",))
        return await self._page(request, query, project=query.project(project_of(request)), active=True, elapsed=True)

    async def job_runs(self, request: Request) -> Response:
        entry = job_of_path(self._house, request)
        query = Query(request.scope["query_string"], known=TAKEN | OF_ONE_JOB, repeatable=("status",))
        return await self._page(request, query, job_id=entry.job_id)

    async def run(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        return await self._database.ask(
            lambda reader: json_answer(request, json_bytes(run_view(find_run(reader, request))))
        )

    async def _page(
        self,
        request: Request,
        query: Query,
        *,
        job_id: int | None = None,
        project: str | None = None,
        active: bool | None = None,
        elapsed: bool = False,
    ) -> Response:
        now = self._house.now()
        page = query.page(_run_key, default=DEFAULT_LIMIT, most=MOST, descending=True)
        states = query.words("status", [state.value for state in RunState])
        labels = query.texts("label")
        active = query.flag("active") if active is None else active
        since, until = query.instant("since", now=now), query.instant("until", now=now)
        shape = run_summary if query.flag("summary") else run_view

        def read(reader: Reader) -> Response:
            runs = reader.runs(
                job_id=job_id,
                project=project,
                labels=labels,
                states=[RunState(state) for state in states] or None,
                active=active,
                since=since,
                until=until,
                after=page.after,
                before=page.before,
                limit=page.limit + 1,
                order="desc" if page.descending else "asc",
            )
            views = [shape(run) for run in runs]
            if elapsed:
                views = [
                    {**view, "elapsedSeconds": duration(run.started_at, now)}
                    for run, view in zip(runs, views, strict=True)
                ]
            return json_answer(request, page_bytes(views, page.limit, "id"))

        return await self._database.ask(read)


def _run_key(cursor: str) -> str:
    if not is_prefix(cursor):
        raise ValueError("a run id")
    return cursor
