"""How the last runs of a job ended, as a strip of a few strokes: whether a failure is new, or comes and goes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from state.records import RunState

_KINDS = {RunState.SUCCEEDED: "ok", RunState.FAILED: "bad", RunState.EXPIRED: "bad", RunState.CANCELLED: "cancelled"}
WIDTH = 12
_SVG = Markup('<svg class="strip" viewBox="0 0 12 10" preserveAspectRatio="none" role="img" aria-label="%s">%s</svg>')


def strip_of(ends: Sequence[RunState]) -> Markup:
    """The drawing, right-aligned in a box `WIDTH` wide, with the same in words; empty when nothing has ended.

    Args:
        ends: oldest first.
    """
    if not ends:
        return Markup("")
    paths: dict[str, list[str]] = {}
    for place, state in enumerate(ends, WIDTH - len(ends)):
        paths.setdefault(_KINDS.get(state, "cancelled"), []).append(f"M{place} 5h.8")
    drawn = "".join(f'<path class="k-{kind}" d="{"".join(data)}"/>' for kind, data in paths.items())
    counts = Counter(ends)
    words = ", ".join(f"{count} {state}" for state, count in counts.items())
    last = f"; the last {ends[-1]}" if len(counts) > 1 else ""
    return _SVG % (f"Last {len(ends)} runs: {words}{last}", Markup(drawn))
