"""How long the runs of a job took, one mark each, with the running median: gets it slower? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from specs.zones import Zone
from status.page.plots.canvas import drawing, element, path, percent, stretched, time_axis, value_axis
from status.page.plots.marks import definitions, mark
from status.page.plots.ticks import length_label, length_ticks, placed, time_ticks
from status.words.counting import counted
from status.words.times import span, stamp

HEIGHT, TOP, BOTTOM = 208, 16, 186
WIDTH = 1000
NEIGHBOURS = 9
"""Successes that one point of the median line is the middle of: one night that was slow does not move it."""


@dataclass(frozen=True, slots=True)
class Took:
    """One run."""

    at: int
    """When it started, µs."""
    seconds: float
    state: str
    run: str


def duration_plot(
    runs: Sequence[Took], *, name: str, zone: Zone, start: int, end: int, limit: float | None = None
) -> Markup:
    """The drawing; an empty Markup without runs.

    Args:
        runs: in any order, those that started.
        start, end: µs: what the axis spans.
        limit: the job's timeout in seconds: a line, where it is not far above all runs.
    """
    if not runs:
        return Markup("")
    runs = sorted(runs, key=lambda run: run.at)
    longest = max(run.seconds for run in runs)
    near = limit is not None and longest >= limit / 2
    ticks = length_ticks(max(longest, limit or 0.0) if near else longest)
    lines, values = value_axis(ticks, [length_label(value) for value in ticks], top=TOP, bottom=BOTTOM)
    children = [
        definitions(name, {run.state for run in runs}),
        time_axis(time_ticks(start, end, zone), start, end, top=TOP, bottom=BOTTOM),
        lines,
    ]
    if near and limit is not None:
        y = _y(limit, ticks)
        children.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_="limit"))
        label = f"timeout {length_label(limit)}"
        children.append(element("text", label, x="100%", y=y - 4, text_anchor="end", class_="label on-line"))
    line = running_median([(run.at, run.seconds) for run in runs if run.state == "succeeded"])
    if len(line) > 1:
        points = [(_share(at, start, end) * WIDTH, _y(value, ticks) - TOP) for at, value in line]
        children.append(stretched(WIDTH, float(BOTTOM - TOP), TOP, path(points, class_="median")))
    children += [
        mark(name, run.state, percent(_share(run.at, start, end)), round(_y(run.seconds, ticks), 1),
             f"{stamp(run.at)}: {run.state}, {span(run.seconds)}", run.run)
        for run in runs
    ]  # fmt: skip
    children.append(values)
    return drawing(name, "How long its runs took", describe(runs), HEIGHT, children, kind="durations")


def describe(runs: Sequence[Took]) -> str:
    """The drawing in a sentence."""
    took = [run.seconds for run in runs if run.state == "succeeded"]
    said = counted(len(runs), "run")
    if not took:
        return f"{said}, none of which succeeded."
    ranges = f"took between {span(min(took))} and {span(max(took))}, half of them at most {span(median(took))}"
    others = len(runs) - len(took)
    return f"{said}; {len(took)} succeeded and {ranges}" + (f"; {others} ended otherwise." if others else ".")


def running_median(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At each point the median of it and its neighbours; at the ends of those there are. Fewer than three: nothing."""
    if len(points) < 3:
        return []
    half = NEIGHBOURS // 2
    return [
        (at, median(value for _, value in points[max(place - half, 0) : place + half + 1]))
        for place, (at, _) in enumerate(points)
    ]


def _share(at: int, start: int, end: int) -> float:
    return min(max((at - start) / max(end - start, 1), 0.0), 1.0)


def _y(value: float, ticks: Sequence[float]) -> float:
    return BOTTOM - placed(value, ticks) * (BOTTOM - TOP)
