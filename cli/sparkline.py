"""A series as one line of blocks, as wide as there is room. Used by `metrics`. Pure.

The line begins at zero, so that a job which always needs the same shows a level line, not noise as tall as the row.
"""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-:=+*#"
"""Where the encoding of the terminal has no blocks: as many levels, the later the fuller."""


def sparkline(values: Sequence[float], *, blocks: str = BLOCKS) -> str:
    """One character per value, between 0 and the highest; all are lowest when nothing is above 0."""
    top = max(values, default=0.0)
    if top <= 0:
        return blocks[0] * len(values)
    return "".join(blocks[min(int(max(value, 0.0) / top * len(blocks)), len(blocks) - 1)] for value in values)


def blocks_for(encoding: str | None) -> str:
    """The blocks that this encoding can write."""
    try:
        BLOCKS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS
