"""Instants and lengths of time in words, for tables, lines and pages. Pure; instants are microseconds UTC.

Used by the command line, the page and what is told to people: one wording everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = "-"


def stamp(at: int | None) -> str:
    """`2026-11-21 08:30:00Z`; `-` for never."""
    if at is None:
        return NEVER
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%d %H:%M:%SZ")


def precise(at: int) -> str:
    """`2026-11-21 08:30:00.123Z`: for lists of events, where order within a second matters."""
    moment = _EPOCH + timedelta(microseconds=at)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}Z"


def span(seconds: float) -> str:
    """The two largest units: `45s`, `3m12s`, `2h05m`, `3d4h`; below ten seconds with a tenth."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000)}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600}h"


def relative(at: int | None, now: int) -> str:
    """`58s ago`, `3m12s ago`, `26m ago`, `in 2h05m`, `now` within a second; `-` for never.

    Short, as kubectl's: the smaller unit is only said while it matters.
    """
    if at is None:
        return NEVER
    seconds = (now - at) / 1_000_000
    if abs(seconds) < 1:
        return "now"
    text = _short(round(abs(seconds)))
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _short(seconds: int) -> str:
    for size, unit, smaller, smaller_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size}{unit}" + (f"{rest}{smaller_unit}" if rest and seconds < 10 * size else "")
    return f"{seconds}s"


def both(at: int | None, now: int) -> str:
    """`2026-11-21 08:30:00Z (3m12s ago)`."""
    return NEVER if at is None else f"{stamp(at)} ({relative(at, now)})"


def size(count: int | None) -> str:
    """`512 B`, `1.5 KiB`, `20 MiB`; `-` for unknown."""
    if count is None:
        return NEVER
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
