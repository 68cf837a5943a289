"""Results by day, as a calendar: a column a week, a row a weekday, a cell a day. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from markupsafe import Markup

from status.page.plots.canvas import drawing, element
from status.page.plots.marks import WORSE
from status.words.counting import counted

CELL, GAP, LEFT, TOP = 15, 3, 30, 18
WEEKDAYS = ("Mon", "", "Wed", "", "Fri", "", "Sun")

Counts = Mapping[str, int]
"""How many by state; skipped counts slots."""


def heatmap(days: Mapping[date, Counts], *, name: str, first: date, last: date) -> Markup:
    """The drawing, from the week of `first` to that of `last`. It is as wide as its weeks: let it scroll."""
    begin = first - timedelta(days=first.weekday())
    weeks = (last - begin).days // 7 + 1
    children: list[Markup] = [
        element("text", word, x=0, y=TOP + row * (CELL + GAP) + CELL - 4, class_="label")
        for row, word in enumerate(WEEKDAYS)
        if word
    ]
    labelled = -3
    for week in range(weeks):
        monday = begin + timedelta(days=7 * week)
        x = LEFT + week * (CELL + GAP)
        sunday = monday + timedelta(days=6)
        if (sunday.day <= 7 or week == 0) and week - labelled >= 3:
            children.append(element("text", f"{sunday:%b}", x=x, y=11, class_="label"))
            labelled = week
        for row in range(7):
            day = monday + timedelta(days=row)
            if first <= day <= last:
                children.append(cell(day, days.get(day, {}), x, TOP + row * (CELL + GAP)))
    width = LEFT + weeks * (CELL + GAP)
    height = TOP + 7 * (CELL + GAP)
    return drawing(name, "Results by day", describe(days), height, children, kind="heatmap", width=str(width))


def cell(day: date, counts: Counts, x: int, y: int) -> Markup:
    """One day: a cross when all failed, a bar at the bottom as high as the share that did; the title says all."""
    shown = kind_of(counts)
    parts = [element("title", title_of(day, counts)), element(
        "rect", x=x, y=y, width=CELL, height=CELL, rx=3, class_=f"day d-{shown}")]  # fmt: skip
    bad, total = counts.get("failed", 0) + counts.get("expired", 0), sum(counts.values())
    if bad:
        height = max(round(CELL * bad / total), 4)
        if shown == "mixed":
            parts.append(element("rect", x=x, y=y + CELL - height, width=CELL, height=height, rx=2, class_="f-failed"))
        else:
            a, b = 4.5, CELL - 4.5
            parts.append(
                element("path", d=f"M{x + a} {y + a}L{x + b} {y + b}M{x + b} {y + a}L{x + a} {y + b}", class_="cross")
            )
    elif shown == "skipped":
        parts.append(element("path", d=f"M{x + 4} {y + CELL - 4}L{x + CELL - 4} {y + 4}", class_="slash"))
    elif shown == "running":
        parts.append(element("path", d=f"M{x + 5} {y + 4}l6 3.5l-6 3.5z", class_="arrow"))
    return element("g", *parts)


def kind_of(counts: Counts) -> str:
    """What colours the day: `none`, `bad` (nothing but failures), `mixed`, `ok`, `running` or `skipped`."""
    bad = counts.get("failed", 0) + counts.get("expired", 0)
    good = counts.get("succeeded", 0)
    if bad:
        return "mixed" if good else "bad"
    if good:
        return "ok"
    if any(counts.get(state) for state in ("running", "pending", "blocked")):
        return "running"
    return "skipped" if any(counts.values()) else "none"


def title_of(day: date, counts: Counts) -> str:
    """`Sat 21 Nov 2026: 2 failed, 22 succeeded`."""
    said = ", ".join(f"{counts[state]} {state}" for state in WORSE if counts.get(state))
    return f"{day:%a} {day.day} {day:%b %Y}: {said or 'nothing'}"


def describe(days: Mapping[date, Counts]) -> str:
    """The drawing in a sentence."""
    kinds = [kind_of(counts) for counts in days.values()]
    bad = sum(kind in ("bad", "mixed") for kind in kinds)
    active = sum(kind != "none" for kind in kinds)
    if not active:
        return "No day with a run."
    return f"{counted(active, 'day')} with runs, {counted(bad, 'day') if bad else 'none'} of them with failures."
