"""The last day as a drawing: how many runs when, and a lane for each job worth looking at. Pure but for its questions.

Lanes are paths in a grid of `UNITS` columns that stretches to any width: short runs are a column, neighbours melt into
one stroke, and what failed is wider and drawn on top, so that it is seen on a phone too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from state.records import Run, RunState
from state.timeline import BAD, Ran, Span, failed_jobs, ran, spans, tally
from state.totals import Ask
from status.picture.board import JobEntry
from status.words.counting import counted
from status.words.instants import EPOCH, SECOND

DAY = 86_400 * SECOND
UNITS = 720
"""Columns of a lane: two minutes each."""
BARS = 48
"""Bars of the sums: half an hour each."""
LANES = 14
MOST_SPANS = 1500
"""Runs of one lane: one a minute. Of a job that runs more often the newest are drawn."""
LEAST_BAD = 4
"""Columns that a failure takes at least."""
KINDS: Mapping[RunState, str] = {
    RunState.SUCCEEDED: "ok",
    RunState.SKIPPED: "skipped",
    RunState.CANCELLED: "cancelled",
    RunState.PENDING: "running",
    RunState.RUNNING: "running",
    RunState.BLOCKED: "blocked",
    RunState.FAILED: "bad",
    RunState.EXPIRED: "bad",
}
"""How each state is drawn; later ones over earlier ones."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One job's day."""

    identity: str
    words: str
    """`34 runs, 2 failed`."""
    bad: bool
    paths: Sequence[tuple[str, str]]
    """Kind and path data, in the order of drawing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The runs made in half an hour: heights as parts of 100."""

    place: int
    ok: float
    bad: float
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A whole hour on the axis: where, in percent, and its words."""

    percent: float
    words: str
    minor: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """The last 24 hours."""

    since: int
    counts: Sequence[tuple[str, int]]
    """State and number of runs, those that occurred."""
    bars: Sequence[Bar]
    lanes: Sequence[Lane]
    others: int
    """Jobs that ran and have no lane."""
    others_bad: int
    """Of those: jobs with failures."""
    ticks: Sequence[Tick]


def timeline_of(
    ask: Ask, now: int, timezone: str, *, entries: Sequence[JobEntry], project: str | None, running: Sequence[Run]
) -> Timeline:
    """What the runs of the last day amount to.

    Args:
        entries: the jobs that may be seen.
        running: runs that run now: their jobs get a lane, also when they began before.
    """
    since = now - DAY
    tallied = tally(ask, since=since, width=DAY // BARS, places=BARS, project=project)
    failed = failed_jobs(ask, since=since, project=project)
    names = {entry.job_id: entry.identity for entry in entries}
    busy = [entry.job_id for entry in entries if entry.sample and (entry.sample.last_run or 0) * SECOND >= since]
    active = list(dict.fromkeys(run.job_id for run in running))
    chosen = choose(failed, active, busy, names)
    numbers = ran(ask, jobs=chosen, since=since)
    found: dict[int, list[Span]] = {job: [] for job in chosen}
    for span in spans(ask, jobs=chosen, since=since - DAY, most=MOST_SPANS):
        found[span.job_id].append(span)
    totals = Counter[RunState]()
    for _, state, count in tallied:
        totals[state] += count
    return Timeline(
        since=since,
        counts=[(state.value, totals[state]) for state in RunState if totals[state]],
        bars=bars_of(tallied),
        lanes=[lane_of(names[job], numbers[job], found[job], since, now) for job in chosen],
        others=len({*failed, *active, *busy}.intersection(names).difference(chosen)),
        others_bad=len(set(failed).difference(chosen)),
        ticks=ticks_of(now, timezone),
    )


def choose(failed: Iterable[int], active: Iterable[int], busy: Iterable[int], names: Mapping[int, str]) -> list[int]:
    """The jobs that get a lane: those that failed, in the order given; those that run; then others by name, as long as
    there is room."""
    rest = sorted(busy, key=lambda job: names.get(job, ""))
    return [job for job in dict.fromkeys([*failed, *active, *rest]) if job in names][:LANES]


def lane_of(identity: str, job: Ran, found: Iterable[Span], since: int, now: int) -> Lane:
    """The drawing of one job's runs."""
    drawn: dict[str, list[tuple[int, int]]] = {}
    for span in found:
        end = now if span.end is None else span.end
        if end < since:
            continue
        first = max(span.begin - since, 0) * UNITS // DAY
        last = max(min((end - since) * UNITS // DAY, UNITS), first + 1)
        kind = KINDS[span.state]
        if span.state in BAD:
            last = max(last, first + LEAST_BAD)
        over = max(last - UNITS, 0)
        drawn.setdefault(kind, []).append((first - over, last - over))
    words = counted(job.runs, "run") + (f", {job.bad} failed" if job.bad else "")
    kinds = dict.fromkeys(KINDS.values())
    return Lane(identity, words, job.bad > 0, [(kind, path(drawn[kind])) for kind in kinds if kind in drawn])


def path(stretches: Iterable[tuple[int, int]]) -> str:
    """Path data of horizontal strokes: those that touch are one."""
    merged: list[list[int]] = []
    for first, last in sorted(stretches):
        if merged and first <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    parts: list[str] = []
    here = 0
    for first, last in merged:
        parts.append(f"M{first} 5h{last - first}" if not parts else f"m{first - here} 0h{last - first}")
        here = last
    return "".join(parts)


def bars_of(tallied: Iterable[tuple[int, RunState, int]]) -> list[Bar]:
    """Bars of all runs that ended or run, failures below. What was skipped is no run."""
    ok, bad = Counter[int](), Counter[int]()
    for place, state, count in tallied:
        if state is not RunState.SKIPPED and 0 <= place < BARS:
            (bad if state in BAD else ok)[place] += count
    most = max((ok[place] + bad[place] for place in range(BARS)), default=0)
    found = []
    for place in range(BARS):
        if most and (ok[place] or bad[place]):
            share = max(bad[place] * 100 / most, 7.0) if bad[place] else 0.0
            rest = min(max(ok[place] * 100 / most, 2.0), 100.0 - share) if ok[place] else 0.0
            title = counted(ok[place] + bad[place], "run") + (f", {bad[place]} failed" if bad[place] else "")
            found.append(Bar(place, round(rest, 1), round(share, 1), title))
    return found


def ticks_of(now: int, timezone: str) -> list[Tick]:
    """Every third whole hour of the last day, in a zone; between them minor ones, for which a phone has no room."""
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    end = (EPOCH + timedelta(microseconds=now)).astimezone(zone)
    hour = end.replace(minute=0, second=0, microsecond=0)
    found = []
    for back in range(25):
        at = (hour.astimezone(EPOCH.tzinfo) - timedelta(hours=back)).astimezone(zone)
        micros = (at - EPOCH) // timedelta(microseconds=1)
        percent = 100 - (now - micros) * 100 / DAY
        if at.hour % 3 == 0 and 1 <= percent <= 99:
            found.append(Tick(round(percent, 2), f"{at:%H:%M}" if at.hour else f"{at:%a}", at.hour % 6 != 0))
    return found[::-1]
