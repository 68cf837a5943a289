"""The page `/graph`: which jobs follow which, drawn and in words. Called by `status.page.pages`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from state.records import Health, JobRecord
from status.graph import Edge, Graph, graph_of
from status.page.filters import word
from status.page.layered import Drawing, draw, parts_of
from status.page.visit import Visit
from status.phase import Phase, phase_of
from status.words.times import relative, span

MOST_DRAWN = 150
"""Jobs of one drawing: more nobody reads. Then the parts are listed, each with its own drawing."""
MOST_LISTED = 400
LABEL = 28
"""Characters of a name in a box; all of a longer one is in its title."""
PARAMETERS = ("job", "project")
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Node:
    """One box."""

    identity: str
    known: bool
    """False: no file defines it."""
    project: str
    name: str
    state: str
    words: str
    x: float
    y: float
    width: float
    height: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One arrow."""

    kind: str
    """`met`, `waits` or `bad`: the upper one has failed."""
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Told:
    """A job and its neighbours, in words."""

    identity: str
    known: bool
    state: str
    words: str
    above: Sequence[tuple[str, str]]
    """What it follows, each with a note where there is something to say."""
    below: Sequence[tuple[str, str]]


def graph_page(visit: Visit) -> str:
    """The page.

    Raises:
        BadRequest, NotFound: a parameter that cannot be understood, or names no job.
    """
    visit.require_loaded()
    query = visit.query(known=PARAMETERS)
    chosen, project = query.text("job"), visit.project or query.text("project")
    graph = graph_of(visit.reader.linked(), visit.now, default_timezone=visit.timezone)
    projects = sorted(
        {identity.partition("/")[0] for identity in graph.jobs if visit.may_see(identity.partition("/")[0])}
    )
    if visit.project is not None:
        graph = _only(graph, visit.project)
    elif project is not None:
        graph = graph.of_project(project)
    if chosen is not None:
        found = visit.entry(*chosen.partition("/")[::2])
        graph = graph.around(found.identity)
    parts = parts_of(graph.jobs, [(edge.above, edge.below) for edge in graph.edges])
    drawable = [part for part in parts if len(part) <= MOST_DRAWN]
    together = len(graph.jobs) <= MOST_DRAWN
    states = {identity: _state(job, visit.now) for identity, job in graph.jobs.items()}
    nodes: list[Node] = []
    lines: list[Line] = []
    width = height = 0.0
    if together and graph.jobs:
        drawing = draw(
            {identity: _width(identity, states[identity][1]) for identity in graph.jobs},
            [(edge.above, edge.below) for edge in graph.edges],
        )
        nodes, lines = _nodes(graph, drawing, states, chosen), _lines(graph, drawing)
        width, height = drawing.width, drawing.height
    return visit.render(
        "graph.html",
        title="Graph" if chosen is None else f"Graph of {chosen}",
        current="graph",
        refresh=60,
        chosen=chosen,
        project_chosen=None if visit.project else project,
        projects=projects,
        jobs=len(graph.jobs),
        nodes=nodes,
        lines=lines,
        width=round(width + 4),
        height=round(height + 4),
        parts=[] if together else [(min(part), len(part), part in drawable) for part in parts[:MOST_LISTED]],
        more_parts=max(len(parts) - MOST_LISTED, 0),
        told=[_told(graph, identity, states) for identity in list(graph.jobs)[:MOST_LISTED]],
        untold=max(len(graph.jobs) - MOST_LISTED, 0),
        waits=any(line.kind == "waits" for line in lines),
        bad=any(line.kind == "bad" for line in lines),
    )


def _only(graph: Graph, project: str) -> Graph:
    """What is of one project alone: a job of another is not even named."""
    jobs = {identity: job for identity, job in graph.jobs.items() if identity.startswith(f"{project}/")}
    edges = tuple(edge for edge in graph.edges if edge.above in jobs and edge.below in jobs)
    named = {end for edge in edges for end in (edge.above, edge.below)}
    return Graph({identity: job for identity, job in jobs.items() if identity in named}, edges)


def _state(job: JobRecord | None, now: int) -> tuple[str, str]:
    """The state that its shape shows, and the words beside it."""
    if job is None:
        return "failed", "no file defines it"
    phase = phase_of(job)
    if phase in (Phase.ACTIVE, Phase.FAILED) and job.last_run_state is not None and job.last_finished_at is not None:
        return job.last_run_state.value, f"{word(job.last_run_state.value)} {relative(job.last_finished_at, now)}"
    if phase is Phase.IN_PROGRESS and job.last_started_at is not None:
        return "running", f"running for {span(max(now - job.last_started_at, 0) / _SECOND)}"
    return phase.value, word(phase.value)


def _shown(name: str) -> str:
    return name if len(name) <= LABEL else name[: LABEL - 1] + "…"


def _width(identity: str, words: str) -> float:
    """Of the box, for letters as wide as those of common fonts."""
    return max(len(_shown(identity.partition("/")[2])) * 8.2 + 30, len(words) * 6.9 + 38, 96)


def _nodes(graph: Graph, drawing: Drawing, states: Mapping[str, tuple[str, str]], chosen: str | None) -> list[Node]:
    found = []
    for identity, box in sorted(drawing.boxes.items(), key=lambda each: (each[1].y, each[1].x)):
        project, _, name = identity.partition("/")
        state, words = states[identity]
        found.append(
            Node(
                identity,
                graph.jobs[identity] is not None,
                project,
                _shown(name),
                state,
                words,
                round(box.x + 2, 1),
                round(box.y + 2, 1),
                round(box.width, 1),
                box.height,
                identity == chosen,
            )
        )
    return found


def _lines(graph: Graph, drawing: Drawing) -> list[Line]:
    found = []
    for edge in graph.edges:
        points = drawing.edges.get((edge.above, edge.below))
        if points is None:  # a job that follows itself: files cannot say so, an old database may
            continue
        kind = _kind(graph, edge)
        age = f", not older than {span(edge.max_age / _SECOND)}" if edge.max_age is not None else ""
        how = {"met": "follows", "waits": "waits for", "bad": "waits for, which has failed:"}[kind]
        found.append(Line(kind, curve(points), f"{edge.below} {how} {edge.above}{age}"))
    return sorted(found, key=lambda line: ("met", "waits", "bad").index(line.kind))


def _kind(graph: Graph, edge: Edge) -> str:
    above = graph.jobs[edge.above]
    if above is None or (above.health is Health.FAILING and not edge.ready):
        return "bad"
    below = graph.jobs[edge.below]
    waiting = below is not None and phase_of(below) is Phase.BLOCKED
    return "waits" if waiting and not edge.ready else "met"


def curve(points: Sequence[tuple[float, float]]) -> str:
    """Path data through these points: bent between layers, straight beside boxes."""
    (x, y), *rest = [(round(px + 2, 1), round(py + 2, 1)) for px, py in points]
    data = f"M{x:g} {y:g}"
    for number, (to_x, to_y) in enumerate(rest):
        middle = round((y + to_y) / 2, 1)
        if number % 2 == 1 or to_x == x:
            data += f"L{to_x:g} {to_y:g}"
        else:
            data += f"C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {to_y:g}"
        x, y = to_x, to_y
    return data


def _told(graph: Graph, identity: str, states: Mapping[str, tuple[str, str]]) -> Told:
    state, words = states[identity]
    notes = {"met": "", "waits": "waits for it", "bad": "it has failed"}
    above = [(edge.above, notes[_kind(graph, edge)]) for edge in graph.above(identity)]
    below = [(edge.below, "") for edge in graph.below(identity)]
    return Told(identity, graph.jobs[identity] is not None, state, words, above, below)
