"""The ASGI application: routes, the guard before them, and errors in one shape. Made by `status.serve`.

The guard does what every request needs, in one layer: GET and HEAD only, a Host that is ours, no other site's page, a
bounded address, a token where one is asked for, a bounded number of answers in the making, security headers, counting.
"""

from __future__ import annotations

import ipaddress
import re
import sys
import traceback
from collections import Counter
from collections.abc import Collection, MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from status.page.failures import failure_page, wants_page
from status.server.access import Access
from status.server.errors import ApiError, Forbidden, MethodNotAllowed, NotFound, Overloaded, UrlTooLong, WrongHost
from status.server.routing import Routes

MAX_URL = 4096
MAX_ANSWERING = 64
"""Answers in the making at once; more are told to come back. One takes 0.1 to 10 ms."""

SECURITY_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
DEFAULT_HEADERS = (*SECURITY_HEADERS, (b"cache-control", b"no-store"))
"""What an answer has that does not say otherwise itself."""

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{0,5})?", re.ASCII)

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))


class Guard:
    """Wraps the application; owns the numbers `status.metrics.exposition` shows of it."""

    def __init__(
        self, app: ASGIApp, hosts: Collection[str] = (), *, any_address: bool = False, access: Access | None = None
    ) -> None:
        """
        Args:
            hosts: names under which we may be called besides the loopback ones, IPv6 in brackets, without port.
            any_address: any IP address will do as a Host: DNS rebinding needs a name.
            access: who may ask; None: everybody.
        """
        self._any_address = any_address
        self._access = access or Access(None)
        self._app = app
        self._hosts = LOOPBACK_NAMES | {host.lower() for host in hosts}
        self._answering = 0
        self.requests: Counter[tuple[str, int]] = Counter()
        """Answers by route (its pattern, never a path: paths have no bound) and status code."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        answered = False

        async def guarded_send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                answered = True
                status = message["status"]
                headers = message["headers"]
                own = {name for name, _ in headers}
                message["headers"] = [*headers, *(header for header in DEFAULT_HEADERS if header[0] not in own)]
            await send(message)

        self._answering += 1
        try:
            self._check(scope)
            await self._app(scope, receive, guarded_send)
        except Exception as error:
            if answered:
                raise  # half an answer is out: only hanging up is honest
            await _respond(error, scope)(scope, receive, guarded_send)
        finally:
            self._answering -= 1
            route = scope.get("route")
            self.requests[route.path if isinstance(route, Route) else "other", status] += 1

    def _check(self, scope: Scope) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"{scope['method']} is not allowed: this server only reads", allow=["GET", "HEAD"])
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URL:
            raise UrlTooLong(f"path and query together have at most {MAX_URL} bytes")
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        name = _host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None or not (name in self._hosts or (self._any_address and _is_address(name))):
            raise WrongHost("the Host header names another server")
        if _is_of_another_site(scope):
            raise Forbidden("a page of another site asks, and it may not read the answer: open this address itself")
        self._access.admit(scope)
        if self._answering > MAX_ANSWERING:
            raise Overloaded(f"more than {MAX_ANSWERING} requests at once; try again in a second")


def _host_name(value: bytes) -> str | None:
    """Of `name:port`, the name, in lower case; brackets of IPv6 stay. None for what is neither (RFC 9110, 7.2): others
    may read another name in it."""
    found = _HOST.fullmatch(value.decode("latin-1").lower())
    return None if found is None else found["name"]


def _is_of_another_site(scope: Scope) -> bool:
    """Whether a page of another site has a browser ask this, not to go here (Fetch Metadata, W3C). It could not read
    the answer anyway; so it cannot make us work either, or learn from how long that takes. Programs send none of it.
    """
    said = {name: value for name, value in scope["headers"] if name in (b"sec-fetch-site", b"sec-fetch-mode")}
    return said.get(b"sec-fetch-site") in (b"cross-site", b"same-site") and said.get(b"sec-fetch-mode") != b"navigate"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _respond(error: Exception, scope: Scope) -> Response:
    """The response for an error, a page where a browser asked for one; an unexpected error is told to the operator
    (stderr), not to the client."""
    if not isinstance(error, ApiError):
        print("".join(traceback.format_exception(error)), file=sys.stderr, flush=True)  # noqa: T201
        error = ApiError("something went wrong inside; the daemon's log says what")
    if wants_page(scope):
        return failure_page(error, scope)
    response = Response(error.body(), error.status, media_type="application/json")
    for name, value in error.headers:
        response.headers.append(name, value)
    return response


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope["path"][:200]
    raise NotFound(f"there is no {path}", path=path)


def build_app(
    routes: list[Route], hosts: Collection[str] = (), *, any_address: bool = False, access: Access | None = None
) -> Guard:
    """The application for these routes. The guard is the only layer, and the one place for errors."""
    return Guard(Routes(routes, _not_found), hosts, any_address=any_address, access=access)
