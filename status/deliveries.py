"""Deliveries as JSON: what was sent to whom, what came of it. The shape of `-o json` and of `/api/v1/deliveries`.

Used by `status.api.deliveries` and the command line. Pure. An address or key is nowhere in a delivery.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from state.outbox.records import Attempt, Delivery, DeliveryKind, Message
from status.views import View
from status.words.instants import rfc3339


def delivery_view(delivery: Delivery) -> View:
    """One delivery, as lists show it. `number` is the cursor."""
    return {
        "id": delivery.id,
        "number": delivery.number,
        "kind": delivery.kind.value,
        "target": delivery.target,
        "address": delivery.address,
        "job": delivery.identity,
        "run": delivery.run_id,
        "event": delivery.event,
        "title": _said(delivery).get("title"),
        "state": delivery.state.value,
        "reason": delivery.reason,
        "attempts": delivery.attempts,
        "createdAt": rfc3339(delivery.created_at),
        "nextAttemptAt": rfc3339(delivery.next_attempt_at),
        "endedAt": rfc3339(delivery.ended_at),
    }


def delivery_detail(delivery: Delivery, attempts: Sequence[Attempt], messages: Sequence[Message]) -> View:
    """One delivery with its attempts and, of a notification, its text and what it tells."""
    return {
        **delivery_view(delivery),
        "body": _said(delivery).get("body"),
        "tries": [attempt_view(attempt) for attempt in attempts],
        "messages": [
            {"what": message.id.partition("/")[0], "job": message.identity, "run": message.run_id,
             "at": rfc3339(message.at)}
            for message in messages
        ],
    }  # fmt: skip


def attempt_view(attempt: Attempt) -> View:
    """One try."""
    return {
        "number": attempt.number,
        "sentAt": rfc3339(attempt.sent_at),
        "seconds": attempt.seconds,
        "statusCode": attempt.status_code,
        "error": attempt.error,
    }


def _said(delivery: Delivery) -> View:
    """Title and body of a notification; nothing of a callback: its body is `/api/v1/runs/{id}` and the job's labels."""
    if delivery.kind is not DeliveryKind.NOTIFICATION:
        return {}
    try:
        said = orjson.loads(delivery.payload)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
