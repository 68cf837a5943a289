"""`jobsctl timers`: what starts next, as `systemctl list-timers`."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, watchable


@click.command("timers")
@click.option(
    "-l", "--label", "labels", multiple=True, metavar="SELECTOR", help="As kubectl: team=ops, team!=ops, team, !team."
)
@click.option("-a", "--all", "everything", is_flag=True, help="Jobs without a schedule too: manual ones, and chains.")
@click.option(
    "-n", "--limit", type=click.IntRange(1, 10_000), metavar="N", default=50, help="The next so many. Default: 50."
)
@watchable
@click.pass_obj
def command(settings: Settings, labels: tuple[str, ...], everything: bool, limit: int) -> int:
    """List jobs by their next start, the soonest first.

    NEXT is when the job starts: its jitter and calendars are reckoned in. Jobs that start nothing by themselves now
    (suspended, complete, waiting for another run) stand at the end, with the reason.

    \b
    Examples:
      jobsctl timers
      jobsctl timers -l team=data -n 20
      jobsctl timers --all -o wide
      jobsctl timers -o json
    """
    from cli.output import Column, print_items, say
    from cli.reading import reading
    from cli.selection import nothing_there
    from status.phase import Phase, phase_of
    from status.timers import Timer, timer_of, timer_view
    from status.words.times import relative, stamp

    with reading(settings) as seen:
        jobs = seen.reader.timetable(project=settings.project, labels=labels, scheduled=not everything, limit=limit + 1)
        more = len(jobs) > limit
        jobs = jobs[:limit]
        seen.fetch_last_runs(job for job in jobs if phase_of(job) is Phase.BLOCKED)
        timers = [timer_of(job, seen.last_run(job) if phase_of(job) is Phase.BLOCKED else None) for job in jobs]
        columns: list[Column[Timer]] = [
            Column("NEXT", lambda timer: stamp(timer.next_at), rank=3),
            Column("LEFT", lambda timer: relative(timer.next_at, seen.now)),
            Column("LAST", lambda timer: stamp(timer.record.last_started_at), rank=5),
            Column("PASSED", lambda timer: relative(timer.record.last_started_at, seen.now), rank=2),
            Column("JOB", lambda timer: timer.record.identity),
            Column("SCHEDULE", lambda timer: seen.words(timer.record), rank=4),
            Column("NOTE", lambda timer: timer.note, rank=1),
        ]
        if not any(timer.note for timer in timers):
            columns.pop()
        timers.sort(key=lambda timer: timer.next_at is None)
        print_items(
            settings,
            timers,
            view=lambda timer: timer_view(timer, seen.words(timer.record)),
            name=lambda timer: f"job/{timer.record.identity}",
            columns=columns,
            empty=nothing_there(
                seen.reader,
                settings.project,
                "No job fits." if labels or settings.project else "No job has a schedule; `jobsctl list` shows all.",
            ),
            more={"more": more},
        )
        if settings.output in ("table", "wide"):
            if more:
                say(f"There are more: `-n {min(limit * 10, 10_000)}` shows more of them.")
            if timers and not seen.alive:
                say("The daemon is not running: nothing starts. Start it with `jobsctl daemon`.")
    return Exit.OK
