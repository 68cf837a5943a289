"""What click says of a wrong command line, in our own words: as other errors, and as one would say it aloud.

Called by `cli.main` when there is such an error. A message of click that is not known here is passed on as it is, but
for the capital and the full stop, which our messages do not have. Imports nothing of the rooms below.
"""

from __future__ import annotations

import re

import click

_SAYS = (
    (re.compile(r"Invalid value for (?P<what>[^:]+): (?P<why>.*)"), "{what}: {why}"),
    (re.compile(r"Missing (?:argument|option|parameter) (?P<what>'[^']*'(?: / '[^']*')*)\.?\s*(?P<why>.*)"),
     "{what} is missing; {why}"),
    (re.compile(r"Option (?P<what>'[^']*') requires an argument(?P<why>)"), "{what} needs a value"),
    (re.compile(r"Option (?P<what>'[^']*') does not take a value(?P<why>)"), "{what} takes no value"),
    (re.compile(r"Got unexpected extra arguments? \((?P<what>.*)\)(?P<why>)"), "too many words: {what}"),
)  # fmt: skip
_BOUNDS = (
    (re.compile(r"(-?\d+)<=x<=(-?\d+)"), r"\1 to \2"),
    (re.compile(r"is not in the range x>=(-?\d+)"), r"is less than \1"),
    (re.compile(r"is not in the range x<=(-?\d+)"), r"is more than \1"),
)
_KINDS = {"valid integer range": "whole number", "valid integer": "whole number", "valid float": "number"}


def explained(error: click.UsageError, where: str) -> tuple[str, str]:
    """The message, and a hint. `where`: the command, as typed."""
    if isinstance(error, click.NoSuchOption):
        close = (error.possibilities or ())[:2]
        hint = f"did you mean {' or '.join(close)}?" if close else f"`{where} --help` lists its options"
        return f"{where.removeprefix('jobsctl ')} has no option {error.option_name}", hint
    # click puts each choice of a missing argument on a line of its own, behind a tab.
    message = " ".join(error.format_message().split())
    return in_our_words(message), f"`{where} --help` shows how it is used"


def in_our_words(message: str) -> str:
    """One line for people.

    >>> in_our_words("Invalid value for '-n' / '--limit': 0 is not in the range 1<=x<=10000.")
    '--limit: 0 is not in the range 1 to 10000'
    """
    text = message.strip().removesuffix(".")
    for pattern, form in _SAYS:
        if (found := pattern.fullmatch(text)) is not None:
            text = form.format(what=_name(found["what"]), why=_lowered(found["why"] or "")).removesuffix("; ")
            break
    for bound, words in _BOUNDS:
        text = bound.sub(words, text)
    for kind, words in _KINDS.items():
        text = text.replace(f"is not a {kind}", f"is not a {words}")
    return _lowered(text)


def _name(quoted: str) -> str:
    """`--limit` for `'-n' / '--limit' / '--number'`: the first of the long names."""
    names = [part.strip().strip("'") for part in quoted.split(" / ")]
    return next((name for name in names if name.startswith("--")), names[0])


def _lowered(text: str) -> str:
    first = text.split(" ", 1)[0]
    return text if first.isupper() or "'" in first else text[:1].lower() + text[1:]
