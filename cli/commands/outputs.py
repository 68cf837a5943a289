"""`jobsctl outputs`: the files that runs kept, and one of them on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Settings

if TYPE_CHECKING:
    from cli.reading import Reading
    from state.records import JobRecord, Run
    from status.outputs import Kept, Piece

RUNS = 1000
"""Runs that are looked through for files: those a job keeps by default; each costs 10 us."""
RUNS_OF_SERVER = 100
"""The same over HTTP, where each is a request."""


@click.command("outputs")
@click.argument("target", required=False, metavar="[JOB|RUN")
@click.argument("name", required=False, metavar="[NAME]]")
@click.option("--run", "run_text", metavar="RUN", help="Of this run of JOB only.")
@click.option("--range", "range_text", metavar="BYTES", help="Of NAME only these bytes: 0-99, 100- or -500 (the last).")
@click.option("--head", type=click.IntRange(0), metavar="N", help="Of NAME the first N lines only.")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Of NAME the last N lines only.")
@click.option(
    "-n", "--limit", type=click.IntRange(1, 10_000), metavar="N", default=50, help="At most so many files. Default: 50."
)
@click.pass_obj
def command(
    settings: Settings,
    target: str | None,
    name: str | None,
    run_text: str | None,
    range_text: str | None,
    head: int | None,
    tail: int | None,
    limit: int,
) -> int:
    """List the files that runs kept (what they wrote below $JOBSCTL_OUTPUT_DIR), of the newest run first.

    With NAME: print that file, as the newest run left it that has one. Into a pipe or file its bytes are exactly what
    the job wrote; on a terminal control characters are written out.

    \b
    Examples:
      jobsctl outputs
      jobsctl outputs report
      jobsctl outputs report summary.csv > summary.csv
      jobsctl outputs report summary.csv --run 01m7yjkbshspfz7aw3dyetqhqa --head 5
    """
    from cli.reading import reading
    from cli.selection import find_job, find_target
    from state.records import Run

    piece = _piece(range_text, head, tail)
    if name is None and piece is not None:
        raise UsageError(
            "--range, --head and --tail choose a part of one file", hint="name it: `jobsctl outputs JOB NAME`"
        )
    if run_text is not None and target is None:
        target, run_text = run_text, None
    with reading(settings) as seen:
        found = find_target(settings, seen.reader, target) if target else None
        if run_text is not None:
            found = _run_of(seen, find_job(settings, seen.reader, target or ""), run_text, found)
        runs = [found] if isinstance(found, Run) else _runs(settings, seen, found)
        if name is None:
            _list(settings, seen, runs, None if found is None else _called(found), limit)
        else:
            from cli.keptfile import print_kept

            print_kept(seen, runs, name, piece, of=_called(found))
    return Exit.OK


def _called(found: JobRecord | Run | None) -> str:
    from state.records import Run

    return "" if found is None else found.id if isinstance(found, Run) else found.identity


def _piece(range_text: str | None, head: int | None, tail: int | None) -> Piece | None:
    if sum(each is not None for each in (range_text, head, tail)) > 1:
        raise UsageError("only one of --range, --head and --tail can be given")
    if range_text is not None:
        from state.errors import InvalidQuery
        from status.outputs import read_range

        try:
            return read_range(range_text)
        except InvalidQuery as error:
            raise UsageError(f"--range: {error.message}", hint=error.hint) from None
    if head is None and tail is None:
        return None
    from status.outputs import Piece

    return Piece(head=head, tail=tail)


def _run_of(seen: Reading, job: JobRecord, text: str, found: JobRecord | Run | None) -> Run:
    from state.records import JobRecord

    run = seen.reader.run(text)
    if not isinstance(found, JobRecord):
        raise UsageError("--run chooses among the runs of a job, and a run is named already")
    if run.job_id != job.id:
        raise UsageError(f"run {run.id} is of {run.identity}, not of {job.identity}")
    return run


def _runs(settings: Settings, seen: Reading, job: JobRecord | None) -> list[Run]:
    """The newest runs that may have kept something."""
    from state.records import RunState

    limit = RUNS if settings.server is None else RUNS_OF_SERVER
    states = [state for state in RunState if state not in (RunState.SKIPPED, RunState.BLOCKED, RunState.PENDING)]
    if job is not None:
        return seen.reader.runs(job_id=job.id, states=states, limit=limit)
    return seen.reader.runs(project=settings.project, states=states, limit=limit)


def _beginning(seen: Reading, kept: Kept) -> bytes | None:
    from status.outputs import SNIFFED

    file = seen.files(kept.run).output(kept.file.path)
    if file is None:
        return None
    try:
        return file.read(SNIFFED, 0)
    finally:
        file.close()


def _list(settings: Settings, seen: Reading, runs: list[Run], target: str | None, limit: int) -> None:
    from cli.output import Column, print_items, say
    from status.outputs import kept_of, output_view, type_of
    from status.words.times import relative, size, stamp

    kept: list[Kept] = []
    for run in runs:
        kept += kept_of(run, seen.files(run).outputs())
        if len(kept) > limit:
            break
    more = len(kept) > limit
    kept = kept[:limit]

    def media_type(each: Kept) -> str:
        return type_of(each.file.path, lambda: _beginning(seen, each))

    several = len({each.run.job_id for each in kept}) > 1 or target is None
    columns: list[Column[Kept]] = [
        Column("NAME", lambda each: each.file.path),
        Column("SIZE", lambda each: size(each.file.size), right=True),
        Column("TYPE", media_type, rank=3),
        Column("WRITTEN", lambda each: relative(each.file.modified_at, seen.now), rank=1),
        Column("RUN", lambda each: each.run.id, rank=2),
        Column("STATE", lambda each: each.run.state, rank=4),
        Column("AT", lambda each: stamp(each.file.modified_at), wide=True),
    ]
    if several:
        columns.insert(0, Column("JOB", lambda each: each.run.identity))
    print_items(
        settings,
        kept,
        view=lambda each: output_view(each, media_type(each)),
        name=lambda each: each.file.path,
        columns=columns,
        empty=f"{target} kept no files: a job keeps what it writes below $JOBSCTL_OUTPUT_DIR."
        if target
        else "No run kept a file: a job keeps what it writes below $JOBSCTL_OUTPUT_DIR.",
        more={"more": more},
    )
    if more and settings.output in ("table", "wide"):
        say(f"There are more: `-n {min(limit * 10, 10_000)}` shows more of them.")
