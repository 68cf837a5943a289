"""Who may read: the token of a request, looked up in the token file, and what it is for.

`status.server.app` asks before every answer and leaves in the request what it found; routes read it by `project_of`.
Must not import a route.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.types import Scope

from status.server.errors import Forbidden, Unauthorized
from status.server.tokens import Token, find_token, parse_tokens, read_tokens

PROJECT = "jobsctl.project"
"""Key of the ASGI scope: the project the caller's token is for; None or missing: all of them."""
KNOWN = "jobsctl.known"
"""Key of the ASGI scope: False where a token is asked for, this route needs none, and the caller has none."""

JUDGED_BY = "jobsctl.judged_by"
"""Key of the ASGI scope: `signature_of` the token file by which the caller was let in; missing: none is asked for."""

OPEN = frozenset(("/healthz", "/readyz"))
"""For machines that only ask whether we live. Who has no token is told no more than that."""
_STATIC = "/static/"
"""Style and modules of pages: the same everywhere, so they tell nothing. The page that asks for a token needs them."""
OF_A_PROJECT = (
    "/api/v1/jobs",
    "/api/v1/runs",
    "/api/v1/running",
    "/api/v1/events",
    "/api/v1/search",
    "/api/v1/deliveries",
    "/openapi.json",
    "/static",
    "/jobs",
    "/runs",
    "/graph",
    "/deliveries",
)
"""Beginnings of paths that a token for one project may ask for: routes that answer for that project alone, by
`project_of`, or tell nothing of any. All others are refused: a route that nobody thought of tells nothing."""

_BEGINNINGS = tuple(f"{path}/" for path in OF_A_PROJECT)


def project_of(request: Request) -> str | None:
    """The one project the caller may read; None when it may read all."""
    project = request.scope.get(PROJECT)
    assert project is None or isinstance(project, str)
    return project


def is_known_caller(request: Request) -> bool:
    """Whether the caller has a token, or none is asked for: False on the routes that need none, and without one."""
    return request.scope.get(KNOWN, True) is True


def signature_of(path: Path) -> tuple[int, ...]:
    """What tells a file from the one it was before. Raises OSError."""
    there = path.stat()
    return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns


class Access:
    """The token file, read again whenever it is another one. One per process; used on the event loop only."""

    def __init__(self, path: Path | None) -> None:
        """`path`: None: nobody is asked for a token. A file that is missing or unreadable lets nobody in."""
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._tokens: Sequence[Token] = ()

    def admit(self, scope: Scope) -> None:
        """Note in the scope what the caller may read.

        Raises:
            Unauthorized: it has no token that is known.
            Forbidden: its token is for one project, and this path is not.
        """
        if self._path is None:
            return
        path: str = scope["path"]
        presented = _presented(scope)
        token = None if presented is None else find_token(self._current(self._path), presented)
        if token is None:
            scope[KNOWN] = False
            if path in OPEN or path.startswith(_STATIC):
                return
            if presented is None:
                raise Unauthorized("this server asks for a token: `Authorization: Bearer TOKEN`")
            raise Unauthorized("the token is not known, or not any more")
        scope[JUDGED_BY] = self._seen
        if token.project is None:
            return
        scope[PROJECT] = token.project
        if not (path in OPEN or path == "/" or f"{path}/".startswith(_BEGINNINGS)):
            project = token.project
            raise Forbidden(f"this token is for project {project}, and {path[:200]} is not", project=project)

    def _current(self, path: Path) -> Sequence[Token]:
        try:
            seen = signature_of(path)
            if seen != self._seen:
                self._tokens = parse_tokens(read_tokens(path))
                self._seen = seen
        except OSError:
            self._tokens, self._seen = (), None
        return self._tokens


def _presented(scope: Scope) -> bytes | None:
    """The token of a request: of `Bearer`, or the password of `Basic`. Several Authorization headers are none."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return None
    scheme, _, rest = given[0].strip().partition(b" ")
    scheme, rest = scheme.lower(), rest.strip()
    if scheme == b"bearer":
        return rest or None
    if scheme != b"basic":
        return None
    try:
        _, colon, password = base64.b64decode(rest, validate=True).partition(b":")
    except binascii.Error:
        return None
    return password if colon and password else None
