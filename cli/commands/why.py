"""`jobsctl why`: what happened, or will happen, at a slot of a job, and by which rule."""

from __future__ import annotations

import click

from cli.errors import UsageError
from cli.exits import Exit
from cli.options import Settings


@click.command("why")
@click.argument("job")
@click.option(
    "--at",
    "at",
    metavar="TIME",
    help="The slot asked about: RFC 3339, `09:00`, `yesterday 09:00`, `-2h`; without offset in the job's timezone.",
)
@click.pass_obj
def command(settings: Settings, job: str, at: str | None) -> int:
    """Tell why JOB ran or did not run: its last slot, what it waits for now, and its next slot. With --at: that slot.

    Says which rule decided, which generation and revision of the spec, which run; for what is to come, when it starts
    and what would keep it from starting. `09:00` means the slot in that minute; `-2h` the last slot until then.
    Ends with 0 when there is an answer, 4 when there is no such job, or no slot at that time.

    \b
    Examples:
      jobsctl why report
      jobsctl why report --at "yesterday 09:00"
      jobsctl why report --at -2h
      jobsctl why report --at 2026-11-21T09:00:00+01:00 -o json
    """
    from cli.output import print_one
    from cli.reading import reading
    from cli.selection import find_job
    from cli.whylines import story_lines
    from status.why.compose import at_slot, at_start, no_slot, overview
    from status.why.facts import facts_of, find_slot, last_slot, slot_facts, started_then
    from status.why.moment import UnknownMoment, read_moment

    with reading(settings) as seen:
        record = find_job(settings, seen.reader, job)
        facts = facts_of(seen, record)
        code = Exit.OK
        if at is None:
            story = overview(facts, last_slot(seen, facts))
        else:
            try:
                moment = read_moment(at, now=seen.now, zone=facts.local.zone)
            except UnknownMoment as error:
                raise UsageError(f"--at: {error}") from None
            slot = find_slot(seen, facts, moment)
            if slot is None and (started := started_then(seen, facts, moment)) is not None:
                story = at_start(facts, started, moment)
            elif slot is None:
                story, code = no_slot(facts, moment), Exit.NOT_FOUND
            else:
                story = at_slot(facts, slot_facts(seen, facts, slot), moment)
        print_one(settings, story.view(), name=f"job/{record.identity}", text=story_lines(story, seen.now))
    return code
