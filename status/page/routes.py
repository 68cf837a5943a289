"""The addresses of the web page and of its static files. Mounted by `status.api` beside its own routes.

Light on purpose: what makes pages (`status.page.pages`, Jinja2) is imported in a reader's thread, by the first page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from state.home import Home
from state.reads import Reader
from status.health import Facts
from status.heartbeat import read_heartbeat
from status.picture.refresh import Refresher
from status.server.errors import NotFound

T = TypeVar("T")

PAGES = {
    "/": "overview",
    "/jobs": "jobs",
    "/jobs/{project}/{name}": "job",
    "/runs/{id}": "run",
    "/graph": "graph",
    "/source": "source",
    "/deliveries": "deliveries",
}
"""Names of pages by address; `status.page.pages.PAGES` has a function for each."""


class Ask(Protocol):
    """Asks the database in a thread; errors of the state come out as those of `status.server.errors`."""

    async def __call__(self, question: Callable[[Reader], T]) -> T: ...


def routes(*, home: Home, refresher: Refresher, now: Callable[[], int], ask: Ask) -> list[Route]:
    """Every page, and the static files. `now` gives microseconds UTC."""

    def page(name: str) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            def make(reader: Reader) -> Response:
                from status.page.pages import answer_page

                picture = refresher.picture
                at = now()
                facts = Facts(
                    now=at,
                    heartbeat=read_heartbeat(home),
                    source=picture.source,
                    loaded=picture.loaded,
                    database_problem=refresher.problem,
                    files_problem=refresher.files_problem,
                )
                return answer_page(name, request, reader=reader, home=home, picture=picture, facts=facts)

            return await ask(make)

        return answer

    return [*(Route(path, page(name)) for path, name in PAGES.items()), Route("/static/{hash}/{file}", _static)]


async def _static(request: Request) -> Response:
    from status.page.assets import assets

    found = assets().answer(request, request.path_params["hash"], request.path_params["file"])
    if found is None:
        raise NotFound(f"there is no {request.url.path[:200]}; load the page again", path=request.url.path[:200])
    return found
