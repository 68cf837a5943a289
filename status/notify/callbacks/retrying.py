"""When a callback is tried again, and when no more. Called by `sending` and the notify process. Pure.

The schedule is that of Standard Webhooks 1.0.0 ("Retry schedule"): ten attempts in a little over three days.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from state.outbox.records import DeliveryState, Outcome
from status.notify.callbacks.answer import Answer

SECOND = 1_000_000
_HOUR = 3600
DELAYS = (0, 5, 300, 1800, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds before each attempt, counted from the one before it."""
JITTER = 0.1
"""Share of a delay by which it gets longer: deliveries that failed together do not come back together."""
LONGEST_WISH = 24 * _HOUR
"""Seconds: a receiver that asks for more is asked again after this."""


def outcome_of(id: str, attempt: int, answer: Answer, *, ended_at: int) -> Outcome:
    """What attempt number `attempt` (from 1) means for the delivery `id`; `ended_at` is µs.

    A 410 ends it at once: its endpoint is gone. After the last attempt it has failed.
    """
    if answer.error is None:
        return Outcome(state=DeliveryState.DELIVERED)
    if answer.gone:
        return Outcome(state=DeliveryState.FAILED, reason=answer.error)
    if attempt >= len(DELAYS):
        return Outcome(state=DeliveryState.FAILED, reason=f"{answer.error}; {attempt} attempts were made")
    return Outcome(
        state=DeliveryState.PENDING,
        next_attempt_at=ended_at + wait(id, attempt, wish=answer.retry_after),
        reason=answer.error,
    )


def wait(id: str, attempts: int, *, wish: float | None = None) -> int:
    """Microseconds from the end of attempt number `attempts` to the next: the same for the same id.

    Args:
        wish: seconds the receiver asked for (`Retry-After`). Makes the wait longer, never shorter.
    """
    delay = max(float(DELAYS[attempts]), min(wish or 0.0, float(LONGEST_WISH)))
    spread = int.from_bytes(hashlib.sha256(f"{id} {attempts}".encode()).digest()[:4], "big") / 0xFFFF_FFFF
    return round(delay * (1 + JITTER * spread) * SECOND)


def retry_after(value: str, *, now: int) -> float | None:
    """Seconds a `Retry-After` header asks for (RFC 9110, 10.2.3: seconds, or an HTTP date); None when it is neither.

    Between 0 and `LONGEST_WISH`. `now` is µs.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), LONGEST_WISH))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000", or the asctime form: both are UTC in HTTP
        moment = moment.replace(tzinfo=UTC)
    ahead = moment.timestamp() - now / SECOND if moment > datetime(1970, 1, 2, tzinfo=UTC) else 0.0
    return min(max(ahead, 0.0), float(LONGEST_WISH))
