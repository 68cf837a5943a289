"""The last runs of a job in the height of a line: a bar each, as high as it took long, coloured by its state. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from status.page.plots.canvas import element, short
from status.page.plots.marks import WORSE

WIDTH, STEP, HEIGHT = 4, 5, 20


def spark(runs: Sequence[tuple[str, float | None]]) -> Markup:
    """The drawing; empty without runs.

    Args:
        runs: state and seconds (None: it has no length), the oldest first. A failure reaches to the bottom line and has
            a foot below it, so that it is seen without colours.
    """
    if not runs:
        return Markup("")
    longest = max((seconds for _, seconds in runs if seconds is not None), default=0.0) or 1.0
    children = []
    for place, (state, seconds) in enumerate(runs):
        height = max(round((seconds or 0.0) / longest * (HEIGHT - 6), 1), 2.0)
        x = place * STEP
        children.append(
            element("rect", x=x, y=short(HEIGHT - 4 - height), width=WIDTH, height=height, class_=f"f-{state}")
        )
        if state in ("failed", "expired"):
            children.append(element("rect", x=x, y=HEIGHT - 3, width=WIDTH, height=3, class_=f"f-{state}"))
    counts = {state: sum(each == state for each, _ in runs) for state in WORSE}
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    width = len(runs) * STEP
    return element(
        "svg", *children, class_="plot spark", role="img", width=width, height=HEIGHT,
        viewBox=f"0 0 {width} {HEIGHT}", aria_label=f"The last {len(runs)} runs: {said}",
    )  # fmt: skip
