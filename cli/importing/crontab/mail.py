"""Whom cron mails what jobs print, as whom jobsctl tells how they end. Called by `reader` and `entry`. Pure.

Source: do_command.c and env.c of Debian's cron 3.0pl1-162 (`MAILTO`, `CONTENT_TYPE`, `safe_p`), and of cronie 1.7
(`MAILFROM`). Cron hands a mail to sendmail when a job has printed something, however it ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cli.importing.crontab.lines import Variable
from cli.importing.imported import Level, Note, Origin
from cli.importing.naming import Names
from cli.importing.notifiers import SENDER, TRY, Mail, Notifiers, address

Say = Callable[..., None]
"""`say(level, variable, why, hint)`: a note where the variable stands."""
VARIABLES = frozenset(("MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"))


@dataclass
class Mails:
    """Those of one crontab."""

    path: str
    names: Names
    notes: list[Note] = field(default_factory=list)
    """About the file: entries that no MAILTO stands above."""

    def __post_init__(self) -> None:
        self.notifiers = Notifiers(self.names)

    def told(self, variables: Mapping[str, Variable], line: int) -> tuple[str | None, list[Note]]:
        """The notifier of an entry at `line`, None for nobody, and what its reader should know.

        `variables`: those above the entry.
        """
        notes: list[Note] = []
        to = variables.get("MAILTO")
        if to is None:
            self._nobody(line)
            return None, notes

        def note(level: Level, what: str, why: str, hint: str | None = None) -> None:
            notes.append(Note(level, what, why, Origin(self.path, variables[what].line), hint))

        people = self._people(to, note)
        if not people:
            return None, notes
        sender = self._sender(variables.get("MAILFROM"), note)
        kind = variables.get("CONTENT_TYPE")
        if kind is not None and kind.value.partition(";")[0].strip().lower() not in ("", "text/plain"):
            note("lost", "CONTENT_TYPE", f"{kind.value}: jobsctl mails plain text, with the last lines of the output")
        mail = Mail(people, sender)
        name = self.notifiers.name_of(mail)
        note(
            "changed",
            "MAILTO",
            "a `Notifier` hears of a job that fails, and that it works again; cron mails what a job prints, however it "
            "ended",
            "add `success` to its `on` to hear of each run, `missed` of one that should have been",
        )
        note(
            "changed",
            "MAILTO",
            f"cron hands mails to sendmail; a `Notifier` speaks to a mail server: one must listen on {mail.server}",
            f"it needs jobsctl[notify]; `{TRY.format('NAME')}` tries it",
        )
        return name, notes

    def _people(self, variable: Variable, note: Say) -> tuple[str, ...]:
        people: dict[str, None] = {}
        for word in re.split(r"[,\s]+", variable.value.strip(", \t")):
            known = address(word)
            if known is not None:
                people[known] = None
                if known != word:
                    note("info", "MAILTO", f"{word} is a mailbox of cron's machine: written as {known}, the daemon's")
            elif word:
                note("lost", "MAILTO", f"{word!r} is no mail address: nobody is told there")
        return tuple(people)

    def _sender(self, variable: Variable | None, note: Say) -> str:
        if variable is None or not variable.value:
            return SENDER
        found = re.search(r"[^\s<>]+@[^\s<>]+", variable.value)
        sender = address(found[0] if found is not None else variable.value.strip())
        if sender is None:
            note("lost", "MAILFROM", f"{variable.value!r} is no mail address: mails come from {SENDER}")
            return SENDER
        note("info", "MAILFROM", "the sender of the mails, as cronie reads it; Debian's cron ignores it")
        return sender

    def _nobody(self, line: int) -> None:
        why = "cron mails what a job prints to its user, into a mailbox of that machine; here nobody is told"
        hint = "write `notify` into the jobs, or MAILTO=you@example.com into the crontab and import it again"
        if not self.notes:
            self.notes.append(Note("info", "no MAILTO", why, Origin(self.path, line), hint))
