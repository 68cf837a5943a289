"""HTTP to a jobsctl server: one kept connection, answers as JSON, everything that goes wrong in words.

Used by `cli.remote` only. The standard library's client: it is light to import, and follows no redirects and no proxy
variables, so a token goes nowhere but to the server that was named.
"""

from __future__ import annotations

import http.client
import socket
import zlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from cli.errors import CliError, DaemonDown, Refused, TimedOut, UsageError
from cli.output import say
from jobsctl import __version__
from state import errors as state_errors

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
"""Between two pieces of an answer; the server takes 0.1 s for the largest."""
LARGEST_ANSWER = 1 << 28
"""Bytes, unpacked too. A thousand records with the largest specs there are stay below; more would fill the memory."""
KEPT = 64
"""Answers kept while watching: more than one picture asks for."""
LARGEST_TOKEN = 4096
EVENT_STREAM = "text/event-stream"

Param = str | int | bool | None
Params = Iterable[tuple[str, Param]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its body, decoded, and its headers."""

    body: bytes
    headers: Message


class Busy(CliError):
    """Raised when the server has too much to do."""


class Client:
    """Asks one server. Not for several threads."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """
        Raises:
            UsageError: the address is none.
        """
        parts = _parts(url)
        self.url = url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._token = token
        self._kept: dict[str, Answer] | None = None
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = self._kind(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)
        if token is not None and parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            say(f"note: the token travels unencrypted to {parts.hostname}: https:// would hide it")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def keep(self) -> None:
        """Keep answers from now on: what did not change meanwhile is not sent again."""
        if self._kept is None:
            self._kept = {}

    def etag(self, path: str) -> str:
        """The tag of what is answered now. Raises as `ask`."""
        return self.header(self.get(path), "etag")

    def header(self, answer: Answer, name: str) -> str:
        """What an answer of jobsctl has. Raises CliError where somebody between dropped it."""
        value = answer.headers[name]
        if value is None:
            raise self._not_jobsctl(f"an answer without {name}")
        return str(value)

    def number(self, answer: Answer, name: str) -> int:
        """A header that is a number. Raises as `header`."""
        text = self.header(answer, name)
        if not text.isdecimal():
            raise self._not_jobsctl(f"an answer with {name}: {text}")
        return int(text)

    def ask(self, path: str, params: Params = (), *, needs: Iterable[str] = ()) -> dict[str, Any]:
        """The JSON object that is answered, with at least the keys in `needs`.

        Raises:
            DaemonDown, TimedOut: nobody answers.
            state.errors.StateError: as the reader at home raises it.
            CliError: anything else.
        """
        answer = self.get(path, params)
        try:
            found = orjson.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._not_jobsctl("its answer is not JSON")
        if missing := [key for key in needs if key not in found]:
            raise self._not_jobsctl(f"its answer to {path} has no {missing[0]}")
        return found

    def stream(
        self, path: str, params: Params, *, last: str, silence: float
    ) -> tuple[socket.socket, http.client.HTTPResponse]:
        """An answer that goes on, on a connection of its own: server-sent events, or 204 when there are none any more.

        Both are to be closed; shutting down the socket wakes who reads.

        Args:
            last: the id of the last event that was had.
            silence: seconds after which reading gives up.

        Raises:
            Busy: too many follow.
            Refused: the server is too old to send them. Else as `ask`.
        """
        connection = self._kind(self._connection.host, self._connection.port, timeout=CONNECT_SECONDS)
        connected = False
        with ExitStack() as undo:
            undo.callback(connection.close)
            try:
                connection.connect()
                connected, plug = True, connection.sock
                undo.callback(plug.close)
                plug.settimeout(silence)
                headers = self._headers() | {"accept": EVENT_STREAM, "last-event-id": last}
                connection.request("GET", self._target(path, params), headers=headers)
                answer = connection.getresponse()
                undo.callback(answer.close)
                if answer.status not in (200, 204):
                    raise self._refusal(answer, answer.read(LARGEST_ANSWER))
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error, connected=connected) from None
            if answer.status == 200 and answer.headers.get_content_type() != EVENT_STREAM:
                raise self._older("it does not send what happens as it happens")
            undo.pop_all()
        return plug, answer

    def _target(self, path: str, params: Params) -> str:
        query = urlencode([(name, _text(value)) for name, value in params if value is not None])
        return f"{self._prefix}{quote(path)}" + (f"?{query}" if query else "")

    def _headers(self) -> dict[str, str]:
        token = {} if self._token is None else {"authorization": f"Bearer {self._token}"}
        return {"user-agent": f"jobsctl/{__version__}"} | token

    def _older(self, why: str) -> Refused:
        return Refused(
            f"{self.url} is an older jobsctl than this one ({__version__}): {why}",
            hint="update the daemon, or use the command line of its version",
        )

    def get(self, path: str, params: Params = ()) -> Answer:
        """What is answered. Raises as `ask`."""
        target = self._target(path, params)
        headers = self._headers() | {"accept": "application/json", "accept-encoding": "gzip"}
        known = None if self._kept is None else self._kept.get(target)
        if known is not None:
            headers["if-none-match"] = known.headers["etag"]
        try:
            response, body = self._exchange(target, headers)
        except (OSError, http.client.HTTPException) as error:
            connected = self._connection.sock is not None
            self._connection.close()
            raise self._unreachable(error, connected=connected) from None
        if response.headers.get("content-encoding") == "gzip":
            body = self._unpacked(body)
        if len(body) > LARGEST_ANSWER:
            self._connection.close()
            size = f"{LARGEST_ANSWER / (1 << 20):.1f} MiB"
            raise CliError(f"{self.url} answers with more than {size}", hint="ask for less")
        if response.status == 304 and known is not None:
            return known
        if response.status == 200:
            answer = Answer(body, response.headers)
            if self._kept is not None and "etag" in response.headers:
                if len(self._kept) >= KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[target] = answer
            return answer
        raise self._refusal(response, body)

    def _unpacked(self, body: bytes) -> bytes:
        """At most one byte more than `LARGEST_ANSWER`: a few bytes may stand for all that is there."""
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            found = unpacking.decompress(body, LARGEST_ANSWER + 1)
        except zlib.error:
            raise self._not_jobsctl("its answer cannot be unpacked") from None
        if not unpacking.eof and len(found) <= LARGEST_ANSWER:
            raise self._not_jobsctl("its answer cannot be unpacked")
        return found

    def _exchange(self, target: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        kept = self._connection.sock is not None
        try:
            return self._try(target, headers)
        except (ConnectionError, http.client.RemoteDisconnected, http.client.CannotSendRequest):
            if not kept:
                raise
        # The server hangs up on a connection that was idle: that says nothing about whether it is there.
        self._connection.close()
        return self._try(target, headers)

    def _try(self, target: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(ANSWER_SECONDS)
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        body = response.read(LARGEST_ANSWER + 1)
        if response.length and len(body) <= LARGEST_ANSWER:  # with a limit, `read` itself says nothing of a cut answer
            raise http.client.IncompleteRead(body, response.length)
        return response, body

    def _unreachable(self, error: Exception, *, connected: bool) -> Exception:
        """What an error of the connection means."""
        import ssl

        if isinstance(error, socket.gaierror):
            return DaemonDown(f"{self.url}: no such host ({error.strerror})", hint="is the name right?")
        if isinstance(error, ssl.SSLCertVerificationError):
            return Refused(
                f"{self.url}: its certificate is not trusted: {error.verify_message}",
                hint="SSL_CERT_FILE names a file with the certificates to trust",
            )
        if isinstance(error, ssl.SSLError):
            return DaemonDown(f"{self.url}: no TLS there ({error.reason})", hint="is it http:// ?")
        if isinstance(error, TimeoutError):
            if connected:
                return TimedOut(f"{self.url}: no answer within {ANSWER_SECONDS:g} s")
            return DaemonDown(f"{self.url}: no connection within {CONNECT_SECONDS:g} s", hint=_DOWN)
        if isinstance(error, ConnectionRefusedError):
            return DaemonDown(f"{self.url}: nobody listens there", hint=_DOWN)
        if isinstance(error, http.client.BadStatusLine | http.client.LineTooLong) and not isinstance(
            error, http.client.RemoteDisconnected
        ):
            return self._not_jobsctl("it does not speak HTTP")
        words = str((isinstance(error, OSError) and error.strerror) or error or type(error).__name__)
        return DaemonDown(f"{self.url}: {words}", hint=_DOWN)

    def _refusal(self, response: http.client.HTTPResponse, body: bytes) -> Exception:
        """What an answer other than 200 means."""
        status = response.status
        if status == 401:
            if self._token is None:
                return Refused(f"{self.url} asks for a token", hint="--token-file FILE gives one")
            return Refused(f"{self.url} does not know the token", hint="is it the right file, and still valid?")
        if status == 403:
            return Refused(
                f"{self.url}: the token does not allow this",
                hint="a token for one project reads by curl and browser; the command line needs one for everything",
            )
        if 300 <= status < 400:
            place = response.headers.get("location", "somewhere else")
            return CliError(f"{self.url} sends us to {place}", hint="name that address with --server")
        error = _error_of(body)
        if error is None:
            return self._not_jobsctl(f"status {status}, {response.headers.get('content-type', 'no type')}")
        message, details = str(error.get("message") or f"status {status}"), error.get("details")
        details = details if isinstance(details, dict) else {}
        hint = details.get("hint")
        match error.get("type"):
            case "not_found" if "path" in details:
                return self._older(f"it has no {details['path']}")
            case "not_found":
                return state_errors.NotFound(message, hint=hint)
            case "ambiguous":
                return state_errors.Ambiguous(message, [str(each) for each in details.get("candidates", ())], hint=hint)
            case "bad_request" | "unprocessable":
                return state_errors.InvalidQuery(message, hint=hint)
            case "wrong_host":
                names = ", ".join(map(str, details.get("allowed", ())))
                return Refused(f"{self.url}: it does not go by this name", hint=f"it is called {names}")
            case "overloaded":
                return Busy(f"{self.url} has too much to do", hint="try again in a second")
        return CliError(f"{self.url}: {message}", hint=hint or "its log tells more")

    def _not_jobsctl(self, why: str) -> CliError:
        return CliError(
            f"{self.url} does not answer as a jobsctl daemon does: {why}",
            hint="`jobsctl status` on the daemon's machine shows its address",
        )


_DOWN = "is the daemon running there, and may this machine reach it? `http.listen` in jobsctl.yaml sets its address"


def _parts(url: str) -> Any:
    usage = "as http://host:8787 or https://host"
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # as `connect` and `request` will, too late to say it
        parts.path.encode("ascii")
    except UnicodeError:
        raise UsageError(f"--server {url!r} is not an address", hint=usage) from None
    except ValueError as error:
        raise UsageError(f"--server {url!r}: {error}", hint=usage) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UsageError(f"--server {url!r} is not an address", hint=usage)
    if parts.username is not None or parts.password is not None:
        raise UsageError("--server: an address is no place for a password", hint="--token-file FILE gives a token")
    if parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise UsageError(f"--server {url!r} is more than an address", hint=usage)
    return parts


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error_of(body: bytes) -> dict[str, Any] | None:
    """The error of an answer in our shape; None for any other."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return None
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) and isinstance(error.get("type"), str) else None


def read_token(path: Path) -> str:
    """The token in a file, without the line's end.

    Raises:
        UsageError: it cannot be read, or is not one word of ASCII.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_TOKEN + 1)
    except OSError as error:
        raise UsageError(f"--token-file {path}: {error.strerror}") from None
    token = data.strip()
    if not token or len(data) > LARGEST_TOKEN or not all(33 <= byte < 127 for byte in token):
        raise UsageError(f"--token-file {path} does not hold a token: one word, nothing else")
    return token.decode("ascii")
