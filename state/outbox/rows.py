"""Between rows of the outbox and records. Used by `state.outbox.store` and `state.outbox.reads`. Pure."""

from __future__ import annotations

from typing import Any

from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Message

DELIVERY_VALUES = (
    "id", "kind", "target", "address", "batch", "identity", "run_id", "event", "created_at", "next_attempt_at",
    "attempts", "state", "reason", "ended_at", "payload",
)  # fmt: skip
SELECT_DELIVERY = f"SELECT {', '.join(DELIVERY_VALUES)}, number FROM delivery"
SELECT_MESSAGE = "SELECT id, notifier, identity, run_id, at, stored_at, payload, batch FROM message"
SELECT_ATTEMPT = "SELECT number, sent_at, seconds, status_code, error FROM attempt"


def delivery_values(delivery: Delivery) -> tuple[object, ...]:
    """The values of `DELIVERY_VALUES`."""
    return (
        delivery.id, delivery.kind.value, delivery.target, delivery.address, delivery.batch, delivery.identity,
        delivery.run_id, delivery.event, delivery.created_at, delivery.next_attempt_at, delivery.attempts,
        delivery.state.value, delivery.reason, delivery.ended_at, delivery.payload,
    )  # fmt: skip


def delivery_of(row: tuple[Any, ...]) -> Delivery:
    """Of a row of `SELECT_DELIVERY`."""
    (id, kind, target, address, batch, identity, run_id, event, created_at, next_attempt_at, attempts, state, reason,
     ended_at, payload, number) = row  # fmt: skip
    return Delivery(
        id=id,
        kind=DeliveryKind(kind),
        target=target,
        address=address,
        batch=batch,
        identity=identity,
        run_id=run_id,
        event=event,
        created_at=created_at,
        next_attempt_at=next_attempt_at,
        attempts=attempts,
        state=DeliveryState(state),
        reason=reason,
        ended_at=ended_at,
        payload=payload,
        number=number,
    )


def message_of(row: tuple[Any, ...]) -> Message:
    """Of a row of `SELECT_MESSAGE`."""
    id, notifier, identity, run_id, at, stored_at, payload, batch = row
    return Message(
        id=id,
        notifier=notifier,
        identity=identity,
        run_id=run_id,
        at=at,
        stored_at=stored_at,
        payload=payload,
        batch=batch,
    )


def attempt_of(row: tuple[Any, ...]) -> Attempt:
    """Of a row of `SELECT_ATTEMPT`."""
    number, sent_at, seconds, status_code, error = row
    return Attempt(number=number, sent_at=sent_at, seconds=seconds, status_code=status_code, error=error)
