"""What a run used while it ran: CPU or memory over its life, as an area; the runs before it as faint lines. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from status.page.plots.canvas import drawing, element, path, percent, short, stretched, value_axis
from status.page.plots.ticks import length_label, length_ticks, number_ticks, placed, size_ticks
from status.series import Series, thinned
from status.words.times import size, span

HEIGHT, TOP, BOTTOM = 148, 16, 126
WIDTH = 1000
MOST = 240
"""Points of a line: more than a screen shows apart."""


def usage_plot(
    series: Series, *, name: str, title: str, since: int, until: int, others: Sequence[tuple[int, Series]] = ()
) -> Markup:
    """The drawing of `cpu_usage` or `memory_usage`; an empty Markup without points.

    Args:
        since, until: µs: when the run started, and when it ended (or now).
        others: when other runs of the job started, and their series: drawn from the same beginning.
    """
    if not series.points:
        return Markup("")
    memory = series.unit == "bytes"
    ticks_of: Callable[[float, int], list[float]] = size_ticks if memory else number_ticks
    lines = [(at, each) for at, each in others if each.points]
    highest = max(series.maximum or 0.0, *(each.maximum or 0.0 for _, each in lines), 0.0)
    longest = max(until - since, *(each.points[-1].at - at for at, each in lines), 1)
    ticks = ticks_of(highest, 3)
    seconds = longest / 1_000_000
    words = [size(round(value)) if memory else _cores(value) for value in ticks]
    grid, values = value_axis(ticks, words, top=TOP, bottom=BOTTOM)
    children = [_elapsed_axis(seconds), grid]

    def points_of(each: Series, began: int) -> list[tuple[float, float]]:
        found = thinned(each.points, MOST, peak=memory)
        return [
            ((point.at - began) / longest * WIDTH, (1 - placed(point.value, ticks)) * (BOTTOM - TOP)) for point in found
        ]

    drawn = [path(points_of(each, at), class_="faint") for at, each in lines]
    own = points_of(series, since)
    ground = float(BOTTOM - TOP)
    area = [(0.0, ground), (0.0, own[0][1]), *own, (own[-1][0], ground)]
    steps = "L".join(f"{short(float(round(x, 1)))} {short(float(round(y, 1)))}" for x, y in area)
    drawn += [element("path", d=f"M{steps}Z", class_="area"), path([(0.0, own[0][1]), *own], class_="line")]
    children += [stretched(WIDTH, ground, TOP, *drawn), values]
    return drawing(name, title, describe(series, seconds), HEIGHT, children, kind="usage")


def describe(series: Series, seconds: float) -> str:
    """The drawing in a sentence."""
    words: Callable[[float], str] = (lambda value: size(round(value))) if series.unit == "bytes" else _cores
    mean, top = series.mean or 0.0, series.maximum or 0.0
    return f"On average {words(mean)}, at most {words(top)}, over {span(seconds)}."


def _cores(value: float) -> str:
    return f"{value:g} cores" if value != 1 else "1 core"


def _elapsed_axis(seconds: float) -> Markup:
    found = []
    for value in length_ticks(seconds, 4):
        if value > seconds:
            break
        share = value / seconds
        across = percent(share)
        anchor = "start" if share < 0.04 else "end" if share > 0.95 else "middle"
        found.append(element("line", x1=across, x2=across, y1=TOP, y2=BOTTOM, class_="hair"))
        found.append(element("text", length_label(value), x=across, y=BOTTOM + 14, text_anchor=anchor, class_="label"))
    return Markup("").join(found)
