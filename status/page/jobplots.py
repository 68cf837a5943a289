"""The drawings of a job's page, from what is stored: results by day, how long runs took, what the last ones used."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from specs.zones import Zone
from state.jobpast import results
from state.records import TERMINAL_STATES, JobRecord, Run, RunState
from state.runfiles import last_series, samples_of
from status.page.plots.durations import Took, duration_plot
from status.page.plots.heatmap import Counts, heatmap
from status.page.plots.usage import usage_plot
from status.page.visit import Visit
from status.series import Series, series_of_run

DAY = 86_400_000_000
LONGEST, SHORTEST = 26, 9
"""Weeks of the calendar: half a year, and no less than two months."""
RUNS = 200
OVERLAID = 5
"""Runs before the last whose use is drawn behind its own."""

SAMPLES = 5000
"""That are read of each run: those of a day."""


@dataclass(frozen=True, slots=True)
class JobPlots:
    """What is drawn; empty where there is nothing to draw."""

    days: Markup
    day_rows: list[tuple[date, Counts]]
    """The same as a table: the days on which something was, newest first."""
    durations: Markup
    took: list[Took]
    cpu: Markup
    memory: Markup
    used_by: Run | None
    """The run whose use is drawn in front."""


def job_plots(visit: Visit, record: JobRecord, zone: Zone, *, timeout: float | None) -> JobPlots:
    """All drawings of a job."""
    assert record.id is not None
    days = _days(visit, record.id, zone)
    today = zone.local(visit.now).date()
    oldest = min(days, default=today)
    weeks = min(max((today - oldest).days // 7 + 1, SHORTEST), LONGEST)
    first = today - timedelta(days=7 * weeks - 1)
    runs = visit.reader.runs(job_id=record.id, states=[s for s in RunState if s is not RunState.SKIPPED], limit=RUNS)
    took = [
        Took(run.started_at, ((run.finished_at or visit.now) - run.started_at) / 1_000_000, run.state.value, run.id)
        for run in runs
        if run.started_at is not None
    ]
    start = min((each.at for each in took), default=visit.now - DAY)
    cpu, memory, front = _usage(visit, runs)
    return JobPlots(
        days=heatmap(days, name="days", first=first, last=today) if days else Markup(""),
        day_rows=sorted(days.items(), reverse=True),
        durations=duration_plot(took, name="took", zone=zone, start=start, end=visit.now, limit=timeout),
        took=took,
        cpu=cpu,
        memory=memory,
        used_by=front,
    )


def _days(visit: Visit, job_id: int, zone: Zone) -> dict[date, dict[str, int]]:
    found: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for at, state, count in results(visit.ask, job_id, since=visit.now - LONGEST * 7 * DAY):
        found[zone.local(at).date()][state.value] += count
    return {day: dict(counts) for day, counts in found.items()}


def _usage(visit: Visit, runs: list[Run]) -> tuple[Markup, Markup, Run | None]:
    """CPU and memory of the last run that was measured, and of those before it."""
    measured: list[tuple[Run, list[Series]]] = []
    for run in runs[: 4 * OVERLAID]:
        if run.started_at is None or (run.state not in TERMINAL_STATES and run.state is not RunState.RUNNING):
            continue
        samples = samples_of(last_series(visit.home.run_dir_of(run), most=SAMPLES))
        if samples:
            measured.append((run, series_of_run(run, samples)))
        if len(measured) > OVERLAID:
            break
    if not measured:
        return Markup(""), Markup(""), None
    (front, own), *others = measured
    since, until = front.started_at or 0, front.finished_at or visit.now
    drawn = []
    for place, title in ((0, "CPU of the last runs"), (1, "Memory of the last runs")):
        behind = [(run.started_at or 0, series[place]) for run, series in others]
        name = own[place].name.partition("_")[0]
        drawn.append(usage_plot(own[place], name=name, title=title, since=since, until=until, others=behind))
    return drawn[0], drawn[1], front
