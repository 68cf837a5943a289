"""`jobsctl explain`: a field, the code of a finding, or a reason, in words."""

from __future__ import annotations

import click

from cli.errors import NotFound
from cli.exits import Exit
from cli.options import Settings
from cli.output import print_items, print_lines


@click.command("explain")
@click.argument("topic", required=False)
@click.pass_obj
def command(settings: Settings, topic: str | None) -> int:
    """Explain TOPIC: a field (`job.retry.backoff`), the code of a finding (`JOB012`), or a reason (`overlap`).

    A field of a job needs no `job.`, and a name that only one field has no path at all (`memory`). Without TOPIC: the
    documents there are. `codes` and `reasons` list all of them. Needs no home. As data, each is an object with its
    `kind` (`field`, `code` or `reason`) and `name`.

    \b
    Examples:
      jobsctl explain job
      jobsctl explain retry.backoff
      jobsctl explain config.http
      jobsctl explain JOB012
      jobsctl explain reasons
    """
    from cli import explaining

    topics = explaining.topics(topic)
    if not topics:
        assert topic is not None
        raise NotFound(f"there is no field, code or reason {topic!r}", hint=explaining.hint(topic))
    now = settings.now()
    if settings.output in ("table", "wide"):
        print_lines(settings, explaining.lines(topics, overview=topic is None, now=now))
    else:
        print_items(
            settings,
            topics,
            view=lambda each: explaining.view(each, now),
            name=lambda each: each.name,
            columns=(),
            empty="",
        )
    return Exit.OK
