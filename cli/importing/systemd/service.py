"""From a `.service` to what a job runs: its commands as an argument list where that is possible, else as a script.

Source: systemd.service(5). Called by `reader`. Pure.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from cli.importing.alerts import Alert
from cli.importing.crontab.shell import same_under_strict
from cli.importing.imported import SourceText
from cli.importing.systemd.handlers import OCCASIONS, Find, alert_at
from cli.importing.systemd.settings import Draft, read_settings
from cli.importing.systemd.timer import refused
from cli.importing.systemd.unitfile import Setting, Unit
from cli.importing.systemd.words import BadCommand, Line, expand, for_shell, read_commands, specifiers
from specs.diagnostic import Diagnostic

_SHELL = re.compile(r"(?:/usr)?/bin/(?:sh|bash|dash)|sh|bash")
_CONDITIONS = re.compile(r"(?:Condition|Assert)\w+")
_ORDER = frozenset(
    [
        "After",
        "Before",
        "Wants",
        "Requires",
        "Requisite",
        "BindsTo",
        "PartOf",
        "Conflicts",
        "Upholds",
        "DefaultDependencies",
    ]
)
_EMPTY_UNIT = frozenset(["Description", "Documentation", "StartLimitBurst", "StartLimitIntervalSec"])


def read_service(
    unit: Unit, *, home_of: Any, sources: dict[str, SourceText], find: Find
) -> tuple[Draft, list[Diagnostic]]:
    """The `run`, `env` and policies of a service, and what of it systemd itself would refuse."""
    user = unit.get("Service", "User")
    name = user.value if user is not None else "root"
    draft = Draft(unit, user=name, home=home_of(name))
    errors: list[Diagnostic] = []
    read_settings(draft)
    commands = {
        key: _commands(draft, key, errors, sources)
        for key in ("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost")
    }
    if not commands["ExecStart"]:
        if not errors:
            source = sources[unit.origin.path]
            message = f"{unit.name} has no ExecStart=: there is nothing to run"
            errors.append(Diagnostic("IMPORT", message, source.path, 1, 1))
        return draft, errors
    _run(draft, commands)
    _about_type(draft)
    for key in ("ExecStop", "ExecStopPost", "ExecReload"):
        for setting in unit.all("Service", key)[:1]:
            if key != "ExecReload":
                draft.note(
                    "lost",
                    setting,
                    "a job has no command that runs after its end",
                    "end the script with it, in a `trap` where it must run after a failure too",
                )
    about_unit(draft, draft.unit, find)
    return draft, errors


def _commands(
    draft: Draft, key: str, errors: list[Diagnostic], sources: dict[str, SourceText]
) -> list[tuple[Setting, Line]]:
    found: list[tuple[Setting, Line]] = []
    for setting in draft.unit.all("Service", key):
        try:
            lines = read_commands(setting.value)
        except BadCommand as error:
            errors.append(refused(setting, f"{key}=: {error}", sources))
            continue
        found += [(setting, _specified(draft, setting, line)) for line in lines]
    return found


def _specified(draft: Draft, setting: Setting, line: Line) -> Line:
    """The line with its specifiers replaced, and what its prefixes lose."""
    words: list[str] = []
    for word in line.words:
        made, unknown = specifiers(word, draft.unit, draft.user, draft.home)
        words.append(made)
        for each in dict.fromkeys(unknown):
            draft.note("lost", setting, f"{each} is known to the running systemd only; it stands there as it is")
    if re.search(r"[+!]", line.prefixes) and draft.unit.get("Service", "User") is not None:
        draft.note("lost", setting, f"`{line.prefixes}` runs it with root's rights; here the whole job has one user")
    if "@" in line.prefixes:
        draft.note("lost", setting, "`@` gives the program another name for itself: that name was left out")
        words = [words[0], *words[2:]]
    return Line(line.prefixes, tuple(words))


def _run(draft: Draft, commands: dict[str, list[tuple[Setting, Line]]]) -> None:
    """One command without variables from elsewhere is an argument list. Everything else is a script."""
    lines = [(key, line) for key, found in commands.items() for _, line in found]
    texts = {name: value for name, value in draft.env.items() if isinstance(value, str)}
    (key, line), single = lines[0], len(lines) == 1
    words = line.words if ":" in line.prefixes else expand(line.words, texts)
    ignored = [setting for found in commands.values() for setting, each in found if "-" in each.prefixes]
    if single and not ignored and words is not None and not draft.files:
        _single(draft, words)
        return
    script: list[str] = [_sourced(path) for path in draft.files]
    for key, line in lines:
        words = line.words if ":" in line.prefixes else expand(line.words, texts)
        text = shlex.join(words) if words is not None else for_shell(line.words)
        text = " ".join([*draft.niceness, text])
        if key == "ExecCondition":
            text += " || exit 0"
        elif "-" in line.prefixes:
            text += " || true"
        script.append(text)
    draft.run["script"] = "\n".join(script) + "\n"
    if any("$" in text for text in script) or draft.files:
        draft.run["interpreter"] = ["/bin/sh", "-e"]
    for setting in ignored[:1]:
        draft.note("info", setting, "`-`: its failure is not the job's, now with `|| true`")
    if commands["ExecCondition"]:
        setting = commands["ExecCondition"][0][0]
        draft.note("changed", setting, "a run that it keeps back has succeeded here, and is not shown as skipped")


def _single(draft: Draft, words: tuple[str, ...]) -> None:
    shell = not draft.niceness and len(words) == 3 and _SHELL.fullmatch(words[0]) and words[1] in ("-c", "-ec", "-lc")
    if shell and words[1] != "-lc":
        text = words[2].strip()
        draft.run["script"] = f"{text}\n"
        strict = words[0].endswith("/sh") and words[1] == "-c" and same_under_strict(text)
        if not strict:
            draft.run["interpreter"] = [words[0], *(["-e"] if words[1] == "-ec" else [])]
        return
    draft.run["command"] = [*draft.niceness, *words]


def _sourced(path: str) -> str:
    optional = path.startswith("-")
    path = shlex.quote(path.removeprefix("-"))
    read = f"set -a; . {path}; set +a"
    return f"if [ -r {path} ]; then {read}; fi" if optional else read


def _about_type(draft: Draft) -> None:
    kind = draft.unit.get("Service", "Type")
    if kind is None or kind.value in ("simple", "exec", "oneshot", "idle"):
        return
    if kind.value == "forking":
        draft.note(
            "changed",
            kind,
            "a job ends when its program ends, and what it leaves running is ended too",
            "give the program its option to stay in the foreground",
        )
    else:
        draft.note("changed", kind, f"{kind.value}; jobsctl waits for the program's end and for no message of it")


def about_unit(draft: Draft, unit: Unit, find: Find) -> None:
    """What the [Unit] section of a service, or of its timer, says and a job cannot."""
    for setting in unit.keys("Unit"):
        if setting.key in OCCASIONS:
            _about_handler(draft, unit, setting, alert_at(unit, setting.key, find))
        elif _CONDITIONS.fullmatch(setting.key):
            draft.note(
                "lost", setting, f"{setting.value}: a job has no such condition", "test it at the script's beginning"
            )
        elif setting.key in _ORDER:
            if not re.fullmatch(r"[\s\w@:.-]*\.(?:target|socket|mount|slice)(?:\s.*)?|no|false", setting.value):
                draft.note(
                    "lost",
                    setting,
                    f"{setting.value}; jobsctl starts and waits for no units",
                    "`depends_on:` waits for the success of other jobs",
                )
        elif setting.key not in _EMPTY_UNIT:
            draft.note("lost", setting, "there is nothing like it in a job")


def _about_handler(draft: Draft, unit: Unit, setting: Setting, alert: Alert | None) -> None:
    """A unit that is started at the end of this one: nothing starts it here, but a `Notifier` can tell what it told."""
    named = specifiers(setting.value, unit, draft.user, draft.home)[0]
    failed = setting.key == "OnFailure"
    if failed or alert is not None:
        draft.comments.append(f"{setting.key}={named}")
    if alert is not None:
        draft.comments += alert.proposal(OCCASIONS[setting.key])
        why = f"{named} is not started; {alert.words}, which a `Notifier` can do"
        draft.note("lost", setting, why, "the comment above the job says how: nothing of it is in force yet")
    elif failed:
        why = f"{named} is not started: nobody is told when this fails"
        draft.note(
            "lost", setting, why, "write `notify`, or `depends_on` with `on_dependency_failure` where it repairs"
        )
    else:
        why = f"{named} is not started"
        draft.note("lost", setting, why, "give that job `depends_on:` with this one's name")
