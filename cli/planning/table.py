"""A plan for people at a terminal: one line per job, then the details, then one line that sums up. Pure.

Called by `jobsctl plan`. Lines are `Cell`s: `cli.output` makes them fit for a terminal and colours them there only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cli.output import Cell, Style, counted
from cli.planning.plan import Action, Coming, DocumentPlan, JobPlan, Plan
from cli.planning.views import shown_fields, told_fields
from cli.planning.words import (
    SYMBOLS,
    differing,
    field_lines,
    instant_rows,
    night_words,
    origin_words,
    pause_words,
    reanchor_words,
    statistics,
    summary,
    told_findings,
)
from cli.terminal import one_line

MOST_JOBS = 100
"""With more, the jobs are counted by their fields and the first ones listed: nobody reads thousands of blocks."""
FIRST_OF_MANY = 20
STYLES: dict[Action, Style] = {
    "create": "green", "change": "yellow", "rename": "cyan", "prune": "red", "hold": "red", "keep": "dim",
    "invalid": "red",
}  # fmt: skip
_FIELD_STYLES: dict[str, Style] = {"+": "green", "-": "red", "~": "yellow"}

Show = Callable[[str], str]


def plan_lines(plan: Plan, show: Show) -> Iterator[str | Cell]:
    """All lines. `show`: a path below the specs directory, as people find it."""
    if plan.before.kind in ("revision", "directory"):
        yield Cell(f"Compared with {origin_words(plan.before)}", "dim")
        yield ""
    many = len(plan.jobs) > MOST_JOBS
    listed = plan.jobs[:FIRST_OF_MANY] if many else plan.jobs
    width = max((len(one_line(_title(job))) for job in listed), default=0)
    for job in listed:
        yield _job_line(job, min(width, 60), show)
    if many:
        yield f"  ... and {len(plan.jobs) - len(listed):,} more; `-o name` lists all of them"
        if told := statistics(plan.jobs):
            yield f"  changed: {', '.join(told)}"
    for document in plan.documents:
        yield from _document_lines(document, show)
    for job in listed:
        yield from _details(job, show)
    if plan.touched:
        yield ""
        yield Cell("Not edited, but their next instants change:", "bold")
        for job in plan.touched:
            yield f"  {one_line(job.identity)} ({', '.join(map(one_line, job.touched_by))})"
            yield from _next(job)
    if plan.jobs or plan.documents:
        yield ""
    for note in plan.notes:
        yield Cell(f"Note: {one_line(note)}", "yellow")
    yield Cell(summary(plan), "bold")


def _title(job: JobPlan) -> str:
    return job.identity if job.was is None else f"{job.identity} (was {job.was})"


def _job_line(job: JobPlan, width: int, show: Show) -> Cell:
    what = ", ".join(differing(job))
    if job.action in ("hold", "keep"):
        what = "held back by the prune guard" if job.action == "hold" else "kept"
    if job.action == "invalid":
        what = "has errors"
    place = f"{show(job.path)}:{job.line}"
    text = f"  {SYMBOLS[job.action]} {one_line(_title(job)):{width}}  {one_line(place)}  {one_line(what)}"
    return Cell(text.rstrip(), STYLES[job.action])


def _document_lines(document: DocumentPlan, show: Show) -> Iterator[str | Cell]:
    if document.kind == "Defaults":
        title = f"Defaults {show(document.path)}"
    else:
        title = f"{document.kind} {document.name}  {show(document.path)}:{document.line}"
    matters = f"  matters to {counted(len(document.jobs), 'job')}" if document.jobs else ""
    yield Cell(one_line(f"  {SYMBOLS[document.action]} {title}{matters}"), STYLES[document.action])
    for field in shown_fields(document):
        yield from _field(*field)


def _details(job: JobPlan, show: Show) -> Iterator[str | Cell]:
    lines = list(_detail_lines(job))
    if not lines:
        return
    yield ""
    yield Cell(one_line(f"{SYMBOLS[job.action]} {_title(job)}  {show(job.path)}:{job.line}"), "bold")
    yield from lines


def _detail_lines(job: JobPlan) -> Iterator[str | Cell]:
    for field in told_fields(job):
        yield from _field(*field)
    if job.action == "create" and job.after is not None:
        yield f"    {one_line(job.after.words)}"
    if job.reanchor is not None:
        yield Cell(f"    {one_line(reanchor_words(job.reanchor, job))}.", "yellow")
    if (paused := pause_words(job)) is not None:
        yield Cell(f"    {one_line(paused)}.", "yellow")
    if job.action in ("create", "change", "rename"):
        yield from _next(job)
    for night in job.nights:
        yield f"    clock: {one_line(night_words(night))}"
    for finding in told_findings(job):
        yield Cell(f"    {finding.severity}[{finding.code}]: {one_line(finding.message)}", "yellow")
    for name in job.touched_by:
        yield f"    also: {one_line(name)} changes"
    for note in job.notes:
        yield f"    {one_line(note)}."


def _field(name: str, old: object, new: object) -> Iterator[str | Cell]:
    for index, line in enumerate(field_lines(name, old, new)):
        mark = line[:1] if index == 0 else line.strip()[:1]
        yield Cell(f"    {one_line(line)}", _FIELD_STYLES.get(mark, ""))


def _next(job: JobPlan) -> Iterator[str]:
    rows = instant_rows(job)
    if not rows:
        yield from _notes(job)
        return
    if job.before is None or not job.before.instants or all(before == after for before, after, _ in rows):
        same = "" if job.before is None or not job.before.instants else " (as before)"
        coming = job.after if job.after is not None and job.after.instants else job.before
        gone = "" if coming is job.after else " (as it was)"
        texts = [row[1] or row[0] for row in rows]
        yield f"    next{same}{gone}: {', '.join(_short(text, index) for index, text in enumerate(texts))}"
    else:
        width = max(len("before"), *(len(row[0]) for row in rows))
        yield f"    next  {'before':{width}}    after"
        for before, after, mark in rows:
            yield f"          {before:{width}}  {mark or ' '} {after}".rstrip()
    yield from _notes(job)


def _short(text: str, index: int) -> str:
    """The first in full, of the others neither year nor zone: `Mon 2026-11-23 08:00 CET`, `Tue 11-24 08:00`."""
    parts = text.split()
    return text if index == 0 else f"{parts[0]} {parts[1][5:]} {parts[2]}"


def _notes(job: JobPlan) -> Iterable[str]:
    found: list[Coming | None] = [job.after if job.after is not None else job.before]
    return (f"    next: {one_line(coming.note)}" for coming in found if coming is not None and coming.note)
