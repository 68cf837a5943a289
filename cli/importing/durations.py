"""Durations: Go's, as Kubernetes and term-llm write them, and ours, as they are written in a job file.

Called by the readers. Pure.
"""

from __future__ import annotations

import re

_GO_UNITS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
_GO_PART = re.compile(r"([0-9]*\.?[0-9]*)(ns|us|µs|μs|ms|s|m|h)")


def read_go_duration(text: str) -> float | None:
    """Seconds of `1h30m`, `1.5h`, `300ms` or `-2m`; None for what Go's `time.ParseDuration` refuses.

    Source: Go, src/time/format.go: a sign, then numbers with a unit each; only `0` needs none.
    """
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    while at < len(rest):
        part = _GO_PART.match(rest, at)
        if part is None or part[1] in ("", "."):
            return None
        total += float(part[1]) * _GO_UNITS[part[2]]
        at = part.end()
    return sign * total if rest else None


def write_span(seconds: float) -> str:
    """As people write it in a job file: `90s`, `15m`, `1h30m`, `2d`; a fraction of a second is kept to the millisecond.

    `seconds` is positive.
    """
    whole, millis = divmod(round(seconds * 1000), 1000)
    if millis or whole < 120:
        return (
            f"{f'{whole}.{millis:03}'.rstrip('0')}s" if millis else (f"{whole // 60}m" if whole == 60 else f"{whole}s")
        )
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
