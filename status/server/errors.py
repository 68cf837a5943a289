"""What can go wrong while telling people: one tree for the status process, one shape for HTTP clients.

Raised by `status.server.query`, `status.api`, `status.serve`; turned into responses by `status.server.app`::

    StatusError
    ├── CannotServe      the process cannot start; exit code 1 and one line on stderr
    └── ApiError         {"error": {"type", "message", "details"}} with its HTTP status
        ├── BadRequest         400  a parameter that is unknown, doubled or unreadable
        ├── Unauthorized       401  no token, or none that is known
        ├── Forbidden          403  a token for one project asks for more
        ├── NotFound           404  no such route, job or run
        ├── MethodNotAllowed   405  anything but GET and HEAD
        ├── Ambiguous          409  a name or id that fits several
        ├── UrlTooLong         414  a path and query longer than any real one
        ├── RangeNotSatisfiable 416  a range of bytes behind the end of a file
        ├── Unprocessable      422  readable parameters that contradict each other
        ├── WrongHost          421  a Host header that is not ours
        ├── Overloaded         503  too many requests at once
        └── Unavailable        503  the database cannot be read
"""

from __future__ import annotations

from typing import Any, ClassVar

import orjson

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, and values."""


class StatusError(Exception):
    """Raised when something cannot be told."""


class CannotServe(StatusError):
    """Raised when the status process cannot start; the text says why and what to do."""


class ApiError(StatusError):
    """Raised while answering a request. `type` is stable; `message` is for people; `details` is for programs."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    headers: ClassVar[Headers] = ()

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def body(self) -> bytes:
        error = {"type": self.type, "message": self.message, "details": self.details}
        return orjson.dumps({"error": error}, option=orjson.OPT_APPEND_NEWLINE)


class BadRequest(ApiError):
    """Raised when a parameter is unknown, given twice or unreadable."""

    status = 400
    type = "bad_request"


class Unauthorized(ApiError):
    """Raised when tokens are asked for, and the request has none that is known.

    Two challenges in two lines (RFC 9110, 11.6.1): browsers ask people for a password for Basic only, and take a line
    for one challenge.
    """

    status = 401
    type = "unauthorized"
    headers: ClassVar[Headers] = (
        ("www-authenticate", 'Bearer realm="jobsctl"'),
        ("www-authenticate", 'Basic realm="jobsctl", charset="UTF-8"'),
    )


class Forbidden(ApiError):
    """Raised when a token for one project asks for what is another's or everybody's, or a page of another site asks."""

    status = 403
    type = "forbidden"


class NotFound(ApiError):
    """Raised when there is no such route, job or run."""

    status = 404
    type = "not_found"


class MethodNotAllowed(ApiError):
    """Raised for everything but GET and HEAD: reads cannot hurt because nothing else exists."""

    status = 405
    type = "method_not_allowed"
    headers: ClassVar[Headers] = (("allow", "GET, HEAD"),)


class Ambiguous(ApiError):
    """Raised when a bare name or a run id's beginning fits several; `details.candidates` names them."""

    status = 409
    type = "ambiguous"


class RangeNotSatisfiable(ApiError):
    """Raised when a range of bytes begins behind the end of a file; `details.size` is its size."""

    status = 416
    type = "range_not_satisfiable"


class Unprocessable(ApiError):
    """Raised when parameters are readable one by one but contradict each other."""

    status = 422
    type = "unprocessable"


class WrongHost(ApiError):
    """Raised for a Host header that is not ours: a page in a browser must not reach us by DNS rebinding."""

    status = 421
    type = "wrong_host"


class UrlTooLong(ApiError):
    """Raised when path and query together are longer than any real one."""

    status = 414
    type = "url_too_long"


class Overloaded(ApiError):
    """Raised when too many requests are being answered at once."""

    status = 503
    type = "overloaded"
    headers: ClassVar[Headers] = (("retry-after", "1"),)


class Unavailable(ApiError):
    """Raised when the database is missing or cannot be read."""

    status = 503
    type = "unavailable"
    headers: ClassVar[Headers] = (("retry-after", "5"),)
