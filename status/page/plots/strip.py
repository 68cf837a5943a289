"""One lane of a timeline: the runs of a job as bars over a stretch of time, in one thin line. Pure.

A timeline is a list of lanes (a label and a `strip` each) above one `time_scale`; a page lays them out in rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from specs.zones import Zone
from status.page.plots.canvas import drawing, element, short
from status.page.plots.marks import WORSE, definitions, mark, worst
from status.page.plots.ticks import Tick, time_ticks
from status.times import span, stamp

HEIGHT = 22
BINS = 96
"""Where a lane has more runs than this they are told by stretches of time: a quarter of an hour of a day."""
_SHOWN = 0.35
"""Percent: a bar that is shorter is drawn this long."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One run, or slots that were skipped."""

    start: int
    """µs."""
    end: int
    """µs; of a run that goes on: now."""
    state: str
    run: str | None = None


def strip(bars: Sequence[Bar], *, start: int, end: int, name: str, title: str, now: int | None = None) -> Markup:
    """The lane.

    Args:
        start, end: µs: what it spans. Bars are cut at both.
        name: unique on the page.
        title: whose it is, for screen readers: `shop/orders-import, the last 24 hours`.
        now: where a line says that it is now.
    """
    within = [bar for bar in bars if bar.end >= start and bar.start <= end]
    shown = _binned(within, start, end) if len(within) > BINS else [(bar, 1) for bar in within]
    children: list[Markup] = [definitions(name, {bar.state for bar, _ in shown if bar.state in _MARKED})]
    middle = HEIGHT / 2
    children.append(element("line", x1=0, x2="100%", y1=middle, y2=middle, class_="grid"))
    for bar, count in sorted(shown, key=lambda each: -WORSE.index(each[0].state)):
        left = _percent(max(bar.start, start), start, end)
        width = max(_percent(min(bar.end, end), start, end) - left, _SHOWN)
        said = _title(bar, count)
        children.append(
            element("rect", element("title", said), x=f"{short(min(left, 100 - width))}%", y=4,
                    width=f"{short(width)}%", height=HEIGHT - 8, rx=1.5, class_=f"bar f-{bar.state}", data_run=bar.run)
        )  # fmt: skip
        if bar.state in _MARKED:
            across = f"{short(min(max(left + width / 2, 0.5), 99.5))}%"
            children.append(mark(name, bar.state, across, middle, said, bar.run))
    if now is not None and start <= now <= end:
        across = f"{short(_percent(now, start, end))}%"
        children.append(element("line", x1=across, x2=across, y1=0, y2=HEIGHT, class_="now"))
    return drawing(name, title, describe(within), HEIGHT, children, kind="strip")


_MARKED = ("failed", "expired")
"""States whose shape stands on the bar: they must be seen without colours, however short."""


def time_scale(*, start: int, end: int, zone: Zone, most: int = 8) -> Markup:
    """The times above or below lanes of the same stretch. Decoration: each lane says its own times."""
    ticks = time_ticks(start, end, zone, most)
    children = [_tick(tick, place, start, end) for place, tick in enumerate(ticks)]
    return element("svg", *children, class_="plot scale", width="100%", height=18, aria_hidden="true")


def _tick(tick: Tick, place: int, start: int, end: int) -> Markup:
    share = _percent(tick.at, start, end)
    across = f"{short(share)}%"
    anchor = "start" if share < 4 else "end" if share > 96 else "middle"
    label = element(
        "text", tick.label, x=across, y=10, text_anchor=anchor, class_="label" if place % 2 == 0 else "label sparse"
    )
    return element("line", x1=across, x2=across, y1=13, y2=18, class_="ground") + label


def _binned(bars: Sequence[Bar], start: int, end: int) -> list[tuple[Bar, int]]:
    """Each stretch that has bars as one, in the worst state of them, with how many they are."""
    width = (end - start) / BINS
    bins: dict[int, list[Bar]] = {}
    for bar in bars:
        if bar.end - bar.start > 2 * width:
            bins[-1 - len(bins)] = [bar]
            continue
        bins.setdefault(min(int((max(bar.start, start) - start) / width), BINS - 1), []).append(bar)
    found = []
    for place, several in bins.items():
        if place < 0:
            found.append((several[0], 1))
            continue
        state = worst([bar.state for bar in several])
        run = next((bar.run for bar in several if bar.state == state), None)
        left = round(start + place * width)
        found.append((Bar(left, round(left + width * 0.8), state, run), len(several)))
    return found


def _title(bar: Bar, count: int) -> str:
    took = f", {span((bar.end - bar.start) / 1_000_000)}" if count == 1 and bar.state != "skipped" else ""
    several = f" ({count} runs, the worst is told)" if count > 1 else ""
    return f"{stamp(bar.start)}: {bar.state}{took}{several}"


def describe(bars: Sequence[Bar]) -> str:
    """The lane in a sentence."""
    counts = {state: sum(bar.state == state for bar in bars) for state in WORSE}
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{said}." if said else "Nothing ran."


def _percent(at: int, start: int, end: int) -> float:
    return (at - start) / max(end - start, 1) * 100
