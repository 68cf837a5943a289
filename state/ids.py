"""Ids of runs and requests: ULIDs (github.com/ulid/spec), 26 characters of lower-case Crockford base 32.

48 bits of milliseconds, 80 of chance: they sort by the time of their making and can be made anywhere. Within one
process they only go up, also when the clock is set back a little; when it is set back far they follow it, so that the
time in an id can be used to select and prune. Used by everybody who makes a run or a request.
"""

from __future__ import annotations

import os
import re
import threading

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_PATTERN = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_PREFIX = re.compile(r"[0-9a-hjkmnp-tv-z]{1,26}")
_MAX_MS = (1 << 48) - 1
_SET_BACK_MS = 60_000
"""A clock that goes back by less is being corrected; one that goes back further was wrong before."""

_lock = threading.Lock()
_last = 0


def new_id(now: int) -> str:
    """A new id for the instant `now` (microseconds)."""
    global _last
    ms = min(max(now // 1000, 0), _MAX_MS)
    value = ms << 80 | int.from_bytes(os.urandom(10), "big")
    with _lock:
        if 0 <= (_last >> 80) - ms <= _SET_BACK_MS:
            # Same millisecond, or set back a little: the next number keeps the order.
            value = _last + 1
        _last = value
    return _encode(value)


def _encode(value: int) -> str:
    parts = []
    for _ in range(13):
        parts.append(_PAIRS[value & 0x3FF])
        value >>= 10
    parts.reverse()
    return "".join(parts)


def first_id(at: int) -> str:
    """The smallest id an instant (microseconds) can have: bounds queries by time."""
    return _encode(min(max(-(-at // 1000), 0), _MAX_MS) << 80)


def time_of(id: str) -> int:
    """When the id was made, microseconds, whole milliseconds."""
    ms = 0
    for character in id[:10]:
        ms = ms << 5 | _ALPHABET.index(character)
    return ms * 1000


def is_id(text: str) -> bool:
    """Whether the text has the form of an id (so it is safe as a file name, too)."""
    return _PATTERN.fullmatch(text) is not None


def is_prefix(text: str) -> bool:
    """Whether the text, in lower case, can be the beginning of an id."""
    return _PREFIX.fullmatch(text.lower()) is not None
