"""Who waits for whom: the dependencies of stored jobs as a graph. Used by the command line and the page. Pure.

Nodes are jobs, edges go from a job to those that depend on it. Jobs without any dependency are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

import orjson

from specs.expression import ScheduleError
from specs.frozen import frozen
from specs.policy import PLAIN, Policy, policy_of
from state.records import JobRecord
from status.phase import phase_of
from status.upstream import upstream_facts
from status.views import API_VERSION
from status.words.instants import SECOND, rfc3339


@frozen
class Edge:
    """One dependency."""

    above: str
    below: str
    """The job that depends on `above`."""
    max_age: int | None
    ready: bool
    """A run of `below` that started now would not wait for it."""


@frozen
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
