"""Which route a path is for, found without trying all of them, and asked. Used by `status.server.app`.

starlette tries one route after another, a regular expression each: 2 us, and there are more than sixty. Here those are
tried only that have as many segments as the path and the same third one, where `/api/v1/...` differ. And it has three
layers between route and endpoint, 15 us, for what is not done here: other methods, other kinds of endpoint, errors
(the guard answers those).
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Sequence

from starlette.convertors import PathConvertor
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

PLACE = 3
"""Of the segment that tells routes apart; before the first slash is segment 0."""
Key = tuple[int, str | None]


class Routes:
    """An ASGI application of routes, tried in their order."""

    def __init__(self, routes: Iterable[Route], default: ASGIApp) -> None:
        """`default` answers where there is none. Raises TypeError for an endpoint that is no async function."""
        routes = list(routes)
        for route in routes:
            if not inspect.iscoroutinefunction(route.endpoint):
                raise TypeError(f"{route.path}: {route.endpoint} is no async function")
        keys = {key for route in routes if (key := _key_of(route)) is not None}
        members: dict[Key | None, list[Route]] = defaultdict(list)
        for route in routes:
            own = _key_of(route)
            for key in (None, *keys):
                if own is None or key == own or (key is not None and own == (key[0], None)):
                    members[key].append(route)
        self._members = dict(members)
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        for route in self._candidates(path):
            found = route.path_regex.match(path)
            if found is not None:
                scope["route"] = route
                scope["path_params"] = {
                    name: route.param_convertors[name].convert(value) for name, value in found.groupdict().items()
                }
                response = await route.endpoint(Request(scope, receive, send))
                await response(scope, receive, send)
                return
        await self._default(scope, receive, send)

    def _candidates(self, path: str) -> Sequence[Route]:
        parts = path.split("/")
        count = len(parts)
        members = self._members
        found = members.get((count, parts[PLACE])) if count > PLACE else None
        return found or members.get((count, None)) or members.get(None) or ()


def _key_of(route: Route) -> Key | None:
    """How many segments, and the third when it is fixed; None: as many as there are."""
    if any(isinstance(each, PathConvertor) for each in route.param_convertors.values()):
        return None
    parts = route.path.split("/")
    fixed = len(parts) > PLACE and "{" not in parts[PLACE]
    return len(parts), parts[PLACE] if fixed else None
