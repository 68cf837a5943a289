"""How a hit of `jobsctl search` looks to people: the job, and under it the text that matched, with the match marked."""

from __future__ import annotations

import click

from cli.options import Settings
from cli.output import wants_color
from cli.terminal import one_line
from status.search import Hit, Snippet


def hit_text(settings: Settings, hit: Hit) -> str:
    """Two lines, or one where the job has no text to show. Matches are bold in colour, else between `**`."""
    color, wide = wants_color(settings), settings.output == "wide"
    head = one_line(hit.identity)
    head = click.style(head, fg="cyan") if color else head
    head += f"  {hit.score:.3f}" if wide else ""
    if not hit.snippet.text:
        return f"{head}\n"
    field = f"{hit.snippet.field}: " if hit.snippet.matches else ""
    return f"{head}\n    {field}{_marked(hit.snippet, color=color)}\n"


def _marked(snippet: Snippet, *, color: bool) -> str:
    parts, end = [], 0
    for first, last in snippet.matches:
        match = one_line(snippet.text[first:last])
        parts += [one_line(snippet.text[end:first]), click.style(match, bold=True) if color else f"**{match}**"]
        end = last
    return "".join([*parts, one_line(snippet.text[end:])])
