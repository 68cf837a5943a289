"""Durations: Go's, as Kubernetes and term-llm write them, and ours, as they are written in a job file.

Called by the readers. Pure.
"""

from __future__ import annotations

import re

from specs.notation import write_duration

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


write_span = write_duration
