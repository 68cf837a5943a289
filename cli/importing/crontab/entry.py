"""One entry of a crontab to one job. Called by `reader`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.importing.crontab.lines import EntryLine, Variable
from cli.importing.crontab.mail import VARIABLES, Mails
from cli.importing.crontab.naming import names_of
from cli.importing.crontab.rule import CronRule
from cli.importing.crontab.shell import same_under_strict, simple_words, split_input, with_input
from cli.importing.crontab.times import Timed, to_schedule
from cli.importing.imported import Imported, Level, Note, Origin
from cli.importing.naming import Names, slug
from cli.importing.notifiers import rules
from specs.secrets import holds_secret, secrets_in_script

DEFAULT_PATH = "/usr/bin:/bin"
"""Of Debian's cron (pathnames.h)."""
_OWN = frozenset((*VARIABLES, "SHELL", "CRON_TZ", "RANDOM_DELAY", "LOGNAME"))
"""Variables that are cron's own to understand, or to overwrite."""
_SHELLS = re.compile(r"(?:/usr)?(?:/local)?/bin/(?:sh|bash|dash|zsh|ksh|ash)")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an entry is told by its file."""

    path: str
    description: str
    variables: tuple[Variable, ...]
    user: str | None
    home: str | None
    timezone: str
    timezone_given: bool


def to_job(line: EntryLine, around: Surroundings, names: Names, mails: Mails) -> Imported:
    """The job of an entry, with all that is to be said about it."""
    return _Entry(line, around).job(names, mails)


@dataclass
class _Entry:
    line: EntryLine
    around: Surroundings
    notes: list[Note] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.variables = {each.name: each for each in self.around.variables}

    def note(self, level: Level, what: str, why: str, hint: str | None = None, line: int | None = None) -> None:
        self.notes.append(Note(level, what, why, Origin(self.around.path, line or self.line.line), hint))

    def job(self, names: Names, mails: Mails) -> Imported:
        line, around = self.line, self.around
        command = split_input(line.command)
        zone = self._zone()
        timed = self._timed(zone)
        described = "\n".join(filter(None, [around.description, command.comment]))[:4096]
        tree: dict[str, Any] = {"name": names.take(*_candidates(command.text, described))}
        if described:
            tree["description"] = described
        if timed.schedule is not None:
            tree["schedule"] = timed.schedule
        if around.timezone_given or zone != around.timezone:
            tree["timezone"] = zone
        run, env = self._run(command.text, command.stdin)
        delay = self._delay()
        if delay:
            tree["jitter"] = {"random": f"{delay}m"}
        tree |= {"run": run, "env": env}
        if timed.schedule is not None and line.time != "@reboot":
            tree |= {"overlap": "allow", "missed": "skip"}
        told, notes = mails.told(self.variables, line.line)
        self.notes += notes
        if told is not None:
            tree["notify"] = rules([(told, "failure")])
        if line.silent:
            self.note("info", "- before the time", "cronie does not log such a start; jobsctl always records it")
        self._hints(command.text, told=told is not None)
        rule = None if line.drawn else CronRule(line.fields, zone, line.time, at_boot=line.time == "@reboot")
        return Imported(
            tree,
            Origin(around.path, line.line),
            rule=rule,
            no_rule="cronie draws the time anew whenever it loads the file" if line.drawn else "",
            notes=tuple(self.notes),
        )

    def _zone(self) -> str:
        variable = self.variables.get("CRON_TZ")
        if variable is None or not variable.value:
            return self.around.timezone
        try:
            ZoneInfo(variable.value)
        except (ZoneInfoNotFoundError, ValueError):
            self.note(
                "lost",
                "CRON_TZ",
                f"no zone is called {variable.value!r}; {self.around.timezone} is used",
                line=variable.line,
            )
            return self.around.timezone
        self.note(
            "changed",
            "CRON_TZ",
            "it became `timezone:`, as cronie reads it; Debian's cron ignores it",
            line=variable.line,
        )
        return variable.value

    def _timed(self, zone: str) -> Timed:
        timed = to_schedule(self.line.time)
        for level, what, why in timed.said:
            self.note(level, what, why)
        return timed

    def _delay(self) -> int:
        variable = self.variables.get("RANDOM_DELAY")
        if variable is None or not variable.value.isdecimal() or not int(variable.value):
            return 0
        self.note(
            "changed",
            "RANDOM_DELAY",
            "cronie draws the delay once when it starts; `jitter: random` varies from slot "
            "to slot. Debian's cron ignores it",
            line=variable.line,
        )
        return int(variable.value)

    def _run(self, text: str, stdin: str | None) -> tuple[dict[str, Any], dict[str, str]]:
        shell = self.variables["SHELL"].value if "SHELL" in self.variables else "/bin/sh"
        env = self._environment(shell)
        words = simple_words(text) if stdin is None and _SHELLS.fullmatch(shell) else None
        run: dict[str, Any] = {}
        home = env.get("HOME", self.around.home)
        if words is not None:
            run["command"] = list(words.argv)
            env |= words.env
            home = words.working_dir or home
        else:
            run |= self._script(text, stdin, shell)
        if home is not None and home.startswith("/"):
            run["working_dir"] = home
        else:
            whose = "its user" if self.around.user is None else self.around.user
            self.note(
                "changed",
                "working directory",
                f"cron starts jobs in the home of {whose}, which this machine does not "
                "know; here they start in the root of the specs' repository",
                "set `run.working_dir`",
            )
        if self.around.user is not None:
            run["user"] = self.around.user
        return run, env

    def _script(self, text: str, stdin: str | None, shell: str) -> dict[str, Any]:
        if not _SHELLS.fullmatch(shell):
            if stdin is not None:
                self.note(
                    "lost", "% in the command", f"what follows it is the input of {shell} -c, which cannot be given"
                )
            return {"command": [shell, "-c", text]}
        script = f"{text}\n" if stdin is None else with_input(text, stdin)
        if stdin is not None:
            self.note("info", "% in the command", "what follows it is the command's input, now a here-document")
        run: dict[str, Any] = {"script": script}
        if shell != "/bin/sh" or not same_under_strict(text):
            run["interpreter"] = [shell]
        return run

    def _environment(self, shell: str) -> dict[str, str]:
        env: dict[str, str] = {}
        for variable in self.around.variables:
            if variable.name in _OWN:
                continue
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,255}", variable.name):
                self.note("lost", variable.name, "a variable's name has letters, digits and _ only", line=variable.line)
                continue
            env[variable.name] = variable.value
            self._about(variable)
        if shell != "/bin/sh":
            env["SHELL"] = shell
        env.setdefault("PATH", DEFAULT_PATH)
        return env

    def _about(self, variable: Variable) -> None:
        if variable.name == "TZ":
            self.note(
                "info",
                "TZ",
                "it is the program's zone only, as with cron: times are not read in it",
                line=variable.line,
            )
        if re.search(r"\$\w|\$\{", variable.value):
            self.note(
                "info",
                variable.name,
                "cron replaces no variables in a value, and neither does jobsctl: it stays as it is written",
                "write out what was meant",
                line=variable.line,
            )

    def _hints(self, text: str, *, told: bool) -> None:
        variables = [each.name for each in self.around.variables if holds_secret(each.name, each.value)]
        for what in (*variables, *(found.what for found in secrets_in_script(text))):
            self.note(
                "info",
                what,
                "looks like a secret, and would stand in a repository in clear",
                "give it by `env` with `from_file`, `from_env` or `credential`",
            )
        if re.search(r"(?:^|[\s/])(?:flock|lockrun|run-one|lockf|solo)\s", text):
            self.note(
                "info", "flock", "jobsctl does what the lock is for", "`overlap: skip`, and the command without it"
            )
        if dillon := re.match(r"(?:ID|AFTER|FREQ)=\S+", text):
            self.note(
                "changed",
                dillon[0],
                "Dillon's cron takes it for itself; Debian's, and the job, give it to the command as a variable",
                "`depends_on:` is jobsctl's AFTER=",
            )
        if re.search(r">\s*/dev/null\s+2>&1|&>\s*/dev/null", text):
            self.note(
                "info",
                "> /dev/null 2>&1",
                "kept; cron has nothing to mail then; here a failure is told all the same, without the output"
                if told
                else "kept; not needed; jobsctl keeps output, and mails none",
                "without it, `jobsctl logs` can show what went wrong",
            )
        if folder := re.search(r"run-parts\s+(?:-\S+\s+)*(/\S+)", text):
            self.note(
                "info",
                "run-parts",
                f"the programs in {folder[1]} are run one by one, as a single job",
                "a job of its own for each shows which one failed",
            )


def _candidates(command: str, description: str) -> Iterator[str]:
    found = names_of(command)
    yield from found[:1]
    short = slug(description.split("\n")[0])
    if short and short.count("-") < 5:
        yield short
    yield from found[1:]
