"""The page `/jobs`: all jobs, filtered and sorted, a hundred at a time. Called by `status.page.pages`.

Chosen and sorted from the picture in memory; only the rows shown are unpacked and asked more about, so ten thousand
jobs cost a walk over samples. Works by links and a form alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from state.records import RunState
from state.timeline import recent_ends
from status.page.filters import with_query
from status.page.strip import strip_of
from status.page.visit import Visit
from status.phase import WORST_FIRST, Phase
from status.picture.board import JobEntry
from status.search import parse_query, search
from status.selector import parse_selector
from status.server.query import Query

PAGE = 100
STRIP = 12
PARAMETERS = ("q", "project", "label", "phase", "sort", "order", "page")
_RANK = {phase.value: rank for rank, phase in enumerate(WORST_FIRST)}
NEVER = float("inf")

Key = Callable[[JobEntry], Any]


def _state(entry: JobEntry) -> Any:
    sample = entry.sample
    unwell = sample is not None and (not sample.ready or sample.last_run_success == 0)
    return (not unwell, _RANK[entry.phase], -(sample.consecutive_failures if sample else 0))


def _name(entry: JobEntry) -> Any:
    return entry.key


def _newest(value: float | None) -> float:
    return NEVER if value is None else -value


COLUMNS: Mapping[str, tuple[str, Key, str]] = {
    "state": ("State", _state, ""),
    "name": ("Job", _name, ""),
    "schedule": ("Schedule", _name, ""),
    "last": ("Last run", lambda entry: _newest(entry.sample.last_run if entry.sample else None), ""),
    "took": ("Took", lambda entry: _newest(entry.sample.last_duration if entry.sample else None), "num"),
    "recent": ("Last runs", _name, ""),
    "next": ("Next", lambda entry: (entry.sample.next_run if entry.sample else None) or NEVER, "num"),
}
"""Heading, what it is sorted by (the first is what is looked for most), and class of each column."""
SORTABLE = ("state", "name", "last", "took", "next")


@dataclass(frozen=True, slots=True)
class Heading:
    """Of a column."""

    words: str
    css: str
    address: str | None
    """Sorts by it, or turns the order around; None where that means nothing."""
    sorted: str | None
    """`ascending` or `descending` when the table is sorted by it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One job."""

    view: Mapping[str, Any]
    strip: Markup


def jobs_page(visit: Visit) -> str:
    """The page.

    Raises:
        BadRequest: a parameter that cannot be understood.
    """
    visit.require_loaded()
    query = visit.query(known=PARAMETERS, repeatable=("phase",))
    chosen = {name: query.text(name) for name in PARAMETERS}
    found, beyond = _found(visit, query)
    phases = Counter(entry.phase for entry in found)
    wanted = query.words("phase", [phase.value for phase in Phase])
    if wanted:
        found = [entry for entry in found if entry.phase in wanted]
    else:
        found = [entry for entry in found if entry.phase != Phase.ARCHIVED]
    sort = next(iter(query.words("sort", SORTABLE)), "state")
    turned = query.words("order", ("asc", "desc")) == {"desc"}
    found.sort(key=_name)
    found.sort(key=COLUMNS[sort][1], reverse=turned)
    pages = max(-(-len(found) // PAGE), 1)
    page = min(query.whole("page", least=1, most=1_000_000) or 1, pages)
    shown = found[(page - 1) * PAGE : page * PAGE]
    ends = recent_ends(visit.ask, jobs=[entry.job_id for entry in shown], most=STRIP)

    def address(**changes: Any) -> str:
        return with_query("/jobs", {**chosen, "page": None, **changes})

    return visit.render(
        "jobs.html",
        title="Jobs",
        current="jobs",
        refresh=60,
        chosen=chosen,
        projects=sorted({entry.project for entry in visit.entries()}),
        total=len(found),
        beyond=beyond,
        phases=[
            (phase.value, phases[phase], address(phase=None if wanted == {phase} else phase.value), phase in wanted)
            for phase in WORST_FIRST
            if phases[phase]
        ],
        everything=address(phase=None),
        all_count=sum(count for phase, count in phases.items() if phase != Phase.ARCHIVED),
        any_phase=bool(wanted),
        filtered=any(chosen[name] for name in ("q", "project", "label", "phase")),
        headings=[_heading(name, sort, turned, address) for name in COLUMNS],
        rows=[_row(entry, ends.get(entry.job_id, ())) for entry in shown],
        first=(page - 1) * PAGE + 1,
        last=(page - 1) * PAGE + len(shown),
        before=address(page=page - 1) if page > 1 else None,
        after=address(page=page + 1) if page < pages else None,
        page_number=page,
        pages=pages,
    )


def _found(visit: Visit, query: Query) -> tuple[list[JobEntry], bool]:
    """The jobs that fit everything but the phase, and whether words were found in what they say of themselves only."""
    project, fits = query.text("project"), parse_selector(query.texts("label"))
    found = [
        entry
        for entry in visit.picture.entries.values()
        if visit.may_see(entry.project)
        and (project is None or entry.project == project)
        and (fits is None or fits(entry.labels))
    ]
    text = query.text("q")
    words = text.lower().split() if text else []
    if not words:
        return found, False
    named = [entry for entry in found if all(word in _said(entry) for word in words)]
    terms = parse_query(text or "")
    if named or not terms:
        return named, False
    known = {entry.identity: entry for entry in found}
    specs = visit.reader.specs(project=visit.project, archived=None)
    hits, _ = search(specs, terms, limit=1000, secrets=visit.project is None)
    return [known[hit.identity] for hit in hits if hit.identity in known], True


def _said(entry: JobEntry) -> str:
    """What is searched without unpacking anything: name, labels, tags."""
    if not entry.labels and not entry.tags:
        return entry.identity
    labels = " ".join(f"{key}={value}" for key, value in entry.labels.items())
    return f"{entry.identity} {labels} {' '.join(entry.tags)}".lower()


def _heading(name: str, sort: str, turned: bool, address: Callable[..., str]) -> Heading:
    words, _, css = COLUMNS[name]
    if name not in SORTABLE:
        return Heading(words, css, None, None)
    mine = name == sort
    order = "desc" if mine and not turned else None
    way = ("descending" if turned else "ascending") if mine else None
    return Heading(words, css, address(sort=None if name == "state" else name, order=order), way)


def _row(entry: JobEntry, ends: Sequence[RunState]) -> Row:
    return Row(orjson.loads(entry.fragment), strip_of(ends))
