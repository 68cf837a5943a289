"""`jobsctl metrics`: what a run used while it ran, or what the runs of a job took, as lines to see and as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Instant, Settings, watchable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.output import Cell
    from status.series import Series


@click.command("metrics")
@click.argument("target", metavar="JOB|RUN")
@click.option("--names", metavar="NAME,...", help="Of a run cpu_usage, memory_usage; of a job duration, cpu_time, "
              "peak_memory. Default: all.")  # fmt: skip
@click.option("--since", type=Instant(), metavar="TIME", help="What was measured since: RFC 3339, or 2h for 2 h ago.")
@click.option("--until", type=Instant(), metavar="TIME", help="What was measured until then.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=50,
    help="Of a job its last N runs. Default: 50.",
)
@click.option("--points", type=click.IntRange(2, 100_000), metavar="N", default=300,
              help="With -o json at most so many points of a series. Default: 300.")  # fmt: skip
@watchable
@click.pass_obj
def command(
    settings: Settings, target: str, names: str | None, since: int | None, until: int | None, limit: int, points: int
) -> int:
    """Show CPU and memory of RUN over its life; of JOB the duration, CPU time and peak memory of its last runs.

    CPU usage is in cores (1.5: one and a half processors), memory what all processes of the run hold. A run is looked
    at each second, later each 15; one that is over within a second has no series. Every line begins at zero.

    \b
    Examples:
      jobsctl metrics report
      jobsctl metrics 01m7yjkbshspfz7aw3dyetqhqa --names memory_usage
      jobsctl metrics report -n 200 -o json
    """
    from cli.output import print_items, print_lines, say
    from cli.reading import reading
    from cli.selection import find_target
    from state.records import TERMINAL_STATES, JobRecord
    from status.series import series_of_job, series_of_run, series_view

    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until: nothing was measured then")
    wanted = [name for name in (each.strip() for each in (names or "").split(",")) if name]
    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target)
        measured = True
        if isinstance(found, JobRecord):
            runs = seen.reader.runs(
                job_id=found.id, states=[state for state in TERMINAL_STATES if state != "skipped"], since=since,
                until=until, limit=limit,
            )  # fmt: skip
            series = series_of_job(runs, wanted)
            measured = bool(runs)
            about, title = {"job": found.identity, "run": None}, f"{found.identity}: its last runs"
        else:
            samples = seen.files(found).series()
            series = series_of_run(found, samples, wanted, since=since, until=until)
            about, title = {"job": found.identity, "run": found.id}, f"{found.identity} run {found.id}: {found.state}"
        wrong = bool(series) and all(each.status == "error" for each in series)
        if settings.output in ("table", "wide") and wrong:
            said = str(series[0].error)
            raise UsageError(f"--names: {said if said.startswith(series[0].name) else f'{series[0].name}: {said}'}")
        if settings.output in ("table", "wide") and not measured:
            say(f"No run of {found.identity} ended{' then' if since or until else ' yet'}: nothing was measured.")
        elif settings.output in ("table", "wide"):
            print_lines(settings, _lines(settings, title, series))
        else:
            print_items(
                settings, series, view=lambda each: series_view(each, most=points), name=lambda each: each.name,
                columns=(), empty="", more={"apiVersion": "jobsctl/v1", "kind": "Metrics", **about},
            )  # fmt: skip
    return Exit.FAILED if wrong else Exit.OK


def _lines(settings: Settings, title: str, series: list[Series]) -> Iterator[str | Cell]:
    import shutil
    import sys

    from cli.output import Cell
    from cli.sparkline import blocks_for, sparkline
    from status.series import is_peak, thinned
    from status.words.times import stamp

    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
    blocks = blocks_for(sys.stdout.encoding)
    yield Cell(title, "bold")
    for each in series:
        yield ""
        if each.error is not None:
            yield Cell(f"{each.name}  {each.error}", "red")
            continue
        if not each.points:
            yield f"{each.name}  nothing was measured"
            continue
        numbers = (("min", each.minimum), ("mean", each.mean), ("max", each.maximum), ("last", each.last))
        told = ", ".join(f"{word} {_amount(value, each.unit)}" for word, value in numbers)
        yield f"{each.name}  {told}"
        shown = thinned(each.points, max(room - 2, 8), peak=is_peak(each.name))
        yield Cell("  " + sparkline([point.value for point in shown], blocks=blocks), "cyan")
        count = f"{len(each.points)} runs, " if each.points[0].run else ""
        yield Cell(f"  {count}{stamp(each.points[0].at - each.points[0].span)} .. {stamp(each.points[-1].at)}", "dim")


def _amount(value: float | None, unit: str | None) -> str:
    from status.words.times import NEVER, size, span

    if value is None:
        return NEVER
    if unit == "bytes":
        return size(round(value))
    return span(value) if unit == "seconds" else f"{value:.2f} cores"
