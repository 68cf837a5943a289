"""From a crontab to jobs: comments to descriptions, variables to those below, each entry to a document.

Called by the subcommand. Pure: what this machine knows (homes) and the zone are parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from cli.importing.crontab.entry import Surroundings, to_job
from cli.importing.crontab.lines import Blank, Comment, EntryLine, Variable, read_lines
from cli.importing.crontab.mail import Mails
from cli.importing.imported import Import, Imported, Note, Origin, SourceText
from cli.importing.naming import Names
from cli.importing.recognizing import not_crontab
from specs.diagnostic import Diagnostic

Homes = Callable[[str | None], str | None]
"""The home of a user; of the caller for None; None when it is not known."""

_USERS = frozenset(["root", "www-data", "nobody", "postgres", "mail", "daemon", "munin", "backup"])
_RULER = re.compile(r"[^A-Za-z0-9]*|.*\(\d+ *-+ *\d+\).*|[-*|.+]+\s.*")
"""A line of ornament, or of the picture that explains the five fields."""
_TABLE = re.compile(r"(?:m|mn|min|minutes?)\s+(?:h|hr|hours?)\s", re.IGNORECASE)
"""The heading over the columns: what stands before it is about the file, not about the entry below."""
_USER = re.compile(r"[a-z_][a-z0-9_-]*\$?")


def is_system(path: str) -> bool:
    """Whether a file of this name has a user in its entries: /etc/crontab, and what is in /etc/cron.d."""
    return re.search(r"(^|/)etc/crontab$|(^|/)cron\.d/[^/]+$", path) is not None


def read_crontab(
    source: SourceText, *, system: bool, user: str | None, timezone: str, timezone_given: bool, home_of: Homes
) -> Import:
    """The jobs of one crontab.

    Args:
        system: entries name a user; also taken to be so when the file's path says it, and each entry can have one.
        user: whose crontab it is; None: the jobs run as whoever runs the daemon.
        timezone: zone of the machine it comes from; written into the jobs when `timezone_given`.
    """
    reader = _Reader(source, user, timezone, timezone_given, home_of)
    if not system and user is None and is_system(source.path):
        entries = [line for line in read_lines(source, system=True) if isinstance(line, EntryLine)]
        system = all(_USER.fullmatch(line.user or "") for line in entries)
    lines = list(read_lines(source, system=system))
    # One finding about the file says more than one about each of its lines.
    if not any(isinstance(line, EntryLine) for line in lines) and (found := not_crontab(source)) is not None:
        return Import((), unreadable=(found,))
    for line in lines:
        reader.add(line)
    return reader.result(system)


@dataclass
class _Reader:
    source: SourceText
    user: str | None
    timezone: str
    timezone_given: bool
    home_of: Homes
    jobs: list[Imported] = field(default_factory=list)
    unreadable: list[Diagnostic] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    above: list[Comment] = field(default_factory=list)
    switched_off: list[int] = field(default_factory=list)
    entries: list[EntryLine] = field(default_factory=list)
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self.mails = Mails(self.source.path, self.names)

    def add(self, line: Comment | Blank | Variable | EntryLine | Diagnostic) -> None:
        """One line, in the order of the file."""
        match line:
            case Comment():
                if line.old_entry:
                    self.switched_off.append(line.line)
                    self.above = []
                else:
                    self.above.append(line)
                return
            case Variable():
                self.variables[line.name] = line
            case Diagnostic():
                self.unreadable.append(line)
            case EntryLine():
                self.entries.append(line)
                surroundings = Surroundings(
                    path=self.source.path,
                    description=_description(self.above),
                    variables=tuple(self.variables.values()),
                    user=line.user or self.user,
                    home=self.home_of(line.user or self.user),
                    timezone=self.timezone,
                    timezone_given=self.timezone_given,
                )
                self.jobs.append(to_job(line, surroundings, self.names, self.mails))
        self.above = []

    def result(self, system: bool) -> Import:
        """All of the file."""
        for line in self.switched_off:
            self._note(line, "info", "a line that is commented out", "it looks like an entry; it was not imported")
        self._about_users(system)
        if self.entries:
            first = self.entries[0].line
            self._note(
                first,
                "info",
                "overlap",
                "cron starts a job although its last run goes on, and so do these jobs, ten at once at most",
                "where one at a time is right, delete `overlap: allow`",
            )
            if not self.timezone_given and any(entry.fields is not None for entry in self.entries):
                self._note(
                    first,
                    "info",
                    "times",
                    f"cron reads them in its machine's zone; here they are in {self.timezone}",
                    "name the machine's with --timezone, as Europe/Berlin",
                )
        last = self.source.text.rsplit("\n", 1)[-1].strip()
        if last and not last.startswith("#"):
            line = self.source.text.count("\n") + 1
            self._note(
                line, "info", "the last line", "it has no line break at its end: Debian's cron ignores the whole file"
            )
        if self.unreadable:
            self._note(
                self.unreadable[0].line,
                "info",
                "a line that cannot be read",
                "Debian's cron ignores the whole file then; the other lines were imported all the same",
            )
        return Import(
            tuple(self.jobs),
            tuple(self.unreadable),
            (*self.mails.notes, *self.notes),
            self.mails.notifiers.documents(),
        )

    def _about_users(self, system: bool) -> None:
        first_words = [entry.command.split(None, 1)[0] for entry in self.entries if entry.user is None]
        if first_words and all(word in _USERS for word in first_words):
            self._note(
                self.entries[0].line,
                "changed",
                "a user before the command",
                f"{first_words[0]!r} was read as the command: a user's own crontab has no user there",
                "if it is one of /etc, add --system",
            )
        elif self.entries and not system and self.user is None:
            self._note(
                self.entries[0].line,
                "info",
                "user",
                "the jobs run as whoever runs the daemon",
                "--user NAME writes `user:` into them; the daemon must be root for that",
            )

    def _note(self, line: int, level: str, what: str, why: str, hint: str | None = None) -> None:
        self.notes.append(Note(level, what, why, Origin(self.source.path, line), hint))  # type: ignore[arg-type]


def _description(comments: list[Comment]) -> str:
    """The comment lines directly above an entry, without ornament."""
    texts = [comment.text for comment in comments]
    table = [index for index, text in enumerate(texts) if _TABLE.match(text)]
    kept = [text for text in texts[table[-1] + 1 if table else 0 :] if not _RULER.fullmatch(text)]
    return "\n".join(
        text.strip("-=#* ").strip() if re.fullmatch(r"[-=#*]{2,}.*|.*[-=#*]{2,}", text) else text for text in kept
    )
