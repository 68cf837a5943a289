"""An error as a page, for a browser that asked for a page. Called by the guard (`status.server.app`); pure.

Needs no database and no daemon: it is shown above all when these are not there.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from status.server.errors import ApiError

NOT_PAGES = ("/api/", "/static/", "/metrics", "/healthz", "/readyz", "/openapi.json")

TITLES: Mapping[int, str] = {
    400: "This address cannot be understood",
    401: "A token is needed",
    403: "Not with this token",
    404: "There is nothing here",
    409: "Several fit",
    500: "Something went wrong",
    503: "Not at the moment",
}


def wants_page(scope: Scope) -> bool:
    """Whether a person with a browser asked for a page, and so gets errors as one."""
    if scope["path"].startswith(NOT_PAGES):
        return False
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return b"text/html" in accept.lower()


def failure_page(error: ApiError, scope: Scope) -> Response:
    """The page that tells an error. Its headers are the error's own and those of every page."""
    from status.page.pages import html_response
    from status.page.templates import template

    html = template("failure.html").render(
        status=error.status,
        heading=TITLES.get(error.status, "This cannot be answered"),
        message=error.message,
        hint=str(error.details.get("hint") or ""),
        candidates=[str(each) for each in error.details.get("candidates", ())],
    )
    response = html_response(Request(scope), html, error.status)
    response.headers["cache-control"] = "no-store"
    for name, value in error.headers:
        response.headers.append(name, value)
    return response
