"""The graph of dependencies (`status.graph`) in text and DOT. Used by `graph`. Pure.

Nodes are jobs, edges go from a job to those that depend on it. Jobs without any dependency are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cli.output import Cell
from cli.tables import PHASE_STYLE, last_run_cell
from cli.terminal import one_line
from state.records import JobRecord
from status.graph import Edge, Graph
from status.phase import Phase, phase_of
from status.words.instants import SECOND
from status.words.times import NEVER, span

BRANCHES = ("├─ ", "└─ ", "│  ", "   ")
PLAIN_BRANCHES = ("|- ", "`- ", "|  ", "   ")
"""For a terminal or file that is not UTF-8."""
COLORS = {"green": "darkgreen", "red": "red3", "yellow": "darkorange3", "cyan": "blue3", "dim": "gray50"}


def text_lines(graph: Graph, now: int, *, chosen: str | None, utf8: bool) -> Iterator[str | Cell]:
    """A tree from the jobs that depend on nothing downwards. A job that several lead to is drawn at the first only."""
    if not graph.edges:
        return
    drawn: set[str] = set()
    tee, corner, bar, blank = BRANCHES if utf8 else PLAIN_BRANCHES
    roots = [identity for identity in graph.jobs if not graph.above(identity)]
    for root in (*roots, *graph.jobs):  # the second: circles, which files cannot make but an old database may hold
        # A stack, not recursion: chains may be longer than Python's calls are deep.
        waiting: list[tuple[str, Edge | None, str, str]] = [] if root in drawn else [(root, None, "", "")]
        while waiting:
            identity, edge, head, rest = waiting.pop()
            again = identity in drawn
            drawn.add(identity)
            yield _line(graph, identity, edge, head, now, chosen, again)
            children = [] if again else graph.below(identity)
            for place, child in enumerate(reversed(children)):
                last = place == 0
                waiting.append((child.below, child, rest + (corner if last else tee), rest + (blank if last else bar)))


def _line(
    graph: Graph, identity: str, edge: Edge | None, lead: str, now: int, chosen: str | None, again: bool
) -> str | Cell:
    mark = " *" if identity == chosen else ""
    age = f"  (not older than {span(edge.max_age / SECOND)})" if edge is not None and edge.max_age is not None else ""
    if again:
        return f"{lead}{identity}{mark}{age}  (above)"
    job = graph.jobs[identity]
    if job is None:
        return Cell(f"{lead}{identity}{mark}{age}  no file defines it", "red")
    others = [each.above for each in graph.above(identity) if edge is None or each.above != edge.above]
    also = f"  (also after {', '.join(others)})" if others else ""
    phase = phase_of(job)
    text = f"{lead}{identity}{mark}{age}  {state_words(phase, job, now)}{_waits(graph, job)}{also}"
    return Cell(one_line(text), PHASE_STYLE[phase])


def _waits(graph: Graph, job: JobRecord) -> str:
    missing = [edge.above for edge in graph.above(job.identity) if not edge.ready]
    # One that ran and does not wait now has used what succeeded before.
    how = "waits for" if job.last_run_id is None or phase_of(job) is Phase.BLOCKED else "next after"
    return f"; {how} {', '.join(missing)}" if missing else ""


def state_words(phase: Phase, job: JobRecord, now: int) -> str:
    """`active, succeeded 2h ago`; `failed 5m ago`; `pending`."""
    last = last_run_cell(job, now).text
    if last == NEVER:
        return phase.value
    return last if last.startswith(phase.value) else f"{phase.value}, {last}"


def dot_lines(graph: Graph, now: int) -> Iterator[str]:
    """For graphviz: solid arrows are dependencies that are met, dashed ones are waited for."""
    yield "digraph jobsctl {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style=rounded, fontname="sans-serif"];'
    for identity, job in graph.jobs.items():
        if job is None:
            label = _quoted(identity, "no file defines it")
            yield f'  {_quoted(identity)} [label={label}, color="red3", style=dashed];'
            continue
        phase = phase_of(job)
        color = COLORS.get(PHASE_STYLE[phase], "black")
        label = _quoted(identity, state_words(phase, job, now))
        yield f'  {_quoted(identity)} [label={label}, color="{color}"];'
    for edge in graph.edges:
        parts = [] if edge.ready else ["style=dashed"]
        if edge.max_age is not None:
            parts.append(f"label={_quoted(f'max {span(edge.max_age / SECOND)}')}")
        attributes = f" [{', '.join(parts)}]" if parts else ""
        yield f"  {_quoted(edge.above)} -> {_quoted(edge.below)}{attributes};"
    yield "}"


def _quoted(*lines: str) -> str:
    """A DOT string: quotes and backslashes escaped, lines by `\\n`."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
