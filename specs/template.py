"""Words of a notifier's own: which `{{ name }}` a template may hold, and how they are filled in.

Called by `specs.resources` (is it sound?) and `status.notify.wording`. Nothing but names: a template can neither loop
nor read what it was not given, so the time and size of what it makes are bounded. Pure; needs no pydantic.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

PLACES: Mapping[str, str] = {
    "title": "the title jobsctl would write",
    "body": "the text jobsctl would write",
    "what": "`failure`, `recovery`, `missed`, `still_failing`, `slow`, `skipped`, `success`, `digest` or `several`",
    "job": "`project/name`; of a message about several jobs, how many",
    "project": "the job's project",
    "name": "the job's name",
    "description": "what the job is for",
    "labels": "the job's labels, as `team=data, tier=gold`",
    "run": "the run's id",
    "state": "how the run ended",
    "reason": "why, in words",
    "exit_code": "the program's exit code",
    "since": "when the trouble began",
    "at": "when it happened",
    "output": "the last lines of the run's output",
    "command": "the command that shows more",
    "link": "the page that shows more, where `http.url` is set",
}
"""The names, with what each stands for. What a message does not have is an empty text."""

_PLACE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def wrong_places(template: str) -> Iterator[tuple[tuple[int, int], str, str]]:
    """The characters that stand for nothing, what is wrong with them, and what to write."""
    for found in _PLACE.finditer(template):
        name = found[1].strip()
        if name not in PLACES:
            close = difflib.get_close_matches(name[:64], PLACES, n=1)
            help = f"did you mean `{{{{ {close[0]} }}}}`?" if close else f"known: {', '.join(PLACES)}"
            yield found.span(), f"`{found[0][:60]}` stands for nothing", help


def fill(template: str, values: Mapping[str, str], *, longest: int) -> str:
    """The text with every place filled in, at most `longest` characters.

    What is put in is not looked at again: a value that holds `{{ body }}` stays as it is.
    """
    return _PLACE.sub(lambda found: values.get(found[1].strip(), ""), template)[:longest]
