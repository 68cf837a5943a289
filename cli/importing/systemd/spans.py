"""Time spans of systemd.time(7): `5min 20s`, `1w`, `90`. Called by `timer` and `service`. Pure."""

from __future__ import annotations

import re

_UNITS = {
    **dict.fromkeys(("us", "usec", "µs", "μs"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("s", "sec", "second", "seconds", ""), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604_800.0),
    **dict.fromkeys(("M", "month", "months"), 2_629_800.0),
    **dict.fromkeys(("y", "year", "years"), 31_557_600.0),
}
_PART = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zµμ]*)")
INFINITY = float("inf")
LONGEST = 3650 * 86_400
"""Seconds: a job's longest duration, ten years."""


def read_span(text: str) -> float | None:
    """Seconds; `INFINITY` for `infinity` and what is longer than `LONGEST`; None when systemd would refuse it."""
    text = text.strip()
    if text == "infinity":
        return INFINITY
    total, index = 0.0, 0
    while index < len(text):
        found = _PART.match(text, index)
        if found is None or found[2] not in _UNITS:
            return None
        total += float(found[1]) * _UNITS[found[2]]
        index = found.end()
    return None if not text else INFINITY if total > LONGEST else total


def write_span(seconds: float) -> str:
    """As our files write it: `1h30m`, `20s`, `0.5s`."""
    rest = round(seconds, 3)
    if rest < 1 or rest != int(rest):
        return f"{rest:g}s"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(int(rest), size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
