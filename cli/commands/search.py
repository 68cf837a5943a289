"""`jobsctl search`: find jobs by keywords."""

from __future__ import annotations

import sys

import click

from cli.exits import Exit
from cli.options import Settings


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option(
    "-n", "--limit", type=click.IntRange(1, 1000), metavar="N", default=20, help="At most so many. Default: 20."
)
@click.option("-l", "--label", "labels", multiple=True, metavar="SELECTOR", help="Only among these, as `list -l`.")
@click.option("-a", "--all", "everything", is_flag=True, help="Archived jobs too: those no file defines any more.")
@click.pass_obj
def command(settings: Settings, words: tuple[str, ...], limit: int, labels: tuple[str, ...], everything: bool) -> int:
    """Find jobs that have all WORDS: in their name, project, labels, tags, description, annotations or what they run.

    The best hit comes first; a word in the name counts most. A word also finds longer ones that begin with it, accents
    do not matter, and a phrase in quotes is found as it stands. Values of `env` are never searched.

    \b
    Examples:
      jobsctl search backup
      jobsctl search postgres nightly -o name
      jobsctl search '"full backup"'
    """
    from cli.errors import UsageError
    from cli.output import print_items, say
    from cli.reading import reading
    from cli.searching import hit_text
    from cli.selection import nothing_there, suggestion
    from status.search import parse_query

    # A word the shell passes as one argument with blanks in it was quoted for the shell: it is a phrase.
    text = " ".join(f'"{word}"' if " " in word.strip() and '"' not in word else word for word in words)
    if not parse_query(text):
        raise UsageError(f"there is no word to search for in {text!r}", hint="give letters or digits")
    archived = None if everything else False
    empty = ""
    with reading(settings) as seen:
        hits, total = seen.search(text, project=settings.project, labels=labels, archived=archived, limit=limit)
        if not hits:
            there = seen.reader.identities(project=settings.project, labels=labels, archived=archived)
            otherwise = f"No job has {text}; {suggestion(' '.join(words), there)}"
            empty = nothing_there(seen.reader, settings.project, otherwise)
    if hits and settings.output in ("table", "wide"):
        sys.stdout.write("".join(hit_text(settings, hit) for hit in hits))
    else:
        print_items(
            settings,
            hits,
            view=lambda hit: hit.view(),
            name=lambda hit: f"job/{hit.identity}",
            columns=[],
            empty=empty,
            more={"total": total},
        )
    if total > len(hits) and settings.output in ("table", "wide"):
        say(f"There are more: `-n {min(total, 1000)}` shows {f'all {total}' if total <= 1000 else 'more of them'}.")
    return Exit.OK
