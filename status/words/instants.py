"""Instants and durations as people and programs read them: RFC 3339 in UTC, seconds, and the forms a query may use.

Used by every module of `status`, and by the command line. Pure: `now` is an argument.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from specs.notation import BadValue, parse_duration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
LATEST = 253_402_300_799 * SECOND
"""The last instant RFC 3339 can write: the end of the year 9999."""


class InvalidInstant(ValueError):
    """Raised when a text is neither an RFC 3339 instant, nor seconds, nor a duration like 10m."""


@functools.lru_cache(maxsize=1024)
def rfc3339(at: int | None) -> str | None:
    """`2026-11-21T07:56:28.123Z` of microseconds since the epoch; always three decimals, so that texts sort as time."""
    # A view says one instant several times, and most of its dozen are of few seconds: `_second` is kept by itself.
    if at is None:
        return None
    second, micros = divmod(min(max(at, 0), LATEST), SECOND)
    return f"{_second(second)}.{micros // 1000:03d}Z"


@functools.lru_cache(maxsize=1024)
def _second(at: int) -> str:
    """Written anew each takes 5 us, this way 1.5."""
    return (EPOCH + timedelta(seconds=at)).isoformat()[:-6]


def seconds(at: int | None) -> float | None:
    """Seconds since the epoch, as Prometheus counts them."""
    return None if at is None else at / SECOND


def parse_instant(text: str, *, now: int) -> int:
    """Microseconds since the epoch of `2026-11-21T07:56:28Z`, of `1763711788.5` (seconds), or of `10m` (that long ago).

    Raises:
        InvalidInstant: the text is none of them; an RFC 3339 instant without offset is refused, not guessed.
    """
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if 0 <= number <= LATEST / SECOND:  # also False for nan
            return round(number * SECOND)
        raise InvalidInstant(f"{text!r} is not between 0 and {LATEST // SECOND} seconds since the epoch")
    try:
        return now - round(parse_duration(text) * SECOND)
    except BadValue:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInstant(
            f"{text!r} is not an instant: use RFC 3339 (2026-11-21T07:56:28Z), seconds since the epoch, "
            "or how long ago (90s, 10m, 2h, 1d)"
        ) from None
    if moment.tzinfo is None:
        raise InvalidInstant(f"{text!r} has no offset: end it with Z or +hh:mm")
    return (moment - EPOCH) // timedelta(microseconds=1)
