"""Who asks: what the guard has found out about a request, for handlers. Set by `status.app`, read by every route.

Must not import a route.
"""

from __future__ import annotations

from starlette.requests import Request

PROJECT = "jobsctl.project"
"""Key of the ASGI scope: the project the caller's token is for; None or missing: all of them."""


def project_of(request: Request) -> str | None:
    """The one project the caller may read; None when it may read all."""
    project = request.scope.get(PROJECT)
    assert project is None or isinstance(project, str)
    return project
