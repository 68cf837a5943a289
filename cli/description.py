"""A job told whole: `cli.jobstory`, then policies in words, inputs, dependencies, what waits. Used by `describe`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cli.jobstory import LABEL, job_lines
from cli.output import Cell
from cli.reading import Reading
from cli.terminal import one_line
from cli.whylines import answer_lines
from specs.expression import ScheduleError
from specs.zones import find_zone
from state.records import JobRecord
from status.deadline import read_spec
from status.phase import suspension_of
from status.upcoming import Upcoming
from status.why.facts import facts_of
from status.why.waiting import now, occupied, upstream_words
from status.words.policy import param_pairs, policy_pairs
from status.words.program import command_pairs, environment_pairs
from status.words.times import relative

SHOWN_STARTS = 3
"""`next` shows more."""


def description_lines(seen: Reading, record: JobRecord) -> Iterator[str | Cell]:
    """The lines, most important first."""
    yield from job_lines(seen, record)
    job = read_spec(record.spec)
    facts = facts_of(seen, record)
    yield from _section("What it runs", command_pairs(job))
    yield from _section("Environment", environment_pairs(job))
    yield from _section("Next", _next(seen, record))
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
        yield from answer_lines(active, seen.now)


def _next(seen: Reading, record: JobRecord) -> Iterator[tuple[str, str]]:
    """The next starts, in the job's own zone."""
    if suspension_of(record) is not None or record.archived_at is not None:
        return
    try:
        found = Upcoming.of_job(seen, record, None, SHOWN_STARTS)
    except ScheduleError:  # the schedule's own line says what is wrong
        return
    zone = find_zone(found.schedule.timezone or "UTC")
    for _, start in found.slots:
        yield relative(start, seen.now), zone.local(start).strftime("%a %Y-%m-%d %H:%M:%S %Z")
    for note in found.notes:
        yield "", note


def _section(name: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str | Cell]:
    found = list(pairs)
    width = max([LABEL - 2, *(len(key) + 2 for key, _ in found)])
    lines = [f"  {key:{width}}{one_line(text)}".rstrip() for key, text in found]
    if lines:
        yield from _heading(name)
        yield from lines


def _heading(name: str) -> Iterator[str | Cell]:
    yield ""
    yield Cell(name, "bold")
