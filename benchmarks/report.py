"""Figures as a table for people: one per section, every line with its target and whether it is reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.figures import Figure, shown

PREFACE = """\
# Benchmarks

Written by `python -m benchmarks --markdown docs/benchmarks.md` (`make bench` prints the same as text; `--quick` takes
three minutes, the whole some twenty). Every line has a reference that did the same work in the same minutes on the same
machine, taking turns with ours: read the ratios, not the milliseconds. Values are medians. Targets were set before the
product was written; a line that misses one says so. What could not be measured says why.

- Bursts: every job is a static C program that notes the time at its first instruction. Ours is measured as it always
  runs: row committed before the start, output file, journal, events, status files, HTTP server beside it.
- The others keep no history and no output; each is given its best settings we found: output capture and logs off, all
  jobs in one file, state in memory. They are installed below `build/bench/cache`, never on the machine.
- `one job due` holds a commit that is forced to the disk: see the disk's `fdatasync` in the table below.
"""
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
