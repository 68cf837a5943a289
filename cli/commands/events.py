"""`jobsctl events`: what happened, in the order it happened."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Instant, Settings

if TYPE_CHECKING:
    from cli.reading import Reading
    from state.records import Event, JobRecord, Run

TYPES = ("Normal", "Warning")
SHOWN = 100
FOLLOWED = 10


@click.command("events")
@click.argument("target", required=False, metavar="[JOB|RUN]")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens; of a RUN until it is over.")
@click.option(
    "--type", "types", multiple=True, type=click.Choice(TYPES, case_sensitive=False), help="Only of this type."
)
@click.option("--warnings", is_flag=True, help="The same as --type warning.")
@click.option(
    "--reason", "reasons", multiple=True, metavar="WORD", help="Only with this reason, like exit_code or suspended."
)
@click.option("--since", type=Instant(), metavar="TIME", help="At or after: RFC 3339, or 2h for 2 h ago.")
@click.option("--until", type=Instant(), metavar="TIME", help="Before.")
@click.option("-l", "--label", "labels", multiple=True, metavar="SELECTOR", help="Only of jobs with this label.")
@click.option("-n", "--limit", type=click.IntRange(0, 10_000), metavar="N",
              help="The newest so many. Default: 100; before following, 10.")  # fmt: skip
@click.option("--after", type=click.IntRange(0), metavar="ID", help="The ones after this event, oldest first.")
@click.option("--before", type=click.IntRange(1), metavar="ID", help="The ones before this event.")
@click.pass_obj
def command(
    settings: Settings,
    target: str | None,
    follow: bool,
    types: tuple[str, ...],
    warnings: bool,
    reasons: tuple[str, ...],
    since: int | None,
    until: int | None,
    labels: tuple[str, ...],
    limit: int | None,
    after: int | None,
    before: int | None,
) -> int:
    """List what happened to JOB (with its runs) or to RUN; without either, to all. Oldest first.

    With --follow each event is printed when it happens, also through a restart of the daemon, until Ctrl-C; -o json is
    then a line per event.

    \b
    Examples:
      jobsctl events
      jobsctl events report --warnings --since 1d
      jobsctl events -f -l team=data
      jobsctl events -f --reason exit_code -o jsonl
    """
    from cli.reading import reading
    from cli.selection import find_target, nothing_there
    from state.records import JobRecord, Run

    _check(follow=follow, limit=limit, since=since, until=until, after=after, before=before)
    if target is not None and labels:
        raise UsageError("--label chooses among jobs, and one is named already")
    wanted = {each.capitalize() for each in types} | ({"Warning"} if warnings else set())
    while True:
        with reading(settings) as seen:
            found = find_target(settings, seen.reader, target) if target else None
            run_id = found.id if isinstance(found, Run) else None
            ask = partial(
                seen.reader.events,
                job_id=found.id if isinstance(found, JobRecord) else None,
                run_id=run_id,
                project=settings.project if found is None else None,
                labels=labels,
                types=wanted or None,
                reasons=reasons or None,
                since=since,
                until=until,
            )
            if not follow:
                chosen = bool(wanted or reasons or labels or since or until or after or before)
                empty = "No event fits." if chosen else f"No events of {target}." if target else "No events yet."
                empty = nothing_there(seen.reader, settings.project, empty)
                _print_page(
                    settings,
                    seen,
                    ask,
                    after,
                    before,
                    SHOWN if limit is None else limit,
                    empty,
                    of_one=found is not None,
                )
                return Exit.OK
            # Another database may have taken the place of the one that was followed: then `after` is set.
            params = [("type", each) for each in sorted(wanted)] + [("reason", each) for each in reasons]
            params += [("label", each) for each in labels]
            stream = _stream_of(found, settings.project, params)
            after = _follow(settings, seen, ask, after, FOLLOWED if limit is None else limit, run_id, stream)
            if after is None:
                return Exit.OK


def _check(
    *, follow: bool, limit: int | None, since: int | None, until: int | None, after: int | None, before: int | None
) -> None:
    if after is not None and before is not None and after >= before:
        raise UsageError("--after is not below --before: no event can fit")
    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until: no event can fit")
    if follow and (before is not None or until is not None):
        raise UsageError("--follow goes on, so it has no --before and no --until")
    if limit == 0 and not follow:
        raise UsageError("-n 0 shows nothing", hint="with --follow it shows only what happens from now on")


def _print_page(
    settings: Settings,
    seen: Reading,
    ask: Callable[..., list[Event]],
    after: int | None,
    before: int | None,
    limit: int,
    empty: str,
    *,
    of_one: bool,
) -> None:
    from cli.output import print_items, say
    from cli.tables import event_columns
    from status.views import event_view

    events = ask(after=after or 0, before=before, limit=limit + 1, order="desc" if after is None else "asc")
    more, events = len(events) > limit, events[:limit]
    if after is None:
        events.reverse()
    identity_of = _identities(seen)
    print_items(
        settings,
        events,
        view=lambda event: event_view(event, identity=identity_of(event.job_id)),
        name=lambda event: f"event/{event.id}",
        columns=event_columns(lambda job_id: identity_of(job_id) or "-", of_one=of_one),
        empty=empty,
        more={"next": events[-1].id if events else after},
    )
    if more and settings.output in ("table", "wide"):
        what = f"--before {events[0].id}" if after is None else f"--after {events[-1].id}"
        say(f"There are more: `{what}` shows {'older' if after is None else 'newer'} ones.")


def _follow(
    settings: Settings,
    seen: Reading,
    ask: Callable[..., list[Event]],
    after: int | None,
    limit: int,
    run_id: str | None,
    stream: tuple[str, list[tuple[str, str]]],
) -> int | None:
    from cli.eventtail import PAGE, Clock, EventWriter, follow
    from cli.output import say
    from status.views import event_view

    identity_of = _identities(seen)
    writer = EventWriter(
        settings,
        view=lambda event: event_view(event, identity=identity_of(event.job_id)),
        identity_of=lambda job_id: identity_of(job_id) or "-",
    )
    newest = seen.reader.events(limit=1, order="desc")
    last = newest[0].id or 0 if newest else 0
    if after is not None:
        last = min(after, last)  # of a restored database the newest may be older
    elif limit:
        events = ask(limit=limit, order="desc", before=last + 1)
        writer.write(events[::-1])
    if not seen.alive:
        say("The daemon is not running: nothing happens until it is started.")

    def newer(last: int) -> list[Event]:
        return ask(after=last, limit=PAGE)

    if settings.server is None:
        return follow(seen, newer, writer, last, run_id=run_id, pause=Clock())
    from cli.remote.house import stream_of

    with stream_of(seen, *stream, last=last) as told:
        return follow(seen, newer, writer, last, run_id=run_id, pause=told)


def _stream_of(
    found: JobRecord | Run | None, project: str | None, chosen: list[tuple[str, str]]
) -> tuple[str, list[tuple[str, str]]]:
    """Where the server tells when there is something to ask for, and with which parameters."""
    from state.records import JobRecord

    if found is None:
        return "/api/v1/events", [*chosen, *([("project", project)] if project else [])]
    if isinstance(found, JobRecord):
        return f"/api/v1/jobs/{found.identity}/events", chosen
    return f"/api/v1/runs/{found.id}/events", []  # its end is to be heard of, whatever was chosen


def _identities(seen: Reading) -> Callable[[int | None], str | None]:
    """The job of an event; asked once for each."""

    @cache
    def identity_of(job_id: int | None) -> str | None:
        job = None if job_id is None else seen.reader.job_by_id(job_id)
        return job.identity if job else None

    return identity_of
