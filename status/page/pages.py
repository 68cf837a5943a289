"""Which function makes which page, and how it is answered: compressed, with the headers of a page.

Called by `status.page.routes` in a reader's thread, and imported there with the first page only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from state.home import Home
from state.reads import Reader
from status.health import Facts
from status.page.deliveries import deliveries_page
from status.page.graph import graph_page
from status.page.job import job_page
from status.page.jobs import jobs_page
from status.page.overview import overview_page
from status.page.run import run_page
from status.page.source import source_page
from status.page.visit import Visit
from status.picture.board import Picture
from status.server.access import project_of
from status.server.answers import CACHED, packed, takes_gzip

PAGES: Mapping[str, Callable[[Visit], str]] = {
    "overview": overview_page,
    "jobs": jobs_page,
    "job": job_page,
    "run": run_page,
    "graph": graph_page,
    "source": source_page,
    "deliveries": deliveries_page,
}
"""A function for each name in `status.page.routes.PAGES`."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere: what a job writes or a file says can never become a program here."""


def answer_page(name: str, request: Request, *, reader: Reader, home: Home, picture: Picture, facts: Facts) -> Response:
    """The page, made."""
    visit = Visit(
        reader=reader,
        home=home,
        picture=picture,
        facts=facts,
        path=request.url.path,
        parameters=request.path_params,
        raw_query=request.scope["query_string"],
        project=project_of(request),
    )
    try:
        return html_response(request, PAGES[name](visit))
    finally:
        visit.close()


def html_response(request: Request, html: str, status: int = 200) -> Response:
    """A page as it goes out."""
    body = html.encode()
    headers = {
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "cache-control": CACHED,
        "vary": "accept-encoding, authorization",
    }
    if takes_gzip(request):
        headers["content-encoding"] = "gzip"
        body = packed(body)
    return Response(body, status, headers, "text/html; charset=utf-8")
