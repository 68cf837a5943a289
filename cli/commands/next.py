"""`jobsctl next`: the coming instants of a job, or of an expression nobody has written down yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.errors import InvalidFiles, UsageError
from cli.exits import Exit
from cli.options import Instant, Settings

if TYPE_CHECKING:
    from specs.expression import ScheduleError
    from specs.schedule import Schedule


@click.command("next")
@click.argument("job", required=False)
@click.option("--schedule", metavar="EXPR", help="An expression instead of a job's: cron, `every 2h`, plain words.")
@click.option("--timezone", metavar="ZONE", help="Zone of EXPR and of the times shown. Default: the job's, the home's.")
@click.option("--after", type=Instant(), help="Instants after this one. Default: now.")
@click.option("-n", "--number", type=click.IntRange(1, 10_000), default=5, show_default=True, help="How many.")
@click.pass_obj
def command(
    settings: Settings, job: str | None, schedule: str | None, timezone: str | None, after: int | None, number: int
) -> int:
    """Show when a job, or any schedule, is due next.

    With both JOB and --schedule: as if that job had this schedule (`H` depends on the job's name).

    \b
    Examples:
      jobsctl next nightly-report
      jobsctl next --schedule "30 4 * * MON-FRI" --timezone Europe/Berlin
      jobsctl next --schedule "weekdays at 9:30am" -n 10 -o json
    """
    from specs.zones import find_zone

    start = settings.now() if after is None else after
    if schedule is not None:
        zone = timezone or _home_timezone(settings)
        _check_zone(timezone)
        compiled, anchor = _compile(settings, schedule, zone, job), start
    elif job is not None:
        _check_zone(timezone)
        compiled, anchor = _of_job(settings, job)
        zone = timezone or compiled.timezone
    else:
        raise UsageError("nothing to look at", hint="name a job, or give an expression with --schedule")
    instants: list[int] = []
    while len(instants) < number:
        coming = compiled.next_after(instants[-1] if instants else start, anchor=anchor)
        if coming is None:
            break
        instants.append(coming)
    _show(settings, compiled, instants, find_zone(zone).name)
    return Exit.OK


def _home_timezone(settings: Settings) -> str:
    """Of the home we are in; an expression can be asked about anywhere, so no home means the default."""
    from specs.config import load_config

    return load_config(settings.home.root).timezone


def _check_zone(name: str | None) -> None:
    from specs.expression import ScheduleError
    from specs.zones import find_zone

    if name is not None:
        try:
            find_zone(name)
        except ScheduleError as error:
            raise UsageError(f"--timezone: {error.message}", hint=error.help) from None


def _compile(settings: Settings, text: str, zone: str, job: str | None) -> Schedule:
    from cli.output import say
    from specs.cron import has_hash
    from specs.expression import ScheduleError
    from specs.model import Dst
    from specs.schedule import parse_schedule

    identity = job or "example"
    if "/" not in identity:
        identity = f"{settings.project or 'default'}/{identity}"
    try:
        compiled = parse_schedule(text, timezone=zone, dst=Dst(), identity=identity)
    except ScheduleError as error:
        raise InvalidFiles(_with_caret(error, text), hint=error.help) from None
    for warning in compiled.warnings:
        say(f"warning: {warning.message}" + (f"; {warning.help}" if warning.help else ""))
    if job is None and compiled.kind == "cron" and has_hash(text):
        say(f"note: H differs from job to job; this is for {identity}. Name yours: `jobsctl next JOB --schedule ...`")
    return compiled


def _of_job(settings: Settings, name: str) -> tuple[Schedule, int]:
    """The schedule of a job as it was last applied, and its anchor."""
    from cli.output import say
    from cli.reading import reading
    from cli.selection import find_job
    from specs.expression import ScheduleError
    from specs.model import Job
    from specs.schedule import compile_schedule

    with reading(settings) as seen:
        record = find_job(settings, seen.reader, name)
        spec = Job.from_canonical(record.spec)
        if record.archived_at is not None:
            say(f"note: {record.identity} is archived: it does not run")
        elif record.suspended_at is not None or spec.suspend_reason() is not None:
            say(f"note: {record.identity} is suspended: these slots are skipped until it is resumed")
        try:
            return compile_schedule(spec, default_timezone=seen.config.timezone), record.anchor_at
        except ScheduleError as error:
            raise InvalidFiles(f"{record.identity}: {error.message}", hint=error.help) from None


def _with_caret(error: ScheduleError, text: str) -> str:
    if error.start is None or error.end is None or not text.isprintable():
        return error.message
    return f"{error.message}\n  {text}\n  {' ' * error.start}{'^' * max(1, error.end - error.start)}"


def _show(settings: Settings, schedule: Schedule, instants: list[int], zone: str) -> None:
    from cli.output import Column, print_lines, print_table, say, to_json, to_yaml
    from cli.times import relative
    from specs.zones import find_zone, rfc3339

    def local(at: int) -> str:
        return find_zone(zone).local(at).strftime("%a %Y-%m-%d %H:%M:%S %Z")

    items = [rfc3339(at) for at in instants]
    match settings.output:
        case "json":
            click.echo(to_json({"items": items}))
        case "yaml":
            click.echo(to_yaml({"items": items}), nl=False)
        case "jsonl" | "name":
            for item in items:
                click.echo(to_json(item) if settings.output == "jsonl" else item)
        case _:
            print_lines(settings, [schedule.words])
            if not instants:
                say("Nothing is to come.")
                return
            columns = [
                Column("LOCAL", local),
                Column("UTC", rfc3339),
                Column("IN", lambda at: relative(at, settings.now())),
            ]
            print_table(settings, instants, columns)
