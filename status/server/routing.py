"""Which route a path is for, found without trying all of them. Used by `status.server.app`.

starlette tries one route after another, a regular expression each: 2 us, and there are more than sixty. Here those are
tried only that have as many segments as the path and the same third one, where `/api/v1/...` differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from starlette.convertors import PathConvertor
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

PLACE = 3
"""Of the segment that tells routes apart; before the first slash is segment 0."""
Key = tuple[int, str | None]


class Routes:
    """An ASGI application of routes, tried in their order."""

    def __init__(self, routes: Iterable[Route], default: ASGIApp) -> None:
        """`default` answers where there is none."""
        routes = list(routes)
        keys = {key for route in routes if (key := _key_of(route)) is not None}
        members: dict[Key | None, list[Route]] = defaultdict(list)
        for route in routes:
            own = _key_of(route)
            for key in (None, *keys):
                if own is None or key == own or (key is not None and own == (key[0], None)):
                    members[key].append(route)
        self._routers = {
            key: Router(routes=found, redirect_slashes=False, default=default) for key, found in members.items()
        }
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope["path"].split("/")
        count = len(parts)
        routers = self._routers
        router: ASGIApp | None = routers.get((count, parts[PLACE])) if count > PLACE else None
        router = router or routers.get((count, None)) or routers.get(None)
        await (router or self._default)(scope, receive, send)


def _key_of(route: Route) -> Key | None:
    """How many segments, and the third when it is fixed; None: as many as there are."""
    if any(isinstance(each, PathConvertor) for each in route.param_convertors.values()):
        return None
    parts = route.path.split("/")
    fixed = len(parts) > PLACE and "{" not in parts[PLACE]
    return len(parts), parts[PLACE] if fixed else None
