"""The lines of a crontab: comments, variables, and entries cut into time, user and command. Called by `reader`.

Source: `env.c` and `entry.c` of Debian's cron 3.0pl1-162. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cli.importing.crontab.fields import NAMES, WORDS, BadField, Fields, read_fields
from cli.importing.imported import SourceText, unreadable
from specs.diagnostic import Diagnostic

LONGEST_COMMAND = 998
"""Bytes: Debian's cron refuses a crontab with a longer command (MAX_COMMAND)."""
_VARIABLE = re.compile(r"\s*(?:\"([^\"=]*)\"|'([^'=]*)'|([^\s='\"][^\s=]*))\s*=\s*(.*)")
_OLD_TIME = re.compile(
    r"#+\s*-?(?:@[a-z]+|(?:[0-9*][-0-9*/,~A-Za-z]*[ \t]+){2}(?:[0-9*][-0-9*/,A-Za-z]*[ \t]+){3})\s*\S"
)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment line, without `#`."""

    line: int
    text: str
    old_entry: bool
    """It looks like a line that somebody switched off."""


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty line."""

    line: int


@dataclass(frozen=True, slots=True)
class Variable:
    """`NAME=value`, without quotes. Cron replaces nothing in it: `$PATH` is five characters."""

    line: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A time and a command."""

    line: int
    time: str
    """As written, blanks made single: `*/5 * * * *`, `@daily`."""
    fields: Fields | None
    """None: `@reboot`, or a time that cron draws (`drawn`)."""
    user: str | None
    command: str
    """Up to the end of the line, `%` and all."""
    silent: bool = False
    """cronie's `-` before the time: not logged."""
    drawn: bool = False
    """cronie's `~`: a number of the range is drawn whenever the crontab is loaded."""


Line = Comment | Blank | Variable | EntryLine | Diagnostic


def read_lines(source: SourceText, *, system: bool) -> Iterator[Line]:
    """The lines in their order; a `Diagnostic` for one that cron would refuse.

    Args:
        system: entries name a user before the command.
    """
    for number, text in enumerate(source.text.split("\n"), 1):
        yield _line(source, number, text.rstrip("\r"), system)


def _line(source: SourceText, number: int, text: str, system: bool) -> Line:
    stripped = text.strip(" \t")
    if not stripped:
        return Blank(number)
    if stripped.startswith("#"):
        return Comment(number, stripped.lstrip("#").strip(), _OLD_TIME.match(stripped) is not None)
    variable = _variable(number, text)
    return variable if variable is not None else _entry(source, number, text, system)


def _variable(number: int, text: str) -> Variable | None:
    found = _VARIABLE.fullmatch(text)
    if found is None:
        return None
    value = found[4]
    quote = value[:1]
    if quote in ("'", '"'):
        inner, closing, rest = value[1:].partition(quote)
        if not closing or rest.strip():
            return None
        value = inner
    else:
        value = value.rstrip()
    return Variable(number, found[1] or found[2] or found[3] or "", value)


def _entry(source: SourceText, number: int, text: str, system: bool) -> EntryLine | Diagnostic:
    words = [(found[0], found.start()) for found in re.finditer(r"[^ \t]+", text)]

    def refused(index: int, message: str, help: str | None = None) -> Diagnostic:
        word, start = words[min(index, len(words) - 1)]
        return unreadable(source, number, start + 1, message, help=help, end=start + len(word) + 1)

    silent = words[0][0].startswith("-")
    if silent:
        words[0] = (words[0][0][1:], words[0][1] + 1)
    count = 1 if words[0][0].startswith("@") else 5
    if len(words) <= count + system:
        missing = "a user and a command" if system and len(words) <= count else "a command"
        if count == 5 and len(words) < 5:
            return refused(0, "this is neither a variable nor five time fields and a command", _anacron(source))
        return refused(len(words) - 1, f"{missing} should follow the time", _user_column(system))
    time = " ".join(word for word, _ in words[:count])
    fields: Fields | None = None
    drawn = "~" in time
    if count == 1:
        name = time[1:]
        if name not in WORDS and name != "reboot":
            return refused(
                0, f"cron has no `{time}`", "it knows @reboot, @yearly, @monthly, @weekly, @daily and @hourly"
            )
        if name != "reboot":
            fields = read_fields(tuple(WORDS[name].split()))
    elif not drawn:
        try:
            fields = read_fields(tuple(time.split(" ")))
        except BadField as error:
            return refused(error.index, f"{NAMES[error.index]}: {error}", _advice(words, error.index))
    user = words[count][0] if system else None
    command = text[words[count + system][1] :]
    if command.startswith("*") or (command[:1] == "?" and count == 5):
        return refused(
            count + system,
            "a command cannot begin with this: are there six time fields?",
            "cron has five, without seconds and years",
        )
    if len(command.encode()) > LONGEST_COMMAND:
        return refused(count + system, f"the command has more than {LONGEST_COMMAND} bytes: Debian's cron refuses it")
    return EntryLine(number, time, fields, user, command, silent, drawn)


def _anacron(source: SourceText) -> str | None:
    if "anacrontab" in source.path:
        return "an anacrontab has another form: write its jobs as `daily at ...`; jobsctl catches up what was missed"
    return "is it the rest of a longer line? cron has no continuation lines"


def _user_column(system: bool) -> str | None:
    return "with --system the user stands before the command" if system else None


def _advice(words: list[tuple[str, int]], index: int) -> str | None:
    text = words[index][0]
    if re.search(r"[?LW#]", text):
        return "`?`, `L`, `W` and `#` are Quartz's, not cron's"
    if text.startswith("H"):
        return "`H` is Jenkins', not cron's; it can stay as it is in a job file"
    if re.fullmatch(r"[0-9]+/[0-9]+", text):
        return (
            f"cronie and Quartz may read it as {text.split('/')[0]}-{(59, 23, 31, 12, 7)[index]}/{text.split('/')[1]}"
        )
    return None
