"""The route of a path is the first that fits, however it is found; and what the process must not load."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from state.store import Store
from status.api import Api, House
from status.server.routing import Routes
from tests.api.conftest import Town
from tests.seeing.building import NINE, make_home
from tests.seeing.conftest import ROOT, StatusProcess, serve

SEGMENTS = (
    "api", "v1", "jobs", "runs", "records", "events", "logs", "outputs", "status", "metrics", "house", "log", "a",
    "b.txt", "", "..", "healthz", "search", "bounds", "deliveries", "static",
)  # fmt: skip


def endpoint(number: int) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        return Response(str(number))

    return answer


@pytest.fixture(scope="module")
def routes(town: Town) -> list[Route]:
    nothing: Any = None
    api = Api(House(home=town.home, refresher=nothing, exporter=nothing, now=lambda: 1, monotonic=lambda: 0.0))
    pages = [Route(path, endpoint(0)) for path in ("/jobs", "/jobs/{project}/{name}", "/runs/{id}", "/static/{a}/{b}")]
    return [Route(route.path, endpoint(number)) for number, route in enumerate([*api.routes(), *pages])]


async def _none(scope: Any, receive: Any, send: Any) -> None:
    await Response("None")(scope, receive, send)


def found(app: Routes, path: str) -> str:
    said: list[bytes] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        said.append(message.get("body", b""))

    asyncio.run(app({"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}, receive, send))
    return b"".join(said).decode()


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(SEGMENTS), max_size=8).map("/".join).map("/{}".format)
    | st.lists(st.sampled_from(SEGMENTS), max_size=5).map("/".join).map("/api/v1/{}".format)
)
def test_the_first_route_that_fits_is_taken(routes: list[Route], path: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path}
    expected = next((number for number, route in enumerate(routes) if route.matches(scope)[0] is Match.FULL), None)
    assert found(Routes(routes, _none), path) == str(expected)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        pytest.param("/api/v1/jobs", "/api/v1/jobs", id="the list"),
        pytest.param("/api/v1/jobs/runs", "/api/v1/jobs/{job}", id="a job called runs"),
        pytest.param("/api/v1/jobs/a/runs", "/api/v1/jobs/{job}/runs", id="runs of a job"),
        pytest.param("/api/v1/jobs/a/b", "/api/v1/jobs/{project}/{job}", id="a job of a project"),
        pytest.param("/api/v1/jobs/a/runs/runs", "/api/v1/jobs/{project}/{job}/runs", id="runs of a job called runs"),
        pytest.param("/api/v1/records/house", "/api/v1/records/house", id="a fixed word before a name"),
        pytest.param("/api/v1/records/x", "/api/v1/records/{question}", id="a name"),
        pytest.param("/api/v1/runs/a/outputs/b/c/d", "/api/v1/runs/{id}/outputs/{path:path}", id="a path in a path"),
    ],
)
def test_words_of_routes_come_before_names(routes: list[Route], path: str, pattern: str) -> None:
    assert routes[int(found(Routes(routes, _none), path))].path == pattern


@pytest.fixture
def named(tmp_path: Path) -> Iterator[StatusProcess]:
    home = make_home(tmp_path)
    Store.open(home.database, now=NINE).close()
    server = serve(home, "--name", "Jobs.Example")
    yield server
    server.close()


def test_a_further_name_is_a_host_of_ours(named: StatusProcess) -> None:
    for host, status in (("jobs.example", 200), ("JOBS.example:8787", 200), ("jobs.example.evil", 421), ("x", 421)):
        assert named.http.get("/readyz", headers={"host": host}).status_code in (
            status,
            503 if status == 200 else status,
        )


def test_no_model_library_is_loaded() -> None:
    """pydantic alone is 25 MB; the page's templates come with the first page."""
    heavy = "{'pydantic', 'jinja2', 'peewee', 'apprise'}"
    code = f"import sys, jobsctl, status.serve; print(*sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "\n"


def test_an_endpoint_that_would_block_the_loop_is_refused() -> None:
    def blocking(request: Request) -> Response:
        return Response("")

    with pytest.raises(TypeError, match=r"/a: .* is no async function"):
        Routes([Route("/a", blocking)], _none)
