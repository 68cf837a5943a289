"""Writing SVG elements: attributes escaped, numbers short. Used by every drawing of `status.page.plots`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from status.page.plots.ticks import Tick

EDGE = 0.8
"""Percent kept free left and right, so that a mark at the end of the axis is whole."""


def element(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """`<name attribute="...">children</name>`. `_` in an attribute's name stands for `-`; `class_` is `class`; None is
    left out. Children that are no Markup are escaped."""
    given = "".join(
        f' {_name(key)}="{escape(short(value) if isinstance(value, int | float) else value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>")


def _name(key: str) -> str:
    return {"class_": "class", "viewBox": "viewBox", "preserveAspectRatio": "preserveAspectRatio"}.get(
        key, key.replace("_", "-")
    )


def short(value: float) -> str:
    """Two decimals at most: `12.5`, `3`."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def percent(share: float) -> str:
    """Where across a share (0 to 1) of the axis is: `12.5%`."""
    return f"{short(EDGE + share * (100 - 2 * EDGE))}%"


def drawing(
    name: str, title: str, description: str, height: int, children: Iterable[str], *, kind: str, width: str = "100%"
) -> Markup:
    """The whole: `<svg role="img">`, as wide as its place if not said otherwise, `height` pixels high.

    Args:
        name: unique on the page: what the description's id is made of.
        title: what it is, in a few words; read in place of the drawing.
        description: what can be seen in it, in a sentence.
        kind: its class besides `plot`.
    """
    said = f"{name}-desc"
    return element(
        "svg", element("desc", description, id=said), *children, class_=f"plot {kind}", role="img", width=width,
        height=height, aria_label=title, aria_describedby=said, focusable="false",
    )  # fmt: skip


def time_axis(ticks: Sequence[Tick], start: int, end: int, *, top: float, bottom: float) -> Markup:
    """Ticks below `bottom`, each with a hair line up to `top`; the label stays within the drawing."""
    found = []
    for place, tick in enumerate(ticks):
        share = (tick.at - start) / max(end - start, 1)
        across = percent(share)
        anchor = "start" if share < 0.06 else "end" if share > 0.94 else "middle"
        found.append(element("line", x1=across, x2=across, y1=top, y2=bottom, class_="hair"))
        label = "label" if place % 2 == 0 else "label sparse"
        found.append(element("text", tick.label, x=across, y=bottom + 14, text_anchor=anchor, class_=label))
    return Markup("").join(found)


def value_axis(ticks: Sequence[float], labels: Sequence[str], *, top: float, bottom: float) -> tuple[Markup, Markup]:
    """Lines across, and the values to be written on them, at the left: after what is drawn, so that they can be read.

    The lowest line is the ground and says nothing.
    """
    lines, words = [], []
    for place, (value, label) in enumerate(zip(ticks, labels, strict=True)):
        height = bottom - (bottom - top) * (value - ticks[0]) / (ticks[-1] - ticks[0])
        lines.append(element("line", x1=0, x2="100%", y1=height, y2=height, class_="ground" if place == 0 else "grid"))
        if place:
            words.append(element("text", label, x=0, y=height - 3, class_="label on-line"))
    return Markup("").join(lines), Markup("").join(words)


def stretched(width: int, height: float, top: float, *children: str) -> Markup:
    """A drawing within, `width` units wide, drawn as wide as there is place: for lines and areas, whose points cannot
    be percentages. Its strokes keep their width (`vector-effect`)."""
    return element(
        "svg", *children, x=f"{EDGE}%", y=top, width=f"{100 - 2 * EDGE}%", height=height,
        viewBox=f"0 0 {width} {short(height)}", preserveAspectRatio="none", overflow="visible",
    )  # fmt: skip


def path(points: Sequence[tuple[float, float]], **attributes: str | float | None) -> Markup:
    """A line through points of a `stretched` drawing."""
    steps = "L".join(f"{short(float(round(x, 1)))} {short(float(round(y, 1)))}" for x, y in points)
    return element("path", d=f"M{steps}", fill="none", vector_effect="non-scaling-stroke", **attributes)
