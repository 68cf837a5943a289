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
    from status.upcoming import Upcoming


@click.command("next")
@click.argument("job", required=False)
@click.option("--schedule", metavar="EXPR", help="An expression instead of a job's: cron, `every 2h`, plain words.")
@click.option("--timezone", metavar="ZONE", help="Zone of EXPR and of the times shown. Default: the job's, the home's.")
@click.option("--after", type=Instant(), metavar="TIME", help="Instants after this one. Default: now.")
@click.option(
    "-n",
    "--limit",
    "--number",
    "number",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=5,
    help="So many. Default: 5.",
)
@click.pass_obj
def command(
    settings: Settings, job: str | None, schedule: str | None, timezone: str | None, after: int | None, number: int
) -> int:
    """Show when a job, or any schedule, is due next.

    With both JOB and --schedule: as if that job had this schedule (`H` depends on the job's name). A job is shown as it
    was applied, with its jitter, horizon and calendars; slots that a calendar drops are left out.

    \b
    Examples:
      jobsctl next nightly-report
      jobsctl next --schedule "30 4 * * MON-FRI" --timezone Europe/Berlin
      jobsctl next --schedule "weekdays at 9:30am" -n 10 -o json
    """
    from specs.zones import find_zone
    from status.upcoming import Upcoming

    start = settings.now() if after is None else after
    if schedule is not None:
        zone = timezone or _home_timezone(settings)
        _check_zone(timezone)
        identity = _identity(settings, job)
        found = Upcoming.of_expression(
            _compile(schedule, zone, identity, named=job is not None), identity, start, number
        )
    elif job is not None:
        _check_zone(timezone)
        found = _of_job(settings, job, after, number)
        zone = timezone or found.schedule.timezone
    else:
        raise UsageError("nothing to look at", hint="name a job, or give an expression with --schedule")
    _show(settings, found, find_zone(zone).name)
    return Exit.OK


def _home_timezone(settings: Settings) -> str:
    """Of the home we are in; an expression can be asked about anywhere, so no home means the default."""
    if settings.server is not None:
        from cli.reading import reading

        with reading(settings) as seen:
            return seen.config.timezone
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


def _identity(settings: Settings, job: str | None) -> str:
    identity = job or "example"
    return identity if "/" in identity else f"{settings.project or 'default'}/{identity}"


def _compile(text: str, zone: str, identity: str, *, named: bool) -> Schedule:
    from cli.output import say
    from specs.cron import has_hash
    from specs.expression import ScheduleError
    from specs.schedule import parse_schedule
    from specs.stored import StoredDst

    try:
        compiled = parse_schedule(text, timezone=zone, dst=StoredDst(), identity=identity)
    except ScheduleError as error:
        raise InvalidFiles(_with_caret(error, text), hint=error.help) from None
    for warning in compiled.warnings:
        say(f"warning: {warning.message}" + (f"; {warning.help}" if warning.help else ""))
    if not named and compiled.kind == "cron" and has_hash(text):
        say(f"note: H differs from job to job; this is for {identity}. Name yours: `jobsctl next JOB --schedule ...`")
    return compiled


def _of_job(settings: Settings, name: str, after: int | None, number: int) -> Upcoming:
    """Of a job as it was last applied."""
    from cli.output import say
    from cli.reading import reading
    from cli.selection import find_job
    from specs.expression import ScheduleError
    from status.deadline import read_spec
    from status.upcoming import Upcoming

    with reading(settings) as seen:
        record = find_job(settings, seen.reader, name)
        if record.archived_at is not None:
            say(f"note: {record.identity} is archived: it does not run")
        elif record.suspended_at is not None or read_spec(record.spec).suspend_reason() is not None:
            say(f"note: {record.identity} is suspended: these slots are skipped until it is resumed")
        try:
            return Upcoming.of_job(seen, record, after, number)
        except ScheduleError as error:
            raise InvalidFiles(f"{record.identity}: {error.message}", hint=error.help) from None


def _with_caret(error: ScheduleError, text: str) -> str:
    if error.start is None or error.end is None or not text.isprintable():
        return error.message
    return f"{error.message}\n  {text}\n  {' ' * error.start}{'^' * max(1, error.end - error.start)}"


def _show(settings: Settings, found: Upcoming, zone: str) -> None:
    from cli.output import Column, print_lines, print_table, say, to_json, to_yaml
    from specs.zones import find_zone, rfc3339
    from status.words.times import relative

    def local(at: int) -> str:
        return find_zone(zone).local(at).strftime("%a %Y-%m-%d %H:%M:%S %Z")

    later = any(start != slot for slot, start in found.slots)
    items = [rfc3339(slot) for slot, _ in found.slots]
    tree = {"items": items} | ({"starts": [rfc3339(start) for _, start in found.slots]} if later else {})
    for note in found.notes:
        say(f"note: {note}")
    match settings.output:
        case "json":
            click.echo(to_json(tree))
        case "yaml":
            click.echo(to_yaml(tree), nl=False)
        case "jsonl" | "name":
            for item in items:
                click.echo(to_json(item) if settings.output == "jsonl" else item)
        case _:
            if settings.headers:
                print_lines(settings, [found.words])
            if not items:
                if not found.notes:
                    say("Nothing is to come.")
                return
            columns: list[Column[tuple[int, int]]] = [
                Column("LOCAL", lambda each: local(each[0])),
                Column("UTC", lambda each: rfc3339(each[0])),
                Column("STARTS", lambda each: local(each[1])),
                Column("IN", lambda each: relative(each[1], settings.now())),
            ]
            if not later:
                del columns[2]
            print_table(settings, found.slots, columns)
