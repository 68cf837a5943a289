"""A test message through one notifier, sent here and now. Used by `notify test`."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cli.errors import Refused
from cli.outsidehere import read_here
from cli.progress import Progress
from cli.reading import Reading
from specs.outside import OutsideUnreadable
from specs.stored import StoredNotifier, Unreadable
from state.records import DocumentRecord
from status.notify.sending import INSTALL, Note, available, send_apart
from status.notify.wording import Voice, in_voice, when


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one address."""

    place: int
    """From 1."""
    service: str
    """Its scheme, as `slack`; never more of the address."""
    seconds: float
    error: str | None


def send_test(seen: Reading, document: DocumentRecord) -> Sequence[Result]:
    """Send to every address in turn.

    Raises:
        Refused: apprise is not installed, or the document is of another version.
    """
    if not available():
        raise Refused("apprise, which sends notifications, is not installed", hint=INSTALL)
    try:
        notifier = StoredNotifier.of(document.spec)
    except Unreadable:
        raise Refused(f"Notifier {document.name} was stored by another version", hint="use its jobsctl") from None
    zone = notifier.timezone or seen.timezone
    at = when(seen.now, zone)
    text = in_voice(
        f"Test of notifier {notifier.name}",
        f"Sent by `jobsctl notify test {notifier.name}` on {socket.gethostname()} at {at}. Nothing is wrong.",
        {"what": "test", "at": at, "command": f"jobsctl deliveries --target {notifier.name}"},
        Voice(notifier=notifier.name, timezone=zone, template=notifier.template),
    )
    return [
        _send(seen, notifier.name, place, url, Note(text.title, text.body))
        for place, url in enumerate(notifier.urls, 1)
    ]


def _send(seen: Reading, name: str, place: int, url: object, note: Note) -> Result:
    began = time.monotonic()
    try:
        subject = f"urls[{place - 1}] of Notifier {name}"
        address = read_here(url, subject=subject, base_dir=seen.base_dir).strip()
    except OutsideUnreadable as error:
        return Result(place, "?", 0.0, str(error))
    with Progress(f"sending through {name}, address {place}"):
        problem = send_apart(address, note)
    return Result(place, address.partition("://")[0][:32], round(time.monotonic() - began, 2), problem)
