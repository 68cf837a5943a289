"""The shape of each state in drawings: told apart without colours, too. Pure."""

from __future__ import annotations

from collections.abc import Collection

from markupsafe import Markup

from status.page.plots.canvas import element

SHAPES = {
    "succeeded": "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z",
    "failed": "M-4.2 -2.8L-2.8 -4.2L0 -1.4L2.8 -4.2L4.2 -2.8L1.4 0L4.2 2.8L2.8 4.2L0 1.4L-2.8 4.2L-4.2 2.8L-1.4 0z",
    "expired": "M-4 -4.4h8l-3 4.4l3 4.4h-8l3 -4.4z",
    "cancelled": "M-3 -3h6v6h-6z",
    "skipped": "M-3.6 -3.4l3.6 3.4l-3.6 3.4zM0.4 -3.4l3.6 3.4l-3.6 3.4z",
    "running": "M-3 -4l6.4 4l-6.4 4z",
    "blocked": "M-3.4 -3.6h2.4v7.2h-2.4zM1 -3.6h2.4v7.2h-2.4z",
    "pending": "M0 -4.2l4.2 4.2l-4.2 4.2l-4.2 -4.2z",
}
"""A circle, a cross, an hour-glass, a square, double arrow heads, an arrow head, two bars, a lozenge: around 0 0."""
WORSE = ("failed", "expired", "cancelled", "running", "blocked", "pending", "skipped", "succeeded")
"""What is shown of several: the first of these that is among them."""


def definitions(name: str, states: Collection[str]) -> Markup:
    """The shapes of a drawing, to be used by `mark`. `name`: unique on the page."""
    shapes = (element("path", id=f"{name}-{state}", d=SHAPES[state]) for state in SHAPES if state in states)
    return element("defs", *shapes)


def mark(name: str, state: str, x: str, y: float, title: str, run: str | None = None) -> Markup:
    """One state at a place; `title` is what a pointer reads, `run` the id of the run whose page a click opens."""
    return element(
        "use", element("title", title), href=f"#{name}-{state}", x=x, y=y, class_=f"mark f-{state}", data_run=run
    )
