"""Figures as a table for people: one per section, every line with its target and whether it is reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.figures import Figure, shown

HEAD = ("what", "ours", "beside", "ratio", "target", "")


def table(figures: Sequence[Figure]) -> str:
    """The lines of one section. Notes stand below their line."""
    rows = [HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines: list[str] = []
    for index, row in enumerate(rows):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if index == 0:
            lines.append("  ".join("-" * width for width in widths).rstrip())
        elif figures[index - 1].note:
            lines.append(f"    {figures[index - 1].note}")
    return "\n".join(lines)


def markdown(figures: Sequence[Figure]) -> str:
    """The same as a table of a page in docs/."""
    lines = ["| what | ours | beside | ratio | target | |", "| --- | ---: | --- | ---: | ---: | --- |"]
    for figure in figures:
        cells = list(_cells(figure))
        if figure.note:
            cells[0] += f" ({figure.note})"
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def summary(figures: Iterable[Figure]) -> str:
    """How many targets are reached."""
    reached = [figure.reached for figure in figures]
    missing = sum(1 for figure in figures if figure.target is not None and figure.ours is None)
    text = f"{reached.count(True)} targets reached, {reached.count(False)} not reached"
    return f"{text}, {missing} not measured" if missing else text


def _cells(figure: Figure) -> tuple[str, str, str, str, str, str]:
    target = figure.target.said(figure.unit) if figure.target else ""
    if figure.ours is None:
        return figure.what, "-", figure.beside, "", target, "not measured"
    beside = figure.beside
    if figure.reference is not None:
        beside = f"{shown(figure.reference, figure.unit)} {beside}".rstrip()
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3f}x" if figure.ratio < 0.1 else f"{figure.ratio:.2f}x"
    verdict = {True: "reached", False: "NOT REACHED", None: ""}[figure.reached]
    return figure.what, shown(figure.ours, figure.unit), beside, ratio, target, verdict
