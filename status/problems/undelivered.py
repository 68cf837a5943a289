"""What keeps failing to arrive, in words: what `status`, the overview page and `doctor` say of the outbox.

Reads through what the caller opened (`state.outbox.reads`). A failure that was followed by a success is none any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from specs.frozen import frozen
from state.outbox.reads import OutboxReader
from state.outbox.records import Delivery, DeliveryKind, DeliveryState
from status.words.counting import counted
from status.words.instants import SECOND

DAY = 86_400 * SECOND
MOST = 1000
"""Deliveries that are looked at: how many more there are helps nobody."""
LATER = 100
"""Of one target: among so many that arrived one went to every address."""
LOST = (DeliveryState.FAILED, DeliveryState.DROPPED)

Place = tuple[DeliveryKind, str, int]
"""What is sent to: kind, target, and which of a notifier's addresses, from 0."""


@frozen
class Undelivered:
    """One address at which nothing arrives."""

    place: Place
    lost: int
    """Given up within a day; 0: all of them are tried again."""
    reason: str
    """Of the newest."""

    @property
    def subject(self) -> str:
        """`ops`, `ops #2`, `hooks.example.com`."""
        _, target, address = self.place
        return f"{target} #{address + 1}" if address else target

    @property
    def message(self) -> str:
        """In words, beside `subject`."""
        kind = self.place[0].value
        if not self.lost:
            return f"{kind}s fail and are tried again: {self.reason}"
        newest = ", the newest" if self.lost > 1 else ""
        return f"{counted(self.lost, kind)} did not arrive in the last day{newest}: {self.reason}"

    @property
    def next(self) -> str:
        """A command."""
        kind, target, _ = self.place
        if not self.lost:
            return "jobsctl deliveries --pending"
        which = f"--target {target}" if kind is DeliveryKind.NOTIFICATION else "--kind callback"
        return f"jobsctl deliveries --failed {which}"


def undelivered(outbox: OutboxReader, now: int) -> list[Undelivered]:
    """By kind and target: where something was lost within a day and nothing arrived since, or fails again and again.

    Raises the errors of `state.errors`.
    """
    lost = _by_place(outbox.deliveries(states=LOST, since=now - DAY, limit=MOST))
    tried = _by_place(
        each for each in outbox.deliveries(states=[DeliveryState.PENDING], limit=MOST) if each.attempts > 1
    )
    found = [
        Undelivered(place, len(those), those[0].reason or "not known")
        for place, those in lost.items()
        if not _arrived_since(outbox, place, those[0])
    ]
    known = {each.place for each in found}
    found += [
        Undelivered(place, 0, those[0].reason or "not known") for place, those in tried.items() if place not in known
    ]
    return sorted(found, key=lambda each: each.place)


def _by_place(deliveries: Iterable[Delivery]) -> dict[Place, list[Delivery]]:
    found: dict[Place, list[Delivery]] = {}
    for each in deliveries:
        found.setdefault((each.kind, each.target, each.address or 0), []).append(each)
    return found


def _arrived_since(outbox: OutboxReader, place: Place, newest: Delivery) -> bool:
    kind, target, address = place
    later = outbox.deliveries(
        kind=kind, target=target, states=[DeliveryState.DELIVERED], after=newest.number, limit=LATER
    )
    return any((each.address or 0) == address for each in later)
