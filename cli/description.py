"""A job told whole: `cli.jobstory`, then policies in words, inputs, dependencies, what waits. Used by `describe`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cli.jobstory import LABEL, job_lines
from cli.output import Cell
from cli.policywords import param_pairs, policy_pairs
from cli.reading import Reading
from cli.terminal import one_line
from cli.why.facts import facts_of
from cli.why.waiting import now, occupied, upstream_words
from state.records import JobRecord
from status.deadline import read_spec


def description_lines(seen: Reading, record: JobRecord) -> Iterator[str | Cell]:
    """The lines, most important first."""
    yield from job_lines(seen, record)
    job = read_spec(record.spec)
    facts = facts_of(seen, record)
    yield from _section("Policies", policy_pairs(record, job, facts.policy))
    yield from _section("Params", param_pairs(job))
    if facts.upstream:
        yield from _heading("Depends on")
        for each in facts.upstream:
            yield Cell(f"  {one_line(upstream_words(facts, each))}", "" if each.ready else "yellow")
    if facts.pool is not None:
        yield from _heading("Pool")
        yield f"  {one_line(occupied(facts.pool))}"
    active = now(facts)
    if active is not None:
        yield ""
        yield from active.lines(seen.now)


def _section(name: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str | Cell]:
    lines = [f"  {key:{LABEL - 2}}{one_line(text)}" for key, text in pairs]
    if lines:
        yield from _heading(name)
        yield from lines


def _heading(name: str) -> Iterator[str | Cell]:
    yield ""
    yield Cell(name, "bold")
