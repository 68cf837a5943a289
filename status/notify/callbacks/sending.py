"""One attempt to send a callback. Called by the notify process, in a thread of its pool; touches no database.

Everything an attempt needs is read when it is made, and forgotten after it: address and keys may be secrets from
outside, and a file mended meanwhile counts at once. Whatever goes wrong is a recorded attempt that says so.
"""

from __future__ import annotations

import queue
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from specs.outside import OutsideUnreadable
from specs.signingkey import InvalidSecret, key_of
from specs.stored import StoredCallback
from state.outbox.records import Attempt, Delivery, Outcome
from status.notify.callbacks.answer import Answer
from status.notify.callbacks.exchange import Deadline, Head, NoAnswer, post
from status.notify.callbacks.guard import Allowed, Refused, Resolver, check
from status.notify.callbacks.retrying import SECOND, outcome_of, retry_after
from status.notify.callbacks.signing import headers
from status.notify.callbacks.url import InvalidUrl, parse_url

TIMEOUT_SECONDS = 20.0
"""For everything together. Standard Webhooks advises 15 to 30."""
OVERLOADED = frozenset({429, 502, 503, 504})
"""The standard: throttle. Only where the receiver says for how long."""

ReadValue = Callable[[object, str], str]
"""Opens a text or a reference (`specs.outside.read_value`); the second argument says what it is for."""


class Sent(NamedTuple):
    """What an attempt came to."""

    attempt: Attempt
    outcome: Outcome
    gone: bool = False
    """The receiver answered 410: disable the endpoint (the delivery's job, `StoredCallback.digest`)."""
    quiet_until: int | None = None
    """µs: the receiver is overloaded and asked that nothing be sent before; meant for other deliveries too."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Makes attempts. Any thread may."""

    allowed: Allowed
    read_value: ReadValue
    now: Callable[[], int]
    """µs."""
    monotonic: Callable[[], float]
    resolve: Resolver
    tls: ssl.SSLContext | None
    """Verifies https; None: the machine's, made anew."""
    version: str
    timeout: float = TIMEOUT_SECONDS

    def send(self, delivery: Delivery, callback: StoredCallback) -> Sent:
        """Try once. Takes `timeout` at most."""
        began, started = self.now(), self.monotonic()
        answer = self._attempt(delivery, callback, began)
        seconds = max(0.0, self.monotonic() - started)
        number = delivery.attempts + 1
        attempt = Attempt(
            number=number, sent_at=began, seconds=round(seconds, 3), status_code=answer.status, error=answer.error
        )
        ended = began + round(seconds * SECOND)
        quiet = None
        if answer.status in OVERLOADED and answer.retry_after:
            quiet = ended + round(answer.retry_after * SECOND)
        return Sent(attempt, outcome_of(delivery.id, number, answer, ended_at=ended), answer.gone, quiet)

    def _attempt(self, delivery: Delivery, callback: StoredCallback, now: int) -> Answer:
        deadline = Deadline(self.timeout, self.monotonic)
        url, found = "", list[str]()
        try:
            url = self.read_value(callback.url, "callback.url").strip()
            keys = self._keys(callback.secrets)
            signed = headers(keys, delivery.id, now // SECOND, delivery.payload)
            target = check(url, self.allowed, lambda host, port: self._addresses(host, port, deadline, found))
            head = post(target, self._all(signed), delivery.payload, deadline=deadline, tls=self._tls())
        except OutsideUnreadable as error:
            return Answer(error=f"{error.subject}: {error.cause}")
        except (Refused, NoAnswer) as error:
            return Answer(error=str(error) if isinstance(callback.url, str) else _masked(str(error), url, found))
        return answer_of(head, now=now)

    def _keys(self, secrets: Sequence[object]) -> list[bytes]:
        found = []
        for index, secret in enumerate(secrets):
            subject = "callback.secret" if len(secrets) == 1 else f"callback.secret[{index}]"
            try:
                found.append(key_of(self.read_value(secret, subject)))
            except InvalidSecret as error:
                raise OutsideUnreadable(subject, f"it {error}", "") from None
        return found

    def _all(self, signed: Mapping[str, str]) -> Mapping[str, str]:
        return {"Content-Type": "application/json", "User-Agent": f"jobsctl/{self.version}", "Accept": "*/*", **signed}

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context() if self.tls is None else self.tls

    def _addresses(self, host: str, port: int, deadline: Deadline, noted: list[str]) -> Sequence[str]:
        """`resolve` within the deadline: the C library's cannot be interrupted, so it is left behind if it must. The
        answer is also put into `noted`."""
        found: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found.put(self.resolve(host, port))
            except Exception as error:
                found.put(error)

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        try:
            answer = found.get(timeout=deadline.left())
        except queue.Empty:
            raise NoAnswer(f"the name {host} was not resolved within {self.timeout:g} s") from None
        if isinstance(answer, Exception):
            raise answer
        noted += answer
        return answer


def _masked(text: str, url: str, addresses: Sequence[str]) -> str:
    """Without the host that a secret address names, and its addresses: `deliveries` is shown to whoever may read."""
    with suppress(InvalidUrl):
        for place in (parse_url(url).host, *addresses):
            text = re.sub(rf"(?<![\w.:-]){re.escape(place)}(?![\w-])", "***", text, flags=re.IGNORECASE)
    return text


def answer_of(head: Head, *, now: int) -> Answer:
    """What a status means: 2xx arrived, anything else did not ("Webhook sending", Standard Webhooks 1.0.0)."""
    status = head.status or 0
    if 200 <= status < 300:
        return Answer(status)
    asked = head.headers.get("retry-after")
    wish = None if asked is None else retry_after(asked, now=now)
    if 300 <= status < 400:
        return Answer(status, f"answered {status}: redirects are not followed, so name the final address", wish)
    words = {
        401: "it did not accept us",
        403: "it did not accept us",
        404: "there is nothing at this address",
        410: "the receiver wants no more; nothing is sent there until the job's callback is changed",
        413: "the message is too long for it",
        429: "too many messages for it",
        503: "it is not ready",
    }
    said = f": {words[status]}" if status in words else ""
    return Answer(status, f"answered {status}{said}", wish)


def resolve_name(host: str, port: int) -> Sequence[str]:
    """The machine's resolver. Raises OSError."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in answers]
