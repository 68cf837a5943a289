"""Server-sent events as text (WHATWG HTML, 9.2), and who asks for them. Used by the rest of this folder. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request

from status.server.errors import BadRequest
from status.server.query import Query

MEDIA_TYPE = "text/event-stream"
LEAST_RETRY, MOST_RETRY = 1000, 4000
"""Milliseconds after which a client comes back. Each is told another number: when the daemon starts anew, a thousand
clients come back over three seconds and not at once."""
END = "end"
"""The id and the name of the last event: who comes back with it has all."""
FOLLOW = "follow"
"""The parameter for clients that cannot set `Accept`."""


def wants_stream(request: Request) -> bool:
    """Whether the client asks for a stream: by `Accept`, or by `follow=true`."""
    for part in request.headers.get("accept", "").lower().split(","):
        media_type, _, parameters = part.partition(";")
        if media_type.strip() == MEDIA_TYPE:
            weight = parameters.replace(" ", "").partition("q=")[2].partition(";")[0]
            return weight.rstrip("0") not in ("0", "0.") if weight else True
    return request.query_params.get(FOLLOW) == "true"


def refuse(query: Query, names: tuple[str, ...]) -> None:
    """Raises BadRequest for a parameter that the route knows, and that has no meaning for a stream."""
    for name in names:
        if query.text(name) is not None:
            raise BadRequest(f"a stream has no {name!r}: leave it out, or ask without following", parameter=name)


def name_of(position: str, left: int | None) -> str:
    """The id of an event: where it ends, and how many lines its client is still to get, if that has a bound."""
    return position if left is None else f"{position}/{left}"


def opening(position: int | str) -> bytes:
    """The first words: when to come back, and from where, should the connection break before anything was sent."""
    retry = random.randint(LEAST_RETRY, MOST_RETRY)
    return b"retry: %d\nid: %b\n\n" % (retry, str(position).encode())


def message(id: int | str | None, data: Mapping[str, Any], *, event: str | None = None) -> bytes:
    """One event. JSON has no line breaks, so `data:` is one line. Without an id the client is where it was."""
    place = b"" if id is None else b"id: %b\n" % str(id).encode()
    kind = b"" if event is None else b"event: %b\n" % event.encode()
    return b"%b%bdata: %b\n\n" % (place, kind, orjson.dumps(data))
