"""Whether those who want to be told can be: apprise, the outbox, what did not arrive, the ping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cli.health.finding import DAY, Check, Finding, Patient, ok, problem, warning
from state.errors import StateError
from state.outbox.reads import OutboxReader
from state.outbox.records import Delivery, DeliveryKind, DeliveryState
from status.counting import counted
from status.notify.sending import INSTALL, available
from status.times import relative

LOOKED_AT = 10_000
_NOTIFICATION = DeliveryKind.NOTIFICATION
Place = tuple[DeliveryKind, str, int]
"""What is sent to: kind, target, and which of a notifier's addresses, from 0."""


def check_telling(patient: Patient) -> Iterator[Finding]:
    """Notifiers need apprise; a target that fails again and again needs somebody."""
    notifiers = 0 if patient.reader is None else len(patient.reader.documents("Notifier"))
    if notifiers and not available():
        yield problem(f"{counted(notifiers, 'notifier')} and no apprise: notifications are recorded as failed", INSTALL)
    damaged = sorted(patient.home.state.glob(f"{patient.home.outbox.name}.damaged-*"))
    if damaged:
        yield warning(
            f"{damaged[-1]}: an outbox that was damaged; what waited in it was not told",
            "look at the disk and the kernel's log; remove the file when you need it no more",
        )
    if not patient.home.outbox.exists():
        return
    try:
        with OutboxReader(patient.home.outbox, timeout=2.0) as outbox:
            ended = outbox.deliveries(since=patient.now - DAY, limit=LOOKED_AT)
            pinged = outbox.note("ping")
    except StateError as error:
        yield problem(f"the outbox cannot be read: {error.message}", error.hint or "restart the daemon: it mends it")
        return
    yield from _failed(ended, patient.now)
    if patient.config.ping is not None and pinged is not None and pinged["error"] is not None:
        yield warning(
            f"the last ping ({relative(pinged['at'], patient.now)}) came to nothing: {pinged['error']}",
            "look at `ping` in jobsctl.yaml and at what it pings",
        )


def _failed(found: list[Delivery], now: int) -> Iterator[Finding]:
    """Of a day: by address those that did not arrive; not when the newest to it did."""
    newest = {_place(each): each for each in reversed(found) if each.state is not DeliveryState.PENDING}
    lost = Counter(_place(each) for each in found if each.state in (DeliveryState.FAILED, DeliveryState.DROPPED))
    tried = [each for each in found if each.state is DeliveryState.PENDING and each.attempts > 1]
    for place, count in sorted(lost.items()):
        last = newest[place]
        if last.state is not DeliveryState.DELIVERED:
            yield warning(
                f"in the last day {counted(count, place[0].value)} to {_named(place)} did not arrive; why the newest "
                f"did not: {last.reason}",
                f"jobsctl deliveries --failed {f'--to {place[1]}' if place[0] is _NOTIFICATION else '--kind callback'}",
            )
    for place in sorted({_place(each) for each in tried} - lost.keys()):
        last = next(each for each in tried if _place(each) == place)
        yield warning(
            f"{place[0].value}s to {_named(place)} fail and are tried again: {last.reason}",
            "jobsctl deliveries --pending",
        )
    if found and not lost and not tried:
        yield ok(f"{len(found)} deliveries in the last day, none failed")


def _place(each: Delivery) -> Place:
    return each.kind, each.target, each.address or 0


def _named(place: Place) -> str:
    return f"{place[1]} #{place[2] + 1}" if place[2] else place[1]


CHECKS = (Check("telling", "apprise, the outbox, deliveries that fail, the ping", check_telling),)
