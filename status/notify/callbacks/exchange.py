"""One HTTP request to checked addresses, within one deadline. Called by `sending`; knows nothing of jobs.

Not `http.client` or httpx: their limits are per read, so a receiver that sends a byte now and then holds a thread for
hours; they follow the environment's proxies, and look a name up again. Here the connection goes to the addresses given,
TLS and `Host` carry the name, and of the answer no more is read than its head, and a little to end politely.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httptools

from status.notify.callbacks.guard import Target

MAX_HEAD = 32_768
"""Bytes of an answer's head, and of all interim answers before it."""
MAX_REST = 16_384
"""Bytes of a body that are read, and thrown away: closing on a receiver that still writes looks like a fault to it."""
REST_SECONDS = 1.0
_CHUNK = 4096


class NoAnswer(Exception):
    """Raised when no answer came; words for people."""


@dataclass(slots=True)
class Head:
    """The head of an answer, as it comes in."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """By lower-case name; the first of several."""
    complete: bool = False
    """The whole answer is here, body included."""


class Deadline:
    """Until when everything together must be done."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self.seconds = seconds
        self.clock = monotonic
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises NoAnswer when there are none."""
        left = self._end - self.clock()
        if left <= 0:
            raise NoAnswer(f"no answer within {self.seconds:g} s")
        return left


def post(
    target: Target, headers: Mapping[str, str], body: bytes, *, deadline: Deadline, tls: ssl.SSLContext | None
) -> Head:
    """Send one POST and read the head of the answer.

    Args:
        headers: beside `Host`, `Content-Length` and `Connection`.
        tls: for https; verifies by the name of the URL.

    Raises:
        NoAnswer: not reached, not trusted, too slow, closed early, or no HTTP.
    """
    lines = [f"POST {target.url.target} HTTP/1.1", f"Host: {target.url.authority}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join([*lines, "Connection: close", "", ""]).encode("ascii") + body
    connection = _connect(target, deadline)
    try:
        if tls is not None and target.url.scheme == "https":
            connection = _secured(connection, target, tls, deadline)
        return _talk(connection, request, deadline)
    except TimeoutError:
        raise NoAnswer(f"no answer within {deadline.seconds:g} s") from None
    except OSError as error:
        raise NoAnswer(f"the connection broke before an answer came: {_words(error)}") from None
    finally:
        connection.close()


def _connect(target: Target, deadline: Deadline) -> socket.socket:
    """To the first of the checked addresses that takes us; each has its share of the time."""
    why = ""
    for index, address in enumerate(target.addresses):
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        share = deadline.left() / (len(target.addresses) - index)
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a machine without IPv6
            why = _words(error)
            continue
        try:
            connection.settimeout(share)
            connection.connect((address, target.url.port))
        except OSError as error:
            connection.close()
            why = f"no connection within {share:.0f} s" if isinstance(error, TimeoutError) else _words(error)
        else:
            return connection
    raise NoAnswer(f"cannot connect to {target.url.host}, port {target.url.port}: {why}")


def _secured(connection: socket.socket, target: Target, tls: ssl.SSLContext, deadline: Deadline) -> socket.socket:
    connection.settimeout(deadline.left())
    try:
        return tls.wrap_socket(connection, server_hostname=target.url.host)
    except TimeoutError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(f"the certificate of {target.url.host} is not to be trusted: {error.verify_message}") from None
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None)
        said = f": {str(reason).lower().replace('_', ' ')}" if reason else ""
        raise NoAnswer(f"no TLS with {target.url.host}{said}") from None


def _talk(connection: socket.socket, request: bytes, deadline: Deadline) -> Head:
    connection.settimeout(deadline.left())
    broken: OSError | None = None
    try:
        connection.sendall(request)
    except TimeoutError:
        raise
    except OSError as error:  # it may have answered before it had read everything
        broken = error
    answer = _Answer()
    while answer.head is None:
        connection.settimeout(deadline.left())
        try:
            data = connection.recv(_CHUNK)
        except TimeoutError:
            raise
        except OSError as error:
            raise broken or error from None
        if not data:
            raise NoAnswer("the connection was closed before an answer came")
        answer.feed(data)
    if not answer.head.complete:
        _drain(connection, answer, deadline)
    return answer.head


def _drain(connection: socket.socket, answer: _Answer, deadline: Deadline) -> None:
    """Take a little of the rest. What it holds, and whether it comes, changes nothing."""
    most = MAX_REST
    rest = Deadline(min(deadline.left(), REST_SECONDS), deadline.clock)
    try:
        while most > 0 and answer.head is not None and not answer.head.complete:
            connection.settimeout(rest.left())
            data = connection.recv(min(most, _CHUNK))
            if not data:
                return
            most -= len(data)
            answer.feed(data)
    except (OSError, NoAnswer):
        return


class _Answer:
    """What httptools (llhttp) tells of an answer."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self._reading = Head()
        self._bytes = 0
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        if self.head is None:
            self._bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise NoAnswer("it answered 101: another protocol was not asked for") from None
        except httptools.HttpParserError:
            if self.head is None:
                raise NoAnswer("what it answered is not HTTP") from None
            self.head.complete = True  # a body that cannot be read is of no interest
        if self.head is None and self._bytes > MAX_HEAD:
            raise NoAnswer(f"the head of its answer has more than {MAX_HEAD} bytes")

    def on_message_begin(self) -> None:
        self._reading = Head()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._reading.headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and self.head is None:  # 1xx is told before the answer
            self._reading.status = status
            self.head = self._reading

    def on_message_complete(self) -> None:
        if self.head is not None:
            self.head.complete = True


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
