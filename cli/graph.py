"""Who waits for whom: the dependencies of stored jobs as a graph, in text, DOT and plain data. Used by `graph`. Pure.

Nodes are jobs, edges go from a job to those that depend on it. Jobs without any dependency are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.output import Cell
from cli.tables import PHASE_STYLE, last_run_cell
from cli.terminal import one_line
from specs.expression import ScheduleError
from specs.policy import PLAIN, Policy, policy_of
from state.records import JobRecord
from status.instants import SECOND, rfc3339
from status.phase import Phase, phase_of
from status.times import NEVER, span
from status.upstream import upstream_facts
from status.views import API_VERSION

BRANCHES = ("├─ ", "└─ ", "│  ", "   ")
PLAIN_BRANCHES = ("|- ", "`- ", "|  ", "   ")
"""For a terminal or file that is not UTF-8."""
COLORS = {"green": "darkgreen", "red": "red3", "yellow": "darkorange3", "cyan": "blue3", "dim": "gray50"}


@dataclass(frozen=True, slots=True)
class Edge:
    """One dependency."""

    above: str
    below: str
    """The job that depends on `above`."""
    max_age: int | None
    ready: bool
    """A run of `below` that started now would not wait for it."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Jobs by identity, in order, and who depends on whom. A job that is depended on and not known is None."""

    jobs: Mapping[str, JobRecord | None]
    edges: tuple[Edge, ...]
    _above: dict[str, list[Edge]] = field(init=False, repr=False, compare=False, default_factory=dict)
    _below: dict[str, list[Edge]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for edge in self.edges:
            self._above.setdefault(edge.below, []).append(edge)
            self._below.setdefault(edge.above, []).append(edge)

    def above(self, identity: str) -> list[Edge]:
        """What this job depends on."""
        return self._above.get(identity, [])

    def below(self, identity: str) -> list[Edge]:
        """What depends on this job."""
        return self._below.get(identity, [])

    def of_project(self, project: str) -> Graph:
        """The jobs of a project, and those of others that they depend on or that depend on them."""
        edges = tuple(
            edge for edge in self.edges if any(end.startswith(f"{project}/") for end in (edge.above, edge.below))
        )
        kept = {end for edge in edges for end in (edge.above, edge.below)}
        return Graph({each: job for each, job in self.jobs.items() if each in kept}, edges)

    def around(self, identity: str) -> Graph:
        """What `identity` follows, directly or not, and what follows it, with whatever else that depends on."""
        below = self._reach(identity, up=False)
        beside = {edge.above for each in below for edge in self.above(each)}
        kept = {identity} | self._reach(identity, up=True) | below | beside
        edges = tuple(edge for edge in self.edges if edge.above in kept and edge.below in kept)
        jobs = {each: job for each, job in self.jobs.items() if each in kept}
        return Graph(jobs, edges)

    def _reach(self, identity: str, *, up: bool) -> set[str]:
        found: set[str] = set()
        waiting = [identity]
        while waiting:
            here = waiting.pop()
            for edge in self.above(here) if up else self.below(here):
                there = edge.above if up else edge.below
                if there not in found:
                    found.add(there)
                    waiting.append(there)
        return found


def graph_of(jobs: Iterable[JobRecord], now: int, *, default_timezone: str) -> Graph:
    """The graph of these jobs."""
    known = {job.identity: job for job in jobs}
    edges: list[Edge] = []
    for job in known.values():
        policy, scheduled = _policy(job, default_timezone)
        for facts in upstream_facts(job, policy, known.get, now, scheduled=scheduled):
            edges.append(Edge(facts.upstream.identity, job.identity, facts.upstream.max_age, facts.ready))
    named = sorted({identity for edge in edges for identity in (edge.above, edge.below)})
    return Graph({identity: known.get(identity) for identity in named}, tuple(edges))


def _policy(job: JobRecord, default_timezone: str) -> tuple[Policy, bool]:
    # Nearly every job depends on nothing, at a fraction of the price of parsing. Canonical JSON has no blanks.
    if b'"depends_on":' not in job.spec:
        return PLAIN, True
    try:
        fields = orjson.loads(job.spec)
        return policy_of(fields, default_timezone=default_timezone), fields.get("schedule") is not None
    except (ScheduleError, orjson.JSONDecodeError):  # a zone that is gone, a damaged spec: the daemon says so
        return PLAIN, True


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


def view(graph: Graph) -> dict[str, Any]:
    """For `-o json`."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Graph",
        "nodes": [
            {
                "job": identity,
                "known": job is not None,
                "phase": None if job is None else phase_of(job).value,
                "lastRunState": None if job is None or job.last_run_state is None else job.last_run_state.value,
                "lastSuccessAt": None if job is None else rfc3339(job.last_success_at),
                "waitsFor": [edge.above for edge in graph.above(identity) if not edge.ready],
            }
            for identity, job in graph.jobs.items()
        ],
        "edges": [
            {
                "from": edge.above,
                "to": edge.below,
                "maxAgeSeconds": None if edge.max_age is None else edge.max_age / SECOND,
                "ready": edge.ready,
            }
            for edge in graph.edges
        ],
    }
