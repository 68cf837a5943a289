"""What the outbox knows, as frozen plain data. Made by the notify process and by `state.outbox.reads`.

All instants are integer microseconds since the epoch, UTC; None means "never" or "not yet".
"""

from __future__ import annotations

from enum import StrEnum

from specs.frozen import frozen


class DeliveryKind(StrEnum):
    """Through what it goes out."""

    NOTIFICATION = "notification"
    """By a Notifier."""
    CALLBACK = "callback"
    """A signed POST to the address a job names."""


class DeliveryState(StrEnum):
    """`pending` -> a terminal one."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Tried as often as may be, or refused for good."""
    DROPPED = "dropped"
    """Never (or not any more) tried: too old, its endpoint disabled, its notifier gone. `reason` says which."""


@frozen(kw_only=True)
class Message:
    """One thing to be told by one notifier, before it is gathered into a delivery."""

    id: str
    """Made from what it is about, so the same thing is stored once."""
    notifier: str
    identity: str | None
    run_id: str | None
    at: int
    """When it happened."""
    stored_at: int
    """When it came to wait."""
    payload: bytes
    """JSON."""
    batch: str | None = None
    """What it goes out with; None: not gathered yet."""


@frozen(kw_only=True)
class Delivery:
    """One thing to send, as often as it takes; always under the same id."""

    id: str
    """What the receiver sees and may know it by. Made from what it is about."""
    kind: DeliveryKind
    target: str
    """The notifier's name, or for a callback the host it goes to; never an address with a secret in it."""
    address: int | None = None
    """Which address of the notifier, from 0: one that fails is tried again without the others."""
    batch: str | None = None
    """The messages it tells; deliveries to other addresses of the notifier have the same."""
    identity: str | None = None
    """`project/name` of the job; None when it is about several."""
    run_id: str | None = None
    event: str
    """What it tells, in one word: `failure`, `succeeded`, `group`, `digest`."""
    created_at: int
    next_attempt_at: int | None
    """None when it has ended."""
    attempts: int = 0
    state: DeliveryState = DeliveryState.PENDING
    reason: str | None = None
    """Why it failed or was dropped, in words; while pending, why the last attempt did not do."""
    ended_at: int | None = None
    payload: bytes
    """What is sent: a callback's body as it is signed, a notification's title and body as JSON."""
    number: int = 0
    """Its place in the order they were made; given by the store."""


@frozen(kw_only=True)
class Attempt:
    """One try to send."""

    number: int
    """From 1."""
    sent_at: int
    seconds: float
    status_code: int | None = None
    """HTTP's; None when there was no answer, or no HTTP."""
    error: str | None = None
    """None when it arrived. Never holds a secret."""


@frozen(kw_only=True)
class Outcome:
    """What an attempt means for its delivery."""

    state: DeliveryState
    next_attempt_at: int | None = None
    """For `pending`."""
    reason: str | None = None


@frozen
class DisabledEndpoint:
    """A callback that nothing is sent to any more."""

    disabled_at: int
    reason: str
