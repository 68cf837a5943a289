"""The series of `metrics`: CPU and memory of a run over its life, and what the runs of a job took, one after another.

Each series is wrapped with its own status: one that cannot be told does not hide the others. Called by the command
line; HTTP can serve the same. Pure: samples and runs in, plain data out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from specs.frozen import frozen
from state.records import TERMINAL_STATES, Run
from state.runfiles import Sample
from status.views import View, duration
from status.words.instants import SECOND, rfc3339

RUN_SERIES = {"cpu_usage": "cores", "memory_usage": "bytes"}
"""Of a run: name and unit. CPU is the mean of the cores in use since the point before; memory what its tree holds."""
JOB_SERIES = {"duration": "seconds", "cpu_time": "seconds", "peak_memory": "bytes"}
"""Of a job: one point per run that ended, at its start."""


@frozen
class Point:
    """One value."""

    at: int
    """Microseconds UTC: of a run's series the end of the time it stands for."""
    value: float
    span: int = 0
    """Microseconds it stands for; 0: it stands for itself."""
    run: str | None = None


@frozen
class Series:
    """One series: `points`, or why there are none."""

    name: str
    unit: str | None
    points: tuple[Point, ...] = ()
    error: str | None = None

    @property
    def status(self) -> str:
        """`ok`, `empty` (nothing was measured) or `error` (it cannot be told)."""
        return "error" if self.error is not None else "ok" if self.points else "empty"

    @property
    def minimum(self) -> float | None:
        return min((point.value for point in self.points), default=None)

    @property
    def maximum(self) -> float | None:
        return max((point.value for point in self.points), default=None)

    @property
    def last(self) -> float | None:
        return self.points[-1].value if self.points else None

    @property
    def mean(self) -> float | None:
        """Each point weighs as much as the time it stands for: samples come rarer as a run gets older."""
        if not self.points:
            return None
        weights = [point.span for point in self.points]
        if not any(weights):
            return sum(point.value for point in self.points) / len(self.points)
        return sum(p.value * weight for p, weight in zip(self.points, weights, strict=True)) / sum(weights)


def series_of_run(
    run: Run,
    samples: Sequence[Sample],
    names: Iterable[str] = (),
    *,
    since: int | None = None,
    until: int | None = None,
) -> list[Series]:
    """CPU and memory of a run.

    Args:
        samples: all there are, in order.
        names: which; none: both. One that is not known is told as an error of its own.
        since, until: µs, inclusive: points whose time ends within.
    """
    intervals = _intervals(run, samples)
    within = [each for each in intervals if (since is None or each[1] >= since) and (until is None or each[1] <= until)]
    found: list[Series] = []
    for name in names or RUN_SERIES:
        if name == "cpu_usage":
            points = tuple(Point(at, used * SECOND / (at - begin), at - begin) for begin, at, used, _ in within)
            found.append(Series(name, RUN_SERIES[name], points))
        elif name == "memory_usage":
            points = tuple(Point(at, memory, at - begin) for begin, at, _, memory in within)
            found.append(Series(name, RUN_SERIES[name], points))
        else:
            found.append(_unknown(name, RUN_SERIES, JOB_SERIES, "a run", "its job"))
    return found


def _intervals(run: Run, samples: Sequence[Sample]) -> list[tuple[int, int, float, int]]:
    """From each look to the next: begin, end, CPU seconds used in between, memory at the end.

    A clock that was set back leaves looks that are not later than the one before: their time is not known.
    """
    if not samples:
        return []
    began = samples[0].at if run.started_at is None else min(run.started_at, samples[0].at)
    looks = [Sample(began, 0.0, 0), *samples]
    return [
        (before.at, look.at, max(look.cpu_seconds - before.cpu_seconds, 0.0), look.memory)
        for before, look in pairwise(looks)
        if look.at > before.at
    ]


def _unknown(name: str, known: Collection[str], others: Collection[str], whose: str, other: str) -> Series:
    if name in others:
        return Series(name, None, error=f"{name} is a series of {other}, not of {whose}")
    return Series(name, None, error=f"no such series; {whose} has {', '.join(known)}")


def series_of_job(runs: Sequence[Run], names: Iterable[str] = ()) -> list[Series]:
    """What the runs of a job took, the oldest first.

    Args:
        runs: in any order; those that never started, or are not over, have no point.
        names: which; none: all three. One that is not known is told as an error of its own.
    """
    ended = sorted((run for run in runs if run.state in TERMINAL_STATES and run.started_at), key=lambda run: run.id)
    values: dict[str, Callable[[Run], float | None]] = {
        "duration": lambda run: duration(run.started_at, run.finished_at),
        "cpu_time": lambda run: run.cpu_seconds,
        "peak_memory": lambda run: run.peak_memory,
    }
    found: list[Series] = []
    for name in names or JOB_SERIES:
        if name not in values:
            found.append(_unknown(name, JOB_SERIES, RUN_SERIES, "a job", "one run"))
            continue
        valued = [(run, values[name](run)) for run in ended]
        points = tuple(Point(run.started_at or 0, value, 0, run.id) for run, value in valued if value is not None)
        found.append(Series(name, JOB_SERIES[name], points))
    return found


def usage_of_runs(runs: Iterable[tuple[Run, Sequence[Sample]]], name: str, *, since: int | None = None,
                  until: int | None = None) -> Series:  # fmt: skip
    """`cpu_usage` or `memory_usage` of several runs of a job as one series, in the order of time.

    Runs that overlap keep their own points. Arguments as of `series_of_run`; `name` is of `RUN_SERIES`.
    """
    points: list[Point] = []
    for run, samples in runs:
        (series,) = series_of_run(run, samples, [name], since=since, until=until)
        points += [replace(point, run=run.id) for point in series.points]
    points.sort(key=lambda point: point.at)
    return Series(name, RUN_SERIES[name], tuple(points))


def thinned(points: Sequence[Point], most: int, *, peak: bool) -> list[Point]:
    """At most `most` points, each in place of as many neighbours: their highest value, or their mean.

    The last point stays the last instant; a mean weighs by the time its points stand for, so sums are kept.
    """
    if len(points) <= most:
        return list(points)
    found: list[Point] = []
    for place in range(most):
        group = points[place * len(points) // most : (place + 1) * len(points) // most]
        span = sum(point.span for point in group)
        if peak:
            value = max(point.value for point in group)
        elif span:
            value = sum(point.value * point.span for point in group) / span
        else:
            value = sum(point.value for point in group) / len(group)
        found.append(Point(group[-1].at, value, span, group[-1].run if len(group) == 1 else None))
    return found


def is_peak(name: str) -> bool:
    """Whether several of its points are told by their highest: of memory and of time the worst counts."""
    return name != "cpu_usage"


def series_view(series: Series, *, most: int = 300) -> View:
    """A series with at most `most` points; `min`, `mean` and `max` are of all of them."""
    points = thinned(series.points, most, peak=is_peak(series.name))
    return {
        "name": series.name,
        "status": series.status,
        "error": series.error,
        "unit": series.unit,
        "min": _rounded(series.minimum),
        "mean": _rounded(series.mean),
        "max": _rounded(series.maximum),
        "last": _rounded(series.last),
        "points": [
            {"time": rfc3339(point.at), "value": _rounded(point.value)} | ({"run": point.run} if point.run else {})
            for point in points
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else value if isinstance(value, int) else round(value, 6)
