"""Circles in the dependencies of jobs: which jobs are in one, and the way round.

Called by `specs.references`. Pure: a graph in, sets and paths out. Without recursion, for a chain may be long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

Graph = Mapping[str, Sequence[str]]
"""Job: the jobs it depends on. A job that is no key depends on nothing."""


def circles(graph: Graph, roots: Iterable[str]) -> list[frozenset[str]]:
    """The sets of two or more jobs, as large as can be, in which each depends on each other, directly or not; all that
    can be reached from `roots`. Costs as much as can be reached. Tarjan's algorithm."""
    found: list[frozenset[str]] = []
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    inside: set[str] = set()
    for root in roots:
        path: list[tuple[str, Iterator[str]]] = []
        entered: str | None = None if root in index else root
        while entered is not None or path:
            if entered is not None:
                index[entered] = lowest[entered] = len(index)
                waiting.append(entered)
                inside.add(entered)
                path.append((entered, iter(graph.get(entered, ()))))
            here, ahead = path[-1]
            entered = None
            for each in ahead:
                if each not in index:
                    entered = each
                    break
                if each in inside:
                    lowest[here] = min(lowest[here], index[each])
            if entered is not None:
                continue
            path.pop()
            if path:
                above = path[-1][0]
                lowest[above] = min(lowest[above], lowest[here])
            if lowest[here] == index[here]:
                circle = set()
                while here not in circle:
                    circle.add(waiting.pop())
                inside -= circle
                if len(circle) > 1:
                    found.append(frozenset(circle))
    return found


def way_round(graph: Graph, start: str, circle: frozenset[str]) -> list[str]:
    """The shortest way from `start` back to itself within `circle`, with `start` at both ends.

    Raises:
        ValueError: there is none.
    """
    before: dict[str, str] = {}
    ahead = deque([start])
    while ahead:
        here = ahead.popleft()
        for each in graph.get(here, ()):
            if each == start:
                way = [start]
                while here != start:
                    way.append(here)
                    here = before[here]
                return [start, *reversed(way)]
            if each in circle and each not in before:
                before[each] = here
                ahead.append(each)
    raise ValueError(f"{start} is in no circle")
