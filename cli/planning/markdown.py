"""A plan as a comment on a pull request: GitHub's Markdown, bounded, and safe whatever a spec file says. Pure.

Called by `jobsctl plan --format markdown`. Every text of a file stands in one of two places: in `<code>`, with all but
letters and digits as character references, which neither Markdown nor the filters for mentions and links read; or in a
fenced block whose fence is longer than any run of backticks in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cli.output import counted
from cli.planning.plan import DocumentPlan, JobPlan, Plan
from cli.planning.table import Show
from cli.planning.views import told_fields
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
from cli.terminal import one_line, visible

LIMIT = 65_536
"""Characters of a comment on GitHub."""
_ROOM = 60_000
"""Bytes that are used: what is added at the end, and a marker that a workflow puts in front, fit beside it."""
_LINE = 300
"""Characters of one line of a fenced block, and of one cell."""
MARKER = "<!-- jobsctl plan -->"
"""The first line: by it a workflow finds its comment of last time, and edits that one."""
_NAMES = {"create": "create", "change": "change", "rename": "rename", "prune": "prune", "hold": "held back",
          "keep": "kept", "invalid": "errors"}  # fmt: skip


def plan_markdown(plan: Plan, show: Show) -> str:
    """The comment."""
    text = _Bounded()
    text.add(f"{MARKER}\n### {summary(plan)}\n\n")
    if plan.before.kind in ("revision", "directory"):
        text.add(f"Compared with {code(origin_words(plan.before))}.\n\n")
    for note in plan.notes[:20]:
        text.add(f"> {code(note)}\n\n")
    text.rows("| | job | what | where |\n|---|---|---|---|\n", (_row(job, show) for job in plan.jobs), len(plan.jobs))
    if len(plan.jobs) > 100 and (told := statistics(plan.jobs)):
        text.add(f"Changed: {code(', '.join(told))}\n\n")
    documents = [_document_row(each, show) for each in plan.documents]
    text.rows("| | shared | what | matters to |\n|---|---|---|---|\n", documents, len(documents))
    errors = [
        f"{show(each.path)}:{each.line}:{each.column}: error[{each.code}]: {each.message}" for each in plan.errors
    ]
    if errors:
        text.add(_folded(f"{counted(len(errors), 'error')}, {plan.new_errors} of them new", errors[:50], "text"))
    jobs = (*plan.jobs, *plan.touched)
    for index, job in enumerate(jobs):
        lines = list(_job_lines(job))
        if lines and not text.add(_folded(f"{SYMBOLS[job.action]} {job.identity}", lines, "diff")):
            text.end(f"*Details of {len(jobs) - index:,} more are left out: a comment has a limit.*\n")
            break
    return text.done().rstrip("\n") + "\n"


class _Bounded:
    """A text that stays below the limit: what does not fit is left out, and counted by who adds it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left = _ROOM

    def add(self, part: str) -> bool:
        """Whether it fitted."""
        size = len(part.encode())
        if size > self._left:
            return False
        self._left -= size
        self._parts.append(part)
        return True

    def rows(self, head: str, rows: Iterable[str], count: int) -> None:
        """A table; a quarter of the room stays for what follows."""
        if not count or not self.add(head):
            return
        for index, row in enumerate(rows):
            if self._left < _ROOM // 4 or not self.add(row):
                self.end(f"\n*... and {count - index:,} more.*\n\n")
                return
        self.end("\n")

    def end(self, part: str) -> None:
        """A few words that always fit: there is room between `_ROOM` and `LIMIT`."""
        self._parts.append(part)

    def done(self) -> str:
        return "".join(self._parts)


def code(text: str) -> str:
    """A text of a spec file within a line or a cell."""
    cut = one_line(text)
    cut = cut if len(cut) <= _LINE else f"{cut[: _LINE - 3]}..."
    return f"<code>{_plain(cut)}</code>"


def _plain(text: str) -> str:
    """Text whose every special character is a character reference."""
    return re.sub(r"[^A-Za-z0-9 ,/-]", lambda match: f"&#{ord(match[0])};", one_line(text))


def _folded(title: str, lines: Iterable[str], language: str) -> str:
    shown = [visible(line).replace("\n", "\\n") for line in lines]
    shown = [line if len(line) <= _LINE else f"{line[: _LINE - 3]}..." for line in shown]
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    body = "\n".join(shown)
    return f"<details><summary>{code(title)}</summary>\n\n{fence}{language}\n{body}\n{fence}\n\n</details>\n\n"


def _row(job: JobPlan, show: Show) -> str:
    name = code(job.identity) + (f" (was {code(job.was)})" if job.was is not None else "")
    what = [_NAMES[job.action]]
    if names := differing(job):
        what.append(code(", ".join(names)))
    if job.reanchor is not None:
        what.append("starts anew")
    if job.pause is not None:
        what.append(job.pause)
    if (findings := told_findings(job)) and job.action != "invalid":
        what.append(counted(len(findings), "warning"))
    return f"| `{SYMBOLS[job.action]}` | {name} | {', '.join(what)} | {code(f'{show(job.path)}:{job.line}')} |\n"


def _document_row(document: DocumentPlan, show: Show) -> str:
    name = show(document.path) if document.kind == "Defaults" else document.name
    changed = ", ".join(change.name for change in document.fields)
    what = _NAMES[document.action] + (f" {code(changed)}" if changed else "")
    jobs = ", ".join(document.jobs[:5]) + (f" and {len(document.jobs) - 5} more" if len(document.jobs) > 5 else "")
    return f"| `{SYMBOLS[document.action]}` | {document.kind} {code(name)} | {what} | {code(jobs) if jobs else ''} |\n"


def _job_lines(job: JobPlan) -> Iterator[str]:
    """For a fenced `diff` block: lines that begin with `+`, `-` and `!` are coloured."""
    for name, old, new in told_fields(job):
        for line in field_lines(name, old, new):
            yield line if line[:1] in "+-" else f"! {line[2:]}" if line[:1] == "~" else line[4:] or " "
    if job.action == "create" and job.after is not None:
        yield f"  {job.after.words}"
    if job.reanchor is not None:
        yield f"! {reanchor_words(job.reanchor, job)}"
    if (paused := pause_words(job)) is not None:
        yield f"! {paused}"
    yield from _instants(job)
    for night in job.nights:
        yield f"  clock: {night_words(night)}"
    for finding in told_findings(job):
        yield f"! {finding.severity}[{finding.code}]: {finding.message}"
    for name in job.touched_by:
        yield f"  also: {name} changes"
    for note in job.notes:
        yield f"  {note}"


def _instants(job: JobPlan) -> Iterator[str]:
    rows = instant_rows(job)
    if job.action not in ("create", "change", "rename") or not rows:
        return
    yield "  next instants (- before, + after):" if job.before is not None else "  next instants:"
    for before, after, mark in rows:
        if mark:
            yield f"    {after}"
            continue
        if before:
            yield f"-   {before}"
        if after:
            yield f"+   {after}"
